/** `dr drill`: the monthly database restore test on the embedded cloud, from the synthesized schedule to the report. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import { databaseAlarmPrefix, incidentId, requestKey } from '../../core/incident/identifiers.ts';
import { startClients, type Clients as Writers } from '../../workload/clients/clients.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { connect, type Installation, install } from '../installation.ts';
import { measureLoss, presentReferences } from '../measure.ts';
import { type DrillOptions, drillClockFactor } from '../options.ts';
import { fetchReport, showOutcome, writeReports } from '../report.ts';
import { duration, Screen } from '../screen.ts';
import { synthesize } from '../synthesize.ts';

/** Runs the drill and returns the exit code; cleans up on every path. */
export async function drill(options: DrillOptions): Promise<ExitCode> {
  const screen = new Screen({ silent: options.json });
  const scratch = mkdtempSync(join(tmpdir(), 'stocker-dr-assembly-'));
  screen.heading(`Database drill, ${options.environment}: the deployed assembly on one machine, with real PostgreSQL`);
  let installation: Installation | undefined;
  let writers: Writers | undefined;
  try {
    installation = await install({
      environment: options.environment,
      assembly: synthesize(options.environment, join(scratch, 'cdk.out')),
      rows: options.rows,
      clockFactor: drillClockFactor,
      onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
    });
    writers = writeAllTheTime(installation.apiUrl);
    return await rehearse(installation, writers, options, screen);
  } finally {
    await writers?.stop();
    await installation?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Four clients that move stock of the second tenant's products. */
function writeAllTheTime(url: string): Writers {
  return startClients({
    url,
    writers: 4,
    pauseMs: 10,
    tenant: 2,
    products: [2, 4, 6, 8, 10],
    warehouses: [1, 2, 3, 4],
  });
}

async function rehearse(
  installation: Installation,
  writers: Writers,
  options: DrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, cloud, clients } = installation;
  await waitUntilWorthDrilling(installation, writers, screen);
  const before = new Set((await executions(installation)).map(({ executionArn }) => executionArn));
  const present = readCopyBeforeItGoes(installation);
  const schedule = namesOf(configuration).schedule('database-drill');

  screen.heading(
    `The schedule ${schedule} fires; the RTO clock starts (objective ${duration(configuration.objectives.rtoSeconds)})`,
  );
  await cloud.fireSchedule(schedule, configuration.primary.region);
  const executionArn = await newExecution(installation, before);
  const { startDate } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const incident = incidentId('drill', startDate?.toISOString() ?? '', requestKey({}, executionArn));
  const table = namesOf(configuration).incidentTable;
  const ended = await follow(
    { executionArn, incidentId: incident, table, rtoSeconds: configuration.objectives.rtoSeconds },
    clients,
    screen,
  );
  await writers.stop();
  return conclude(installation, writers, ended, present, options, screen);
}

async function conclude(
  { configuration, clients }: Installation,
  writers: Writers,
  ended: Ended,
  present: { references: ReadonlySet<string> | undefined; failure: unknown },
  options: DrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const report = await fetchReport(clients.s3, ended.output);
  if (!report) {
    screen.line(screen.bad(`The drill did not start: ${ended.error ?? ended.status}`));
    screen.line(ended.cause ?? '');
    return exitCodes.failed;
  }
  const plan = report.timeline.find(({ step }) => step === 'AssessDatabase')?.facts;
  const restorePoint = typeof plan?.restorePoint === 'string' ? plan.restorePoint : undefined;
  const loss =
    present.references && restorePoint
      ? measureLoss(writers.ledger, present.references, restorePoint, report.record.incident.detectedAt)
      : undefined;
  const directory = options.output ?? join('reports', report.record.incident.id);
  mkdirSync(directory, { recursive: true });
  const passed = writeReports(
    report,
    {
      loss,
      acknowledged: writers.ledger.entries.length,
      failures: writers.ledger.failures.length,
      clockFactor: drillClockFactor,
      ended,
    },
    directory,
  );
  if (options.json) process.stdout.write(`${JSON.stringify(passed.report, undefined, 2)}\n`);
  else showOutcome(passed, directory, configuration, screen);
  return passed.ok ? exitCodes.passed : exitCodes.failed;
}

/** A drill is worth something once data is flowing, a heartbeat is in the restore window, and no alarm rings. */
async function waitUntilWorthDrilling(
  { configuration, clients, database }: Installation,
  writers: Writers,
  screen: Screen,
): Promise<void> {
  const started = performance.now();
  const limitMs = 60_000;
  for (;;) {
    const firstWrite = writers.ledger.entries[0]?.acknowledgedAt;
    const { DBInstances } = await clients.rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: configuration.database.identifier }),
    );
    const restorable = DBInstances?.[0]?.LatestRestorableTime?.getTime() ?? 0;
    const { MetricAlarms = [] } = await clients.cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: databaseAlarmPrefix(configuration.environment) }),
    );
    const ringing = MetricAlarms.filter(({ StateValue }) => StateValue !== 'OK').map(
      ({ AlarmName, StateValue }) => `${AlarmName} ${StateValue}`,
    );
    if (firstWrite !== undefined && restorable > firstWrite + 1000 && ringing.length === 0) break;
    const waitingFor =
      firstWrite === undefined
        ? `a first write (${writers.ledger.failures.at(-1)?.reason ?? 'none tried'})`
        : ringing.length > 0
          ? ringing.join(', ')
          : 'a restore window that holds the first writes';
    if (performance.now() - started > limitMs)
      throw new Error(
        `The workload did not settle within ${limitMs / 1000} s: waiting for ${waitingFor}; database at ${database.address}:${database.port}`,
      );
    screen.living(`  … waiting for ${waitingFor}`);
    await sleep(100);
  }
  screen.living('');
  screen.item(
    'good',
    'Clients write',
    (performance.now() - started) / 1000,
    `${writers.ledger.entries.length} acknowledged writes, alarms quiet, restore window open`,
  );
}

