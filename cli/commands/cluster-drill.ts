/** `dr drill --scenario cluster`: the quarterly cluster recovery test on the embedded cloud, from the schedule to the report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { namesOf } from '../../config/names.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import { renderReport } from '../../core/evidence/render-html.ts';
import { incidentId, requestKey } from '../../core/incident/identifiers.ts';
import type { Clients as Writers } from '../../workload/clients/clients.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Ended, follow } from '../follow.ts';
import { type Installation, mailsOf } from '../installation.ts';
import { type DrillOptions, drillClockFactor } from '../options.ts';
import { refusalOf, showOutcome, showRefusal } from '../outcome.ts';
import { fetchReport } from '../report.ts';
import { duration, type Screen } from '../screen.ts';
import { executions, onCloudOfItsOwn, print } from './drill.ts';

/** Runs the drill and returns the exit code; cleans up on every path. */
export const clusterDrill = (options: DrillOptions): Promise<ExitCode> =>
  onCloudOfItsOwn(options, 'Cluster drill', 'where terraform, kubectl and aws are STAND-INs', rehearse);

async function rehearse(
  installation: Installation,
  writers: Writers,
  options: DrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, cloud, clients } = installation;
  const names = namesOf(configuration);
  const { rtoSeconds } = configuration.objectives;
  const schedule = names.schedule('cluster-drill');
  screen.heading(`The schedule ${schedule} fires; the RTO clock starts (objective ${duration(rtoSeconds)})`);
  await cloud.fireSchedule(schedule, configuration.primary.region);
  const executionArn = await started(installation);
  const { startDate } = await clients.sfn.send(new DescribeExecutionCommand({ executionArn }));
  const incident = incidentId('drill', startDate?.toISOString() ?? '', requestKey({}, executionArn));
  const table = names.incidentTable;
  const ended = await follow({ executionArn, incidentId: incident, table, mode: 'drill', rtoSeconds }, clients, screen);
  await writers.stop();
  const report = await fetchReport(clients, table, incident);
  if (report) return conclude(installation, writers, { report, ended }, options, screen);
  const refusal = refusalOf(ended);
  if (options.json) print(refusal);
  else showRefusal(refusal, screen);
  return exitCodes.failed;
}

async function started(installation: Installation): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const [fresh] = await executions(installation, 'cluster');
    if (fresh?.executionArn) return fresh.executionArn;
    await sleep(50);
  }
  throw new Error('The schedule fired, and no execution started: see the dead letters of the schedules');
}

async function conclude(
  installation: Installation,
  { ledger }: Writers,
  { report, ended }: { readonly report: Report; readonly ended: Ended },
  options: DrillOptions,
  screen: Screen,
): Promise<ExitCode> {
  const { configuration, cloud } = installation;
  const { failure, objectives, record } = report;
  const mails = mailsOf(installation);
  const { clusters } = await cloud.call<{ clusters: string[] }>(
    'eks',
    'ListClusters',
    {},
    configuration.primary.region,
  );
  const left = clusters.filter((name) => name !== configuration.cluster.primary.cluster);
  const objections = [
    ...(failure ? [`${failure.step ?? 'The drill'} failed: ${failure.name}`] : []),
    ...(!failure && ended.status !== 'SUCCEEDED' ? [`the drill ended ${ended.status}`] : []),
    ...objectives.filter(({ met }) => met === 'missed').map(({ name }) => `the objective ${name} is missed`),
    ...(left.length > 0 ? [`the drill left ${left.join(', ')} behind`] : []),
    ...(ledger.failures.length > 0 ? [`${ledger.failures.length} requests of production’s clients failed`] : []),
    ...(mails.length === 0 ? ['nobody was told'] : []),
  ];
  const measured: Report['measured'] = {
    by: 'the ledger of the workload’s clients, and EKS',
    clockFactor: drillClockFactor,
    facts: [
      {
        label: 'acknowledged writes',
        value: ledger.entries.length,
        note: 'by production, which a drill does not touch',
      },
      { label: 'failed requests', value: ledger.failures.length, note: 'must be 0' },
      { label: 'clusters left behind', value: left.length, note: 'must be 0' },
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
