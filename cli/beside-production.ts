/** A drill that makes something of its own beside production, by builds: followed to its end, and judged by what it left and touched. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../config/names.ts';
import type { Report } from '../core/evidence/contracts.ts';
import { renderReport } from '../core/evidence/render-html.ts';
import { incidentId, requestKey } from '../core/incident/identifiers.ts';
import type { Clients as Writers } from '../workload/clients/clients.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { type Ended, follow } from './follow.ts';
import { type Installation, mailsOf } from './installation.ts';
import { type DrillOptions, drillClockFactor } from './options.ts';
import { print, refusalOf, showOutcome, showRefusal } from './outcome.ts';
import { fetchReport } from './report.ts';
import type { Screen } from './screen.ts';

export interface Drill {
  /** The request as the execution got it: the incident is named after it. */
  readonly request: object;
  /** ARN of the execution, once it runs. */
  start(): Promise<string>;
  /** What must not be there afterwards, in words; asked when the drill is over. */
  left(): Promise<readonly { readonly what: string; readonly names: readonly string[] }[]>;
}

/** Follows it to its end, shows and keeps the report, and says whether it passed. */
export async function rehearseBeside(
  installation: Installation,
  writers: Writers,
  drill: Drill,
  options: DrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, clients } = installation;
  const { rtoSeconds } = configuration.objectives;
  const executionArn = await drill.start();
  const { startDate } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const incident = incidentId('drill', startDate?.toISOString() ?? '', requestKey(drill.request, executionArn));
  const table = namesOf(configuration).incidentTable;
  const ended = await follow({ executionArn, incidentId: incident, table, mode: 'drill', rtoSeconds }, clients, screen);
  await writers.stop();
  const report = await fetchReport(clients, table, incident);
  if (report) return conclude(installation, writers, { report, ended, left: await drill.left() }, options, screen);
  const refusal = refusalOf(ended);
  if (options.json) print(refusal);
  else showRefusal(refusal, screen);
  return exitCodes.failed;
}

/** The first execution that `list` finds. */
export async function started(list: () => Promise<readonly { readonly executionArn?: string | undefined }[]>) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const [fresh] = await list();
    if (fresh?.executionArn) return fresh.executionArn;
    await sleep(50);
  }
  throw new Error('The schedule fired, and no execution started: see the dead letters of the schedules');
}

interface Happened {
  readonly report: Report;
  readonly ended: Ended;
  readonly left: Awaited<ReturnType<Drill['left']>>;
}

function conclude(
  installation: Installation,
  { ledger }: Writers,
  { report, ended, left }: Happened,
  options: DrillOptions,
  screen: Screen,
): ExitCode {
  const { failure, objectives, record } = report;
  const mails = mailsOf(installation);
  const objections = [
    ...(failure ? [`${failure.step ?? 'The drill'} failed: ${failure.name}`] : []),
    ...(!failure && ended.status !== 'SUCCEEDED' ? [`the drill ended ${ended.status}`] : []),
    ...objectives.filter(({ met }) => met === 'missed').map(({ name }) => `the objective ${name} is missed`),
    ...left.flatMap(({ names }) => (names.length > 0 ? [`the drill left ${names.join(', ')} behind`] : [])),
    ...(ledger.failures.length > 0 ? [`${ledger.failures.length} requests of production’s clients failed`] : []),
    ...(mails.length === 0 ? ['nobody was told'] : []),
  ];
  const measured: Report['measured'] = {
    by: 'the ledger of the workload’s clients, and the cloud’s own API',
    clockFactor: drillClockFactor,
    facts: [
      {
        label: 'acknowledged writes',
        value: ledger.entries.length,
        note: 'by production, which a drill does not touch',
      },
      { label: 'failed requests', value: ledger.failures.length, note: 'must be 0' },
      ...left.map(({ what, names }) => ({ label: `${what} left behind`, value: names.length, note: 'must be 0' })),
      {
        label: 'tools',
        value: 'STAND-IN',
        note: 'no terraform, kubectl or aws ran: small programs compare a JSON desired state',
      },
    ],
  };
  const judged = { report: { ...report, measured }, objections };
  const directory = options.output ?? join('reports', record.incident.id);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(judged.report, undefined, 2)}\n`);
  writeFileSync(join(directory, 'report.html'), renderReport(judged.report));
  if (options.json) print(judged.report);
  else showOutcome(judged, { mails }, directory, screen);
  return objections.length === 0 ? exitCodes.passed : exitCodes.failed;
}
