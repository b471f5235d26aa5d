/** `dr debt`: what Terraform still believes after a cut-over; `dr debt close`: gives its state the instance that is production. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchGetBuildsCommand, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import * as z from 'zod';
import { settingsOf } from '../../config/names.ts';
import { variablesOf, whereOf } from '../../core/cluster/assess-cluster.ts';
import type { DebtRecord } from '../../core/configuration/contracts.ts';
import { DebtRemains } from '../../core/configuration/errors.ts';
import { clusterJob } from '../../core/configuration/watch-configuration.ts';
import { regionSettings } from '../../core/settings.ts';
import { connectionOfEnvironment } from '../connection.ts';
import { debtText } from '../debt-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { dr as hint } from '../hints.ts';
import { onInterruptionSay } from '../interruption.ts';
import { type Operator, operatorAt } from '../operator.ts';
import type { DebtOptions } from '../operator-options.ts';
import { readActiveDatabase, readDebt } from '../records.ts';

/** Exit 0: there is none, or it is closed now. 1: it is open, and was shown; or its plan is not empty. */
export async function debt(options: DebtOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const open = await openDebtOf(operator);
  if (open === undefined) {
    process.stdout.write('Terraform owes nothing: its state is not known to hold another instance than production.\n');
    return exitCodes.passed;
  }
  process.stdout.write(`Terraform debt ${debtText(open)}\n`);
  if (options.close) return close(open, operator);
  process.stdout.write(
    `1. In Git, give the database the identifier ${open.import}; deploy that commit.\n2. ${hint('debt close')}\nUntil then no configuration recovery starts, and apply nothing: it would undo the cut-over.\n`,
  );
  return exitCodes.failed;
}

/** Of what is production now. */
export async function openDebtOf({ dr, names }: Pick<Operator, 'dr' | 'names'>): Promise<DebtRecord | undefined> {
  const active = await readActiveDatabase(dr.dynamodb, names.controlTable);
  const record = active && (await readDebt(dr.dynamodb, names.controlTable, active.resourceId));
  return record?.closedAt === undefined ? record : undefined;
}

const Outcome = z.union([
  z.object({ output: z.unknown(), failure: z.undefined().optional() }),
  z.object({ failure: z.object({ Error: z.string(), Cause: z.string() }) }),
]);

async function close(open: DebtRecord, { configuration }: Operator): Promise<ExitCode> {
  const settings = settingsOf(configuration);
  const where = whereOf('recovery', settings, regionSettings(settings, open.region));
  const variables = {
    JOB: 'configuration/settle-debt',
    INPUT: JSON.stringify({ resourceId: open.resourceId }),
    ACTION: 'import',
    APPROVED: 'imported',
    MANIFESTS: 'none',
    ADDRESS: settings.cluster.databaseAddress,
    INSTANCE: open.import,
    ...variablesOf(where),
  };
  const codebuild = new CodeBuildClient({ ...connectionOfEnvironment(), region: open.region });
  const started = await codebuild.send(
    new StartBuildCommand({
      projectName: clusterJob(configuration.environment),
      environmentVariablesOverride: Object.entries(variables).map(([name, value]) => ({
        name,
        value,
        type: 'PLAINTEXT',
      })),
    }),
  );
  const id = started.build?.id ?? '';
  process.stdout.write(`Build ${id} imports ${open.import} and asks Terraform for its plan.\n`);
  onInterruptionSay(`Nothing was stopped: ${id} goes on. See: ${hint('debt')}`);
  for (;;) {
    const [build] = (await codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds ?? [];
    if (build?.buildStatus === 'IN_PROGRESS') {
      await sleep(2000);
      continue;
    }
    const told = build?.exportedEnvironmentVariables?.find(({ name }) => name === 'OUTCOME')?.value;
    return toldEnd(told, build?.buildStatus ?? 'gone', open);
  }
}

function toldEnd(told: string | undefined, status: string, { import: instance }: DebtRecord): ExitCode {
  const outcome = told === undefined ? undefined : Outcome.parse(JSON.parse(told));
  if (outcome !== undefined && outcome.failure === undefined) {
    process.stdout.write(`Closed: Terraform’s state holds ${instance}, and its plan is empty.\n`);
    return exitCodes.passed;
  }
  const { Error: name, Cause } = outcome?.failure ?? { Error: 'BuildFailed', Cause: `The build ended ${status}.` };
  process.stderr.write(`Still open: ${name}\n${Cause}\nNext: ${DebtRemains.definition.next}\n`);
  return exitCodes.failed;
}
