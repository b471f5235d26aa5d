/** `dr start`, `dr failover`, `dr failback` and `dr retry`: an execution of a machine, as the console would start it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type * as z from 'zod';
import { configurationOf } from '../../config/index.ts';
import type { IncidentRecord, StartRequest } from '../../core/incident/contracts.ts';
import { InvalidRequest } from '../../core/incident/errors.ts';
import { incidentId, requestKey } from '../../core/incident/identifiers.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { dr } from '../hints.ts';
import { onInterruptionSay } from '../interruption.ts';
import { type Operator, operatorAt, requireIncident } from '../operator.ts';
import type { MoveOptions, RetryOptions, StartOptions } from '../operator-options.ts';
import { refusalOf } from '../outcome.ts';
import { readIncidentRecord } from '../records.ts';

type Request = z.input<typeof StartRequest> & { readonly style?: MoveOptions['style'] };
type Machine =
  | 'database-recovery'
  | 'cluster-recovery'
  | 'configuration-recovery'
  | 'region-failover'
  | 'region-failback';

/** Of which machine an incident is: a failover is made in the DR Region, a failback in the primary. */
function machineOf({ configuration }: Operator, { incident }: IncidentRecord): Machine {
  if (incident.scenario !== 'region') return `${incident.scenario}-recovery`;
  return incident.region === configuration.dr.region ? 'region-failover' : 'region-failback';
}

export async function start(options: StartOptions): Promise<ExitCode> {
  const { scenario, mode, reason, restoreTo, tables, requestId, confirm } = options;
  return execute(await operatorAt(options), `${scenario}-recovery`, {
    mode,
    reason,
    ...(restoreTo === undefined ? {} : { restoreTo }),
    ...(tables === undefined ? {} : { scope: { tables: [...tables] } }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(confirm === undefined ? {} : { confirm }),
  });
}

/** Started in the Region that takes over. */
export async function failover(options: MoveOptions): Promise<ExitCode> {
  const { environment } = options;
  return move(
    'region-failover',
    await operatorAt({ environment, region: configurationOf(environment).dr.region }),
    options,
  );
}

export async function failback(options: MoveOptions): Promise<ExitCode> {
  const { environment } = options;
  const { region } = configurationOf(environment).primary;
  return move('region-failback', await operatorAt({ environment, region }), options);
}

async function move(
  machine: Machine,
  operator: Operator,
  { mode, style, reason, confirm, requestId, waive }: MoveOptions,
): Promise<ExitCode> {
  return execute(operator, machine, {
    mode,
    style,
    reason,
    ...(requestId === undefined ? {} : { requestId }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(waive.length === 0 ? {} : { waiver: { checks: [...waive], by: await callerOf(operator), reason } }),
  });
}

/** Naming the failed incident is the confirmation: nothing but what it was about can be recovered. */
export async function retry(options: RetryOptions): Promise<ExitCode> {
  const { incident, reason, restoreTo, waive, environment } = options;
  const operator = await operatorAt(options);
  const record = await requireIncident(operator, incident);
  const { status } = record;
  if (status === 'closed')
    throw new UsageError(
      `${incident} succeeded: there is nothing to retry. A new recovery: ${dr(`start --mode recovery --confirm ${environment} --reason "…"`)}`,
    );
  return execute(operator, machineOf(operator, record), {
    mode: 'recovery',
    confirm: environment,
    incident,
    reason,
    ...(restoreTo === undefined ? {} : { restoreTo }),
    ...(waive.length === 0 ? {} : { waiver: { checks: [...waive], by: await callerOf(operator), reason } }),
  });
}

/** Who waives: the identity that AWS knows, not one that was typed. */
async function callerOf({ here }: Operator): Promise<string> {
  const { Arn } = await here.sts.send(new GetCallerIdentityCommand({}));
  if (Arn === undefined) throw new UsageError('AWS does not say who you are: aws sts get-caller-identity.');
  return Arn;
}

/** How long a request may take until its incident is open or it is refused. */
const acceptedMs = 120_000;

/** Exit 0: the incident is open. 1: refused, for the reason that is shown. 2: the request cannot be used. */
async function execute(operator: Operator, machine: Machine, request: Request): Promise<ExitCode> {
  const { here, names, region } = operator;
  const { executionArn = '', startDate } = await here.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: names.stateMachineArn(region, machine),
      // Sent again because its answer was lost, the same start does not begin twice (API reference of StartExecution).
      name: randomUUID(),
      input: JSON.stringify(request),
    }),
  );
  const mode = request.mode ?? 'drill';
  const id = request.incident ?? incidentId(mode, startDate?.toISOString() ?? '', requestKey(request, executionArn));
  onInterruptionSay(`Nothing was stopped: ${executionArn} goes on. Look: ${dr('status')}`);
  for (const until = performance.now() + acceptedMs; performance.now() < until; await sleep(300)) {
    const record = await readIncidentRecord(here.dynamodb, names.incidentTable, id);
    if (record?.incident.executionArn === executionArn) return told(id, mode, request.incident !== undefined, machine);
    const { status = '', error, cause } = await here.sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'RUNNING') continue;
    const { failure } = refusalOf({ status, error, cause });
    process.stderr.write(`Not started: ${failure.name}\n${failure.message}\nNext: ${failure.next}\n`);
    return failure.name === InvalidRequest.definition.name ? exitCodes.usage : exitCodes.failed;
  }
  process.stdout.write(`${executionArn} runs, and has not opened its incident yet. Look: ${dr('status')}\n`);
  return exitCodes.passed;
}

const assessed: Readonly<Record<Machine, string>> = {
  'database-recovery': 'the database',
  'cluster-recovery': 'the cluster',
  'configuration-recovery': 'the configuration',
  'region-failover': 'both Regions',
  'region-failback': 'both Regions',
};

function told(id: string, mode: 'drill' | 'recovery', isRetry: boolean, machine: Machine): ExitCode {
  const asks = `It assesses ${assessed[machine]} now, and asks before it takes anything away.`;
  process.stdout.write(
    `${isRetry ? 'Taken up again' : 'Started'}: ${id}\n${mode === 'recovery' ? asks : 'A drill, beside production, which is not touched.'}\nFollow it: ${dr(`watch ${id}`)}\n`,
  );
  return exitCodes.passed;
}
