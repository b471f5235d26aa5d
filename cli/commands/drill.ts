/** `dr drill`: the monthly database restore test on the embedded cloud, from the synthesized schedule to the report. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import { databaseAlarmPrefix, incidentId, requestKey } from '../../core/incident/identifiers.ts';
import { startClients, type Clients as Writers } from '../../workload/clients/clients.ts';
import type { Ledger } from '../../workload/clients/ledger.ts';
import type { Resolver } from '../../workload/clients/resolver.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { connect, type Installation, install, mailsOf } from '../installation.ts';
import type { Measurement } from '../judge.ts';
import { measureLoss, presentReferences } from '../measure.ts';
import { type DrillOptions, drillClockFactor } from '../options.ts';
import { print, refusalOf, showOutcome, showRefusal } from '../outcome.ts';
import { fetchReport, writeReports } from '../report.ts';
import { duration, Screen } from '../screen.ts';

/** Runs the drill and returns the exit code; cleans up on every path. */
export const drill = (options: DrillOptions): Promise<ExitCode> =>
  onCloudOfItsOwn(options, 'Database drill', 'with real PostgreSQL', rehearse);

/** Rehearses on an embedded cloud with clients that write, which end on every path. */
export async function onCloudOfItsOwn(
  options: DrillOptions,
  title: string,
  real: string,
  run: (installation: Installation, writers: Writers, options: DrillOptions, screen: Screen) => Promise<ExitCode>,
): Promise<ExitCode> {
  const screen = new Screen({ silent: options.json });
  if (options.output !== undefined) makeDirectory(options.output);
  screen.heading(`${title}, ${options.environment}: the deployed assembly on one machine, ${real}`);
  let installation: Installation | undefined;
  let writers: Writers | undefined;
  try {
    installation = await install({
      environment: options.environment,
      rows: options.rows,
      clockFactor: drillClockFactor,
      onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
      onStart: (names) => screen.living(names.length > 0 ? `  … ${names.join(', ')}` : ''),
    });
    writers = writeAllTheTime(installation.apiUrl);
    return await run(installation, writers, options, screen);
  } finally {
    screen.living('');
    await writers?.stop();
    await installation?.stop();
  }
}

/** Before anything is started: a drill whose report cannot be kept is not worth running. */
export function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--output ${directory} cannot be written: ${reason}. Give a directory that can.`, {
      cause: error,
    });
  }
}

/** Four clients that move stock of the second tenant's products; with a resolver they find the URL's host by its records. */
export function writeAllTheTime(url: string, resolver?: Resolver): Writers {
  return startClients({
    url,
    ...(resolver && { resolver }),
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
  const copy = readCopyBeforeItGoes(installation);
  const schedule = namesOf(configuration).schedule('database-drill');

  screen.heading(
    `The schedule ${schedule} fires; the RTO clock starts (objective ${duration(configuration.objectives.rtoSeconds)})`,
  );
  await cloud.fireSchedule(schedule, configuration.primary.region);
  const executionArn = await newExecution(installation, before);
  const { startDate } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const incident = incidentId('drill', startDate?.toISOString() ?? '', requestKey({}, executionArn));
  const table = namesOf(configuration).incidentTable;
  const { rtoSeconds } = configuration.objectives;
  const ended = await follow({ executionArn, incidentId: incident, table, mode: 'drill', rtoSeconds }, clients, screen);
  await writers.stop();
  const report = await fetchReport(clients, table, incident);
  if (!report) return refused(ended, options, screen);
  return conclude(installation, writers.ledger, { report, ended, copy }, options, screen);
}

function refused(ended: Ended, options: DrillOptions, screen: Screen): ExitCode {
  const refusal = refusalOf(ended);
  if (options.json) print(refusal);
  else showRefusal(refusal, screen);
  return exitCodes.failed;
}

function conclude(
  installation: Installation,
  ledger: Ledger,
  { report, ended, copy }: { report: Report; ended: Ended; copy: ReadCopy },
  options: DrillOptions,
  screen: Screen,
): ExitCode {
  const { incident } = report.record;
  const measurement: Measurement = {
    ended,
    loss: copy.references && measureLoss(ledger, copy.references, incident.detectedAt, report.timeline),
    unread: copy.failure,
    acknowledged: ledger.entries.length,
    failures: ledger.failures.length,
    clockFactor: drillClockFactor,
    mails: mailsOf(installation),
  };
  const directory = options.output ?? join('reports', incident.id);
  mkdirSync(directory, { recursive: true });
  const judged = writeReports(report, measurement, directory);
  if (options.json) print(judged.report);
  else showOutcome(judged, measurement, directory, screen);
  return judged.objections.length === 0 ? exitCodes.passed : exitCodes.failed;
}

/** A drill is worth something once data is flowing, the first baseline is in the restore window, and no alarm rings. */
export async function waitUntilWorthDrilling(
  { configuration, clients, database }: Installation,
  writers: Writers,
  screen: Screen,
): Promise<void> {
  const started = performance.now();
  // By now the sentinel has looked: what is restored from here on can be compared with its baseline.
  const preparedAt = Date.now();
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
    if (firstWrite !== undefined && restorable > Math.max(firstWrite, preparedAt) && ringing.length === 0) break;
    const waitingFor =
      firstWrite === undefined
        ? `a first write (${writers.ledger.failures.at(-1)?.reason ?? 'none tried'})`
        : ringing.length > 0
          ? ringing.join(', ')
          : 'a restore window that holds the first writes and the baseline';
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

export async function executions(
  { configuration, clients }: Installation,
  scenario: 'database' | 'cluster' | 'configuration' = 'database',
) {
  const { region } = configuration.primary;
  const stateMachineArn = namesOf(configuration).stateMachineArn(region, `${scenario}-recovery`);
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

interface ReadCopy {
  references?: ReadonlySet<string>;
  failure?: string;
}

/**
 * Reads what the copy holds at the moment of its deletion: the drill tears it down by itself, and this measurement must
 * neither ask the product for anything nor hurry it.
 */
function readCopyBeforeItGoes({ cloud, configuration, clients, database }: Installation): ReadCopy {
  const result: ReadCopy = {};
  const { drillPrefix, name } = configuration.database;
  async function read(DBInstanceIdentifier: string | undefined): Promise<ReadonlySet<string>> {
    const { DBInstances } = await clients.rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
    const { Address: address = '', Port: port = 0 } = DBInstances?.[0]?.Endpoint ?? {};
    const copy = await connect({ address, port, master: database.master }, name, cloud.certificateAuthority);
    return presentReferences(copy).finally(() => copy.end());
  }
  cloud.faults.inject({
    service: 'rds',
    operation: 'DeleteDBInstance',
    where: ({ DBInstanceIdentifier }: { DBInstanceIdentifier?: string }) =>
      DBInstanceIdentifier?.startsWith(drillPrefix) ?? false,
    times: 1,
    effect: {
      kind: 'hold',
      until: async ({ DBInstanceIdentifier }: { DBInstanceIdentifier?: string }) => {
        try {
          result.references = await read(DBInstanceIdentifier);
        } catch (error) {
          result.failure = error instanceof Error ? error.message : String(error);
        }
      },
    },
  });
  return result;
}
