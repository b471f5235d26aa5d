/** `dr drill --mode recovery`: production is destroyed under load on the embedded cloud, and comes back by itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { configurationOf } from '../../config/index.ts';
import { namesOf } from '../../config/names.ts';
import { renderReport } from '../../core/evidence/render-html.ts';
import type { Approval, IncidentRecord, RestoreTo } from '../../core/incident/contracts.ts';
import type { RdsService } from '../../local/services/rds/index.ts';
import type { Clients as Writers } from '../../workload/clients/clients.ts';
import type { Prober } from '../../workload/clients/prober.ts';
import { disasters } from '../../workload/disasters/index.ts';
import { decide } from '../approval.ts';
import { ask, canAsk, confirm } from '../ask.ts';
import { type Clients, clientsOf, invoke } from '../clients.ts';
import { checkConfiguration, compareWithGit, isSeenByComparison } from '../configuration-rehearsal.ts';
import { type ExitCode, exitCodes, UsageError } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { connect, type Installation, install, mailsOf } from '../installation.ts';
import { readMissed, showMissed } from '../missed.ts';
import { type DrillOptions, drillClockFactor } from '../options.ts';
import { print, refusalOf, showOutcome, showRefusal } from '../outcome.ts';
import { probe, readProduction } from '../production.ts';
import { questionLines } from '../question.ts';
import { listIncidents, listLooks, readApproval } from '../records.ts';
import { costOf, type RecoveryMeasurement, recoveryMeasured, recoveryObjections } from '../recovery-measure.ts';
import { fetchReport } from '../report.ts';
import { duration, Screen } from '../screen.ts';
import { clusterOf, configurationOf as ownConfigurationOf } from '../victim.ts';
import { executions, makeDirectory, waitUntilWorthDrilling, writeAllTheTime } from './drill.ts';

export type RecoveryDrillOptions = DrillOptions & { readonly disaster: string };
type Scenario = 'database' | 'cluster' | 'configuration';

/** How long the alarms may take: three silent periods of the slowest, and the sentinel's round over every index. */
const detectionMs = 240_000;
/** How long clients may take to go on once the recovery says that the application is healthy. */
const goOnMs = 30_000;
/** Runs the rehearsal and returns the exit code; cleans up on every path. */
export async function recoveryDrill(options: RecoveryDrillOptions): Promise<ExitCode> {
  requireAnswers(options);
  const { scenario } = options;
  if (scenario === 'region') throw new UsageError('--scenario region is rehearsed by both Regions, not by one.');
  if (configurationOf(options.environment).automatic[scenario] === 'off')
    throw new UsageError(
      `--environment ${options.environment}: no alarm starts a recovery there (automatic.${scenario} is off), so there is nothing to rehearse. Give one that asks, such as production.`,
    );
  const screen = new Screen({ silent: options.json });
  if (options.output !== undefined) makeDirectory(options.output);
  screen.heading(`Recovery of production, ${options.environment}: on one machine, with real PostgreSQL`);
  let installation: Installation | undefined;
  let writers: Writers | undefined;
  let prober: Prober | undefined;
  try {
    installation = await install({
      environment: options.environment,
      rows: options.rows,
      clockFactor: drillClockFactor,
      onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
      onStart: (names) => screen.living(names.length > 0 ? `  … ${names.join(', ')}` : ''),
    });
    const { apiUrl, traffic } = installation;
    // Where a record is lost, only who asks for it feels that.
    writers = scenario === 'configuration' ? writeAllTheTime(traffic.url, traffic.resolver()) : writeAllTheTime(apiUrl);
    await waitUntilWorthDrilling(installation, writers, screen);
    await watchForAWhile(installation, scenario);
    prober = probe(installation);
    return await rehearse(installation, { writers, prober }, options, screen);
  } finally {
    screen.living('');
    await prober?.stop();
    await writers?.stop();
    await installation?.stop();
  }
}

/** A recovery asks, and somebody must be there to answer. */
export function requireAnswers({ yes, json }: Pick<DrillOptions, 'yes' | 'json'>): void {
  if (!yes && (json || !canAsk()))
    throw new UsageError('--yes is missing, and there is no terminal to ask for the approval on. Give --yes.');
}

interface Watchers {
  readonly writers: Writers;
  readonly prober: Prober;
}

/**
 * A disaster strikes a database that has been watched for a while: the restore point before it is the begin of the last
 * sound look, and what is restored there is compared with the look before that one. Of configuration, the last good night.
 */
async function watchForAWhile(installation: Installation, scenario: Scenario): Promise<void> {
  const { configuration, clients } = installation;
  if (scenario === 'configuration') return checkConfiguration(installation);
  const look = namesOf(configuration).lambda('database/look-for-damage');
  for (const _ of ['baseline', 'bound']) await invoke(clients.lambda, look, {});
}

