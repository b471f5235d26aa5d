/**
 * `dr drill --scenario region`, and with `--mode recovery`: production moves to the DR Region under load, because the primary
 * is lost or is to be left, and comes home again.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import { renderReport } from '../../core/evidence/render-html.ts';
import { disasters } from '../../workload/disasters/index.ts';
import { clientsOf } from '../clients.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { type Installation, install, mailsOf, switchAlarmRule } from '../installation.ts';
import type { DrillOptions } from '../options.ts';
import { print, refusalOf, showOutcome, showRefusal } from '../outcome.ts';
import { readProduction } from '../production.ts';
import { type MoveMeasurement, moveCost, moveMeasured, moveObjections } from '../region-measure.ts';
import {
  arnsOf,
  guarded,
  makeReady,
  openedBy,
  regionIn,
  startMachine,
  type Watchers,
  watchFromOutside,
} from '../region-rehearsal.ts';
import { fetchReport } from '../report.ts';
import { duration, Screen } from '../screen.ts';
import { makeDirectory, waitUntilWorthDrilling } from './drill.ts';
import { answerApproval, clientsGoOn, requireAnswers } from './recovery-drill.ts';

/** A minute of waiting becomes three seconds: what looks every minute is itself at work for one of them. */
export const regionClockFactor = 20;
/** Three looks, and the alarm's evaluation. */
const detectionMs = 120_000;
/** The Region's databases recover, and then it is the guard's next minute. */
const guardMs = 60_000;

/** Runs the rehearsal and returns the exit code; cleans up on every path. */
export async function regionDrill(options: DrillOptions): Promise<ExitCode> {
  if (options.mode === 'recovery') requireAnswers(options);
  const screen = new Screen({ silent: options.json });
  if (options.output !== undefined) makeDirectory(options.output);
  screen.heading(`The Region, ${options.environment}: both on one machine, with real PostgreSQL and DNS`);
  let installation: Installation | undefined;
  let watchers: Watchers | undefined;
  try {
    installation = await install({
      environment: options.environment,
      rows: options.rows,
      clockFactor: regionClockFactor,
      standby: true,
      onStage: (name, seconds, result) => screen.item('good', name, seconds, result),
      onStart: (names) => screen.living(names.length > 0 ? `  … ${names.join(', ')}` : ''),
    });
    watchers = watchFromOutside(installation);
    await waitUntilWorthDrilling(installation, watchers.writers, screen);
    // A scaled heartbeat that is late on a busy machine would start a recovery of a database that nobody has lost.
    await switchAlarmRule('DisableRule', installation.configuration, installation.cloud);
    await makeReady(installation);
    return await rehearse({ installation, watchers, options, screen, gone: new Set() });
  } finally {
    screen.living('');
    await watchers?.prober.stop();
    await watchers?.writers.stop();
    await installation?.stop();
  }
}

interface Stage {
  readonly installation: Installation;
  readonly watchers: Watchers;
  readonly options: DrillOptions;
  readonly screen: Screen;
  /** Acknowledged writes that a move has given up: a later one cannot lose them again. */
  readonly gone: Set<string>;
}

async function rehearse(stage: Stage): Promise<ExitCode> {
  const { options, screen, installation } = stage;
  const { environment } = options;
  if (options.mode === 'drill') {
    const executionArn = await startMachine(installation, 'region-failover', { reason: 'rehearsal' });
    return move(stage, { executionArn, title: 'a drill', style: 'ungraceful', startedAt: Date.now(), directory: '' });
  }
  const startedAt = Date.now();
  const away = options.disaster === undefined ? await switchOver(stage) : await loseRegion(stage, options.disaster);
  if (away === undefined) {
    screen.heading(screen.bad(`No alarm started a failover within ${detectionMs / 1000} s.`));
    return exitCodes.failed;
  }
  const isLost = options.disaster !== undefined;
  const title = isLost ? (disasters[options.disaster ?? '']?.title ?? '') : 'a switchover was asked for';
  const style = isLost ? 'ungraceful' : 'graceful';
  const moved = await move(stage, { executionArn: away, title, style, startedAt, directory: '', returns: isLost });
  if (moved !== exitCodes.passed) return moved;
  screen.heading('Production comes home');
  const home = await startMachine(installation, 'region-failback', {
    mode: 'recovery',
    confirm: environment,
    reason: 'rehearsal: the primary Region is well again',
  });
  return move(stage, {
    executionArn: home,
    title: 'a failback was asked for',
    style: 'graceful',
    startedAt: Date.now(),
    directory: 'failback',
  });
}

const switchOver = ({ installation, options }: Stage): Promise<string> =>
  startMachine(installation, 'region-failover', {
    mode: 'recovery',
    confirm: options.environment,
    reason: 'rehearsal of a switchover',
    style: 'graceful',
  });

