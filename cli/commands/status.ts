/** `dr status`: what is production, whether a recovery runs, what rings, how the last drills went. */
import { DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import type { ActiveDatabase, Approval, IncidentRecord, Lease, StepRecord } from '../../core/incident/contracts.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Operator, operatorAt } from '../operator.ts';
import type { OperatorOptions } from '../operator-options.ts';
import { listIncidents, readActiveDatabase, readApproval, readLease } from '../records.ts';
import { duration, Screen } from '../screen.ts';
import { readSteps } from '../timeline.ts';

export interface Status {
  readonly active: ActiveDatabase | undefined;
  readonly lease: Lease | undefined;
  /** Newest first. */
  readonly incidents: readonly IncidentRecord[];
  /** Of the incident that is open. */
  readonly steps: readonly StepRecord[];
  readonly approval: Approval | undefined;
  readonly ringing: readonly Pick<MetricAlarm, 'AlarmName' | 'StateUpdatedTimestamp'>[];
}

const drillsShown = 3;

/** Exit 0, whatever the state: it was told. */
export async function status(options: OperatorOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const screen = new Screen();
  screen.heading(`${operator.configuration.environment}, seen from ${operator.region}`);
  screen.table(statusRows(await readStatus(operator)));
  return exitCodes.passed;
}

async function readStatus({ here, dr, names }: Operator): Promise<Status> {
  const [active, lease, incidents, { MetricAlarms = [] }] = await Promise.all([
    readActiveDatabase(dr.dynamodb, names.controlTable),
    readLease(dr.dynamodb, names.controlTable),
    listIncidents(here.dynamodb, names.incidentTable, 50),
    here.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${names.prefix}-`, StateValue: 'ALARM' })),
  ]);
  const open = incidents.find(({ status }) => status === 'open')?.incident.id;
  const [steps, approval] = await Promise.all([
    open === undefined ? [] : readSteps(here.dynamodb, names.incidentTable, open),
    open === undefined ? undefined : readApproval(dr.dynamodb, names.controlTable, open),
  ]);
  return { active, lease, incidents, steps, approval, ringing: MetricAlarms };
}

export function statusRows({ active, lease, incidents, steps, approval, ringing }: Status): string[][] {
  const open = incidents.find(({ status }) => status === 'open');
  const drills = incidents.filter(({ incident, status }) => incident.mode === 'drill' && status !== 'open');
  return [
    ['', '', ''],
    [
      'active database',
      active?.identifier ?? 'not registered',
      active ? `${active.region}, epoch ${active.epoch}, since ${active.since}` : 'invoke register-database',
    ],
    ['lease', lease?.incidentId ?? 'free', lease ? `${lease.mode} in ${lease.region}, since ${lease.takenAt}` : ''],
    ['open incident', open?.incident.id ?? 'none', open ? describeWork(steps) : ''],
    ...(open && approval && !approval.decision ? [approvalRow(approval)] : []),
    ...(ringing.length === 0 ? [['alarms', 'quiet', '']] : ringing.map(alarmRow)),
    ...(drills.length === 0 ? [['last drills', 'none', '']] : drills.slice(0, drillsShown).map(drillRow)),
  ];
}

function describeWork(steps: readonly StepRecord[]): string {
  const current = steps.findLast(({ finishedAt, piece }) => finishedAt === undefined && piece === undefined);
  return current ? `${current.step}: ${current.summary}` : 'between two steps';
}

const approvalRow = ({ incidentId, expiresAt }: Approval) => [
  'approval wanted',
  `until ${expiresAt}`,
  `npm run dr -- approve ${incidentId} --reason "…"`,
];

const alarmRow = ({ AlarmName = '', StateUpdatedTimestamp }: Status['ringing'][number], index: number) => [
  index === 0 ? 'alarms' : '',
  AlarmName,
  StateUpdatedTimestamp ? `rings since ${StateUpdatedTimestamp.toISOString()}` : 'rings',
];

function drillRow({ incident, status, achieved, closedAt }: IncidentRecord, index: number): string[] {
  const { rtoSeconds, rpoSeconds } = achieved;
  const said = (name: string, value: number | undefined) =>
    `${name} ${value === undefined ? 'unknown' : duration(value)}`;
  return [
    index === 0 ? 'last drills' : '',
    incident.id,
    `${status === 'closed' ? 'passed' : status} ${closedAt ?? ''}, ${said('RTO', rtoSeconds)}, ${said('RPO', rpoSeconds)}`,
  ];
}