async function rehearse(
  installation: Installation,
  watchers: Watchers,
  options: RecoveryDrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, clients } = installation;
  const { incidentTable } = namesOf(configuration);
  const { rtoSeconds } = configuration.objectives;
  const scenario = options.scenario === 'region' ? 'database' : options.scenario;
  const before = new Set(await recoveries(installation, scenario));
  const disaster = await strike(installation, options.disaster, screen);
  if (isSeenByComparison(options.disaster)) await compareWithGit(installation);
  const begun = await detected(installation, before, scenario, screen);
  if (begun === undefined) {
    const missed = await readMissed(installation, disaster.struckAt, detectionMs / 1000);
    if (options.json) print(missed);
    else showMissed(missed, screen);
    return exitCodes.failed;
  }
  const { executionArn, record } = begun;
  if (!record) {
    const { status = '', error, cause } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
    const refusal = { ...refusalOf({ status, error, cause }), outcome: 'The recovery did not start' };
    if (options.json) print(refusal);
    else showRefusal(refusal, screen);
    return exitCodes.failed;
  }
  const { id, detectedAt, trigger } = record.incident;
  screen.heading(
    `${trigger.name ?? trigger.kind} rang ${duration(Math.max(0, Date.parse(detectedAt) - disaster.struckAt) / 1000)} after; the RTO clock starts (objective ${duration(rtoSeconds)})`,
  );
  const ended = await follow(
    {
      executionArn,
      incidentId: id,
      table: incidentTable,
      mode: 'recovery',
      rtoSeconds,
      detectedAt,
      question: {
        asked: () => answerApproval(installation, id, disaster.struckAt, options, screen),
        answered: async () => undefined,
      },
    },
    clients,
    screen,
  );
  await clientsGoOn(watchers.writers, screen);
  await watchers.writers.stop();
  await watchers.prober.stop();
  return conclude(installation, watchers, { id, ended, disaster }, options, screen);
}

/** Destroys production with what a careless person, a disk or a host has; the product is not told. */
async function strike(
  installation: Installation,
  name: string,
  screen: Screen,
): Promise<RecoveryMeasurement['disaster']> {
  const { configuration, cloud, database } = installation;
  const disaster = disasters[name];
  if (!disaster) throw new UsageError(`--disaster ${name} is not known.`);
  const { identifier, name: databaseName } = configuration.database;
  const { region } = configuration.primary;
  const server = (cloud.service('rds', region) as RdsService).clusterOf(identifier);
  if (!server) throw new Error(`${identifier} has no server`);
  const master = await connect(database, databaseName, cloud.certificateAuthority);
  // The server may end under this very session.
  master.on('error', () => undefined);
  const struckAt = Date.now();
  try {
    const goDark = () => cloud.goDark(region);
    const cluster = clusterOf(configuration, cloud);
    const own = ownConfigurationOf(configuration, installation);
    const done = await disaster.strike({ master, server, cluster, configuration: own, goDark });
    screen.heading(`Disaster: ${disaster.title} (${done})`);
    return { title: disaster.title, done, struckAt };
  } finally {
    await master.end().catch(() => undefined);
  }
}

interface Begun {
  readonly executionArn: string;
  /** Undefined where it ended without one. */
  readonly record: IncidentRecord | undefined;
}

/** Executions of what may bring it back: who deletes a cluster deletes its node groups before, which is a change of configuration. */
async function recoveries(installation: Installation, scenario: Scenario): Promise<string[]> {
  const machines = scenario === 'cluster' ? (['cluster', 'configuration'] as const) : [scenario];
  const found = await Promise.all(machines.map((machine) => executions(installation, machine)));
  return found.flat().map(({ executionArn = '' }) => executionArn);
}

const begunSince = async (installation: Installation, before: ReadonlySet<string>, scenario: Scenario) =>
  (await recoveries(installation, scenario)).filter((arn) => !before.has(arn));

/** What the signals started: where one of two was refused, the other, which is at work. Undefined where nothing began in time. */
async function detected(
  installation: Installation,
  before: ReadonlySet<string>,
  scenario: Scenario,
  screen: Screen,
): Promise<Begun | undefined> {
  const started = performance.now();
  while (performance.now() - started < detectionMs) {
    const fresh = await begunSince(installation, before, scenario);
    const begun = await Promise.all(fresh.map((arn) => openedIncident(installation, arn)));
    const atWork = begun.find(({ record }) => record !== undefined);
    if (atWork) return atWork;
    // Who was refused was so by another, which may have begun meanwhile.
    if (begun[0] && (await begunSince(installation, before, scenario)).length === fresh.length) return begun[0];
    screen.living(`  … ${duration((performance.now() - started) / 1000)}, nothing has started a recovery yet`);
    await sleep(100);
  }
  screen.living('');
  return undefined;
}