/** The execution that the alarms started; undefined where none did in time. */
async function loseRegion({ installation, screen }: Stage, name: string): Promise<string | undefined> {
  const { cloud, configuration } = installation;
  const before = new Set(await arnsOf(installation, 'region-failover'));
  screen.heading(`Disaster: ${disasters[name]?.title}`);
  await cloud.goDark(configuration.primary.region);
  for (const until = performance.now() + detectionMs; performance.now() < until; await sleep(100)) {
    const fresh = (await arnsOf(installation, 'region-failover')).find((arn) => !before.has(arn));
    if (fresh !== undefined) return fresh;
    screen.living('  … no alarm has started a failover yet');
  }
  return undefined;
}

interface Move {
  readonly executionArn: string;
  readonly title: string;
  readonly style: 'graceful' | 'ungraceful';
  readonly startedAt: number;
  /** Below that of the rehearsal. */
  readonly directory: string;
  /** The Region that was lost comes back afterwards. */
  readonly returns?: boolean;
}

/** From the incident to its report: follows, answers, waits for clients and the guard, measures. */
async function move(
  stage: Stage,
  { executionArn, title, style, startedAt, directory, returns }: Move,
): Promise<ExitCode> {
  const { installation, watchers, options, screen, gone } = stage;
  const { configuration, connection, cloud } = installation;
  const { incidentTable } = namesOf(configuration);
  const { rtoSeconds } = configuration.objectives;
  const record = await openedBy(installation, executionArn);
  if (record === undefined) return refused(stage, executionArn);
  const { id, mode, detectedAt } = record.incident;
  const clients = clientsOf(connection, regionIn(executionArn));
  screen.heading(`${id}; the RTO clock runs (objective ${duration(rtoSeconds)})`);
  const ended = await follow(
    {
      executionArn,
      incidentId: id,
      table: incidentTable,
      mode,
      rtoSeconds,
      detectedAt,
      question: {
        asked: () => answerApproval(installation, id, startedAt, { ...options, disaster: title }, screen),
        answered: async () => undefined,
      },
    },
    clients,
    screen,
  );
  await clientsGoOn(watchers.writers, screen);
  if (returns) {
    screen.heading(`${configuration.primary.region} comes back`);
    await cloud.comeBack(configuration.primary.region);
  }
  const guard = returns ? await guarded(installation, startedAt, guardMs) : undefined;
  const report = await fetchReport(clients, incidentTable, id);
  if (!report) throw new Error(`The incident ${id} has no record`);
  const { ledger } = watchers.writers;
  // What is acknowledged while production is read may not be there yet.
  const seen = {
    entries: ledger.entries.filter(({ reference }) => !gone.has(reference)),
    failures: [...ledger.failures],
  };
  const present = await readProduction(installation);
  const measurement: MoveMeasurement = {
    style,
    title,
    startedAt,
    ended,
    cost: moveCost({ ledger: seen, present, startedAt, timeline: report.timeline }),
    acceptance: watchers.prober.acceptance.intervals.filter(({ last }) => last.acknowledgedAt >= startedAt),
    guard,
    clockFactor: regionClockFactor,
  };
  for (const { reference } of seen.entries) if (!present.has(reference)) gone.add(reference);
  const isDrill = mode === 'drill';
  const judged = {
    report: { ...report, measured: moveMeasured(report, measurement) },
    objections: isDrill ? drillObjections(report, ended, measurement) : moveObjections(report, measurement),
  };
  const to = join(options.output ?? join('reports', id), directory);
  mkdirSync(to, { recursive: true });
  writeFileSync(join(to, 'report.json'), `${JSON.stringify(judged.report, undefined, 2)}\n`);
  writeFileSync(join(to, 'report.html'), renderReport(judged.report));
  if (options.json) print(judged.report);
  else showOutcome(judged, { mails: mailsOf(installation) }, to, screen);
  return judged.objections.length === 0 ? exitCodes.passed : exitCodes.failed;
}

/** A drill leaves production and its clients alone: whatever they felt is an objection. */
function drillObjections(
  report: Awaited<ReturnType<typeof fetchReport>> & object,
  ended: Ended,
  { cost, acceptance }: MoveMeasurement,
): string[] {
  const own = { outage: undefined, lost: 0, missingSince: 0, keptSince: 1, servedSeconds: undefined };
  const objections = moveObjections(report, {
    style: 'graceful',
    title: '',
    startedAt: 0,
    ended,
    cost: own,
    acceptance,
    guard: undefined,
    clockFactor: 1,
  });
  const missing = cost.lost + cost.missingSince;
  return [...objections, ...(missing > 0 ? [`${missing} acknowledged writes are missing from production`] : [])];
}

async function refused({ installation, options, screen }: Stage, executionArn: string): Promise<ExitCode> {
  const { sfn } = clientsOf(installation.connection, regionIn(executionArn));
  const { status = '', error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
  const refusal = { ...refusalOf({ status, error, cause }), outcome: 'It did not start' };
  if (options.json) print(refusal);
  else showRefusal(refusal, screen);
  return exitCodes.failed;
}