async function executions({ configuration, clients }: Installation) {
  const stateMachineArn = namesOf(configuration).stateMachineArn(configuration.primary.region, 'database-recovery');
  const { executions: found = [] } = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  return found;
}

async function newExecution(installation: Installation, before: ReadonlySet<string | undefined>): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const fresh = (await executions(installation)).find(({ executionArn }) => !before.has(executionArn));
    if (fresh?.executionArn) return fresh.executionArn;
    await sleep(50);
  }
  throw new Error('The schedule fired, and no execution started: see the dead letters of the schedules');
}

/**
 * Reads what the copy holds at the moment of its deletion: the drill tears it down by itself, and this measurement must
 * neither ask the product for anything nor hurry it.
 */
function readCopyBeforeItGoes({ cloud, configuration, clients, database }: Installation) {
  const result: { references: ReadonlySet<string> | undefined; failure: unknown } = {
    references: undefined,
    failure: undefined,
  };
  const { drillPrefix, name } = configuration.database;
  cloud.faults.inject({
    service: 'rds',
    operation: 'DeleteDBInstance',
    where: ({ DBInstanceIdentifier }: { DBInstanceIdentifier?: string }) =>
      DBInstanceIdentifier?.startsWith(drillPrefix) ?? false,
    times: 1,
    effect: {
      kind: 'hold',
      until: async (input: { DBInstanceIdentifier?: string }) => {
        try {
          const { DBInstances } = await clients.rds.send(
            new DescribeDBInstancesCommand({ DBInstanceIdentifier: input.DBInstanceIdentifier }),
          );
          const { Address = '', Port = 0 } = DBInstances?.[0]?.Endpoint ?? {};
          const copy = await connect(
            { address: Address, port: Port, master: database.master },
            name,
            cloud.certificateAuthority,
          );
          result.references = await presentReferences(copy).finally(() => copy.end());
        } catch (error) {
          result.failure = error;
        }
      },
    },
  });
  return result;
}