/** Waits until an execution has opened its incident, or has ended without one. */
async function openedIncident({ configuration, clients }: Installation, executionArn: string): Promise<Begun> {
  const { incidentTable } = namesOf(configuration);
  for (;;) {
    const { status } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
    const records = await listIncidents(clients.dynamodb, incidentTable, 5);
    const record = records.find(({ incident }) => incident.executionArn === executionArn);
    if (record || status !== 'RUNNING') return { executionArn, record };
    await sleep(100);
  }
}

/** Answers the question as a person does, until it is decided or expired. */
export async function answerApproval(
  { configuration, connection }: Installation,
  incident: string,
  struckAt: number,
  options: RecoveryDrillOptions,
  screen: Screen,
): Promise<void> {
  const names = namesOf(configuration);
  const dr: Clients = clientsOf(connection, configuration.dr.region);
  for (;;) {
    const approval = await readApproval(dr.dynamodb, names.controlTable, incident);
    const leftMs = Date.parse(approval?.expiresAt ?? '') - Date.now();
    if (!approval || approval.decision || !(leftMs > 0)) return;
    showQuestion(approval, screen);
    const over = AbortSignal.timeout(leftMs);
    const decision = await decisionOn(approval, struckAt, options, over);
    if (over.aborted) return;
    const answer = await decide(dr.lambda, names.lambda('incident/decide-approval'), { incident, ...decision });
    screen.item(answer.status === 200 ? 'good' : 'bad', 'RequestApproval', undefined, answer.message);
    if (answer.status === 200 || answer.status === 409) return;
    if (options.yes) throw new Error(`The approval was refused: ${answer.message}`);
  }
}

function showQuestion(approval: Approval, screen: Screen): void {
  screen.living('');
  screen.heading('Approval wanted');
  for (const line of questionLines(approval, Date.now())) screen.text(line);
}

type Answered = { readonly decision: 'approve' | 'decline'; readonly reason: string; readonly restoreTo?: RestoreTo };

async function decisionOn(
  { plan }: Approval,
  struckAt: number,
  { yes, disaster }: RecoveryDrillOptions,
  over: AbortSignal,
): Promise<Answered> {
  const reason = `rehearsal of ${disaster}`;
  // Who made the disaster knows when: the moment before it.
  const chosen = new Date(struckAt - 1000).toISOString();
  const choice = plan.restorePoint === undefined && plan.changes === undefined ? { restoreTo: chosen } : {};
  if (yes) return { decision: 'approve', reason, ...choice };
  if (!(await confirm('Approve?', over))) return { decision: 'decline', reason: 'declined on the terminal' };
  if (plan.restorePoint !== undefined || plan.changes !== undefined) return { decision: 'approve', reason };
  const restoreTo = await ask(`Restore to which time? [${chosen}] `, over);
  return { decision: 'approve', reason, restoreTo: restoreTo || chosen };
}

/** A second of writes that succeed, or the time is up: then the report says so. */
export async function clientsGoOn({ ledger }: Writers, screen: Screen): Promise<void> {
  const started = performance.now();
  const begun = ledger.entries.length;
  while (ledger.entries.length < begun + 50 && performance.now() - started < goOnMs) {
    screen.living('  … waiting for clients to go on');
    await sleep(100);
  }
  screen.living('');
}

interface Happened {
  readonly id: string;
  readonly ended: Ended;
  readonly disaster: RecoveryMeasurement['disaster'];
}

async function conclude(
  installation: Installation,
  { writers: { ledger }, prober }: Watchers,
  { id, ended, disaster }: Happened,
  options: RecoveryDrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, clients } = installation;
  const { incidentTable } = namesOf(configuration);
  const report = await fetchReport(clients, incidentTable, id);
  if (!report) throw new Error(`The incident ${id} has no record`);
  const { struckAt } = disaster;
  let unread: string | undefined;
  const present = await readProduction(installation).catch((error: unknown) => {
    unread = error instanceof Error ? error.message : String(error);
    return undefined;
  });
  const measurement: RecoveryMeasurement = {
    ended,
    unread,
    disaster,
    cost: present && costOf({ ledger, present, struckAt, timeline: report.timeline }),
    acknowledged: ledger.entries.length,
    failures: ledger.failures.length,
    looks: (await listLooks(clients.dynamodb, incidentTable, new Date(struckAt).toISOString())).filter(
      ({ at }) => at <= (report.record.recoveredAt ?? at),
    ),
    acceptance: prober.acceptance,
    clockFactor: drillClockFactor,
  };
  const judged = {
    report: { ...report, measured: recoveryMeasured(report, measurement) },
    objections: recoveryObjections(report, measurement),
  };
  const directory = options.output ?? join('reports', id);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(judged.report, undefined, 2)}\n`);
  writeFileSync(join(directory, 'report.html'), renderReport(judged.report));
  if (options.json) print(judged.report);
  else showOutcome(judged, { mails: mailsOf(installation) }, directory, screen);
  return judged.objections.length === 0 ? exitCodes.passed : exitCodes.failed;
}
