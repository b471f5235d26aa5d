/** `dr status`: what is production, whether a recovery runs and what it asks, what rings, how the last drills went. */
import { DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { currentStep, drillsOfForecast, forecast } from '../../core/communications/progress.ts';
import type { DebtRecord } from '../../core/configuration/contracts.ts';
import type {
  ActiveDatabase,
  Approval,
  IncidentRecord,
  Lease,
  StepRecord,
  TrendPoint,
} from '../../core/incident/contracts.ts';
import { databaseAlarmPrefix } from '../../core/incident/identifiers.ts';
import { debtText } from '../debt-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { ofExecution } from '../follow.ts';
import { dr as hint, drIn as hintIn } from '../hints.ts';
import { type Operator, operatorAt } from '../operator.ts';
import type { OperatorOptions } from '../operator-options.ts';
import { answers, questionLines } from '../question.ts';
import {
  listDecisions,
  listDrillTrend,
  listIncidents,
  readActiveDatabase,
  readApproval,
  readDebt,
  readLease,
  type TriageRecord,
} from '../records.ts';
import { clock, duration, Screen } from '../screen.ts';
import { readSteps } from '../timeline.ts';
import { troubleOf } from '../trouble.ts';

export interface Status {
  readonly environment: string;
  readonly active: ActiveDatabase | undefined;
  readonly lease: Lease | undefined;
  /** Newest first. */
  readonly incidents: readonly IncidentRecord[];
  /** Of the incident that is open, by the execution that works on it. */
  readonly steps: readonly StepRecord[];
  readonly approval: Approval | undefined;
  readonly ringing: readonly Pick<MetricAlarm, 'AlarmName' | 'StateUpdatedTimestamp'>[];
  /** Of triage, newest first. */
  readonly decisions: readonly TriageRecord[];
  /** The drills that a forecast rests on, newest first. */
  readonly drills: readonly TrendPoint[];
  /** What Terraform still believes; absent: nothing that production is not. */
  readonly debt?: DebtRecord | undefined;
  /** Regions that did not answer: what they keep is unknown. */
  readonly silent: readonly string[];
}

const drillsShown = 3;
/** A failure that is older is history. */
const recentMs = 24 * 3_600_000;

/** Exit 0, whatever the state: it was told. 3: a Region did not answer, so that part of it is unknown. */
export async function status(options: OperatorOptions): Promise<ExitCode> {
  const operator = await operatorAt(options);
  const screen = new Screen();
  const now = Date.now();
  const state = await readStatus(operator);
  screen.heading(`${state.environment}, seen from ${operator.region} at ${clock(new Date(now).toISOString())}`);
  screen.line();
  screen.pairs(statusRows(state, now));
  screen.heading('Next');
  for (const line of nextSteps(state, now)) screen.text(line);
  return state.silent.length === 0 ? exitCodes.passed : exitCodes.broken;
}

/** Throws where neither Region answers. */
export async function readStatus({ configuration, region, here, dr, names }: Operator): Promise<Status> {
  const { environment } = configuration;
  const silent = new Set<string>();
  const orNothing = <T, N>(at: string, read: Promise<T>, nothing: N): Promise<T | N> =>
    read.catch((error: unknown) => {
      if (!troubleOf(error, process.env.AWS_ENDPOINT_URL)?.isSilence) throw error;
      silent.add(at);
      if (silent.has(region) && silent.has(configuration.dr.region)) throw error;
      return nothing;
    });
  const ofHere = <T, N>(read: Promise<T>, nothing: N) => orNothing(region, read, nothing);
  const ofDr = <T>(read: Promise<T>) => orNothing(configuration.dr.region, read, undefined);
  const inAlarm = new DescribeAlarmsCommand({ AlarmNamePrefix: `${names.prefix}-`, StateValue: 'ALARM' });
  const [active, lease, incidents, { MetricAlarms = [] }, decisions, drills] = await Promise.all([
    ofDr(readActiveDatabase(dr.dynamodb, names.controlTable)),
    ofDr(readLease(dr.dynamodb, names.controlTable)),
    ofHere(listIncidents(here.dynamodb, names.incidentTable, 50), []),
    ofHere(here.cloudwatch.send(inAlarm), { MetricAlarms: [] }),
    ofHere(listDecisions(here.dynamodb, names.incidentTable, 10), []),
    ofHere(listDrillTrend(here.dynamodb, names.incidentTable, drillsOfForecast), []),
  ]);
  const open = openIncident({ incidents, lease })?.incident;
  const [steps, approval, debt] = await Promise.all([
    open ? readSteps(here.dynamodb, names.incidentTable, open.id) : [],
    open ? ofDr(readApproval(dr.dynamodb, names.controlTable, open.id)) : undefined,
    active ? ofDr(readDebt(dr.dynamodb, names.controlTable, active.resourceId)) : undefined,
  ]);
  return {
    environment,
    active,
    lease,
    incidents,
    steps: open ? ofExecution(steps, open.executionArn) : [],
    approval: approval?.executionArn === open?.executionArn ? approval : undefined,
    ringing: MetricAlarms,
    decisions,
    drills,
    debt: debt?.closedAt === undefined ? debt : undefined,
    silent: [...silent],
  };
}

/** The incident that is being worked on: whose lease it is, or else the newest that is open. */
function openIncident({ incidents, lease }: Pick<Status, 'incidents' | 'lease'>): IncidentRecord | undefined {
  const open = incidents.filter(({ status }) => status === 'open');
  return open.find(({ incident }) => incident.id === lease?.incidentId) ?? open[0];
}

/** The question that waits for an answer. */
const askedNow = (approval: Approval | undefined, now: number): Approval | undefined =>
  approval && approval.decision === undefined && now < Date.parse(approval.expiresAt) ? approval : undefined;

type Row = readonly [label: string, text: string];

/** `now`: epoch milliseconds. */
export function statusRows(state: Status, now: number): Row[] {
  const { active, lease, incidents, ringing } = state;
  const open = openIncident(state);
  const others = incidents.filter((each) => each.status === 'open' && each !== open);
  const closed = incidents.filter(({ status }) => status !== 'open');
  const last = closed.find(({ incident }) => incident.mode === 'recovery');
  const drills = closed.filter(({ incident }) => incident.mode === 'drill').slice(0, drillsShown);
  return [
    ...labelled(
      'UNKNOWN',
      state.silent.map((region) => `${region} does not answer: what it keeps is missing below`),
    ),
    [
      'production',
      active
        ? `${active.identifier} in ${active.region}, epoch ${active.epoch}, since ${clock(active.since)}`
        : state.silent.length > 0
          ? 'unknown'
          : 'not registered: no recovery can start',
    ],
    ...(state.debt ? ([['terraform debt', debtText(state.debt)]] as const) : []),
    ...(open
      ? openRows(open, state, now)
      : ([['recovery', state.silent.length > 0 ? 'unknown' : 'none is running']] as const)),
    ...others.map(({ incident }): Row => ['also open', `${incident.id}: nobody works on it; the clean-up closes it`]),
    ...(lease && lease.incidentId !== open?.incident.id
      ? ([['lease', `held by ${lease.incidentId} since ${clock(lease.takenAt)}`]] as const)
      : []),
    ...(ringing.length === 0
      ? ([['alarms', state.silent.length > 0 ? 'unknown' : 'quiet']] as const)
      : labelled('alarms', ringing.map(alarmText))),
    ...(ringing.length > 0 && !open ? decisionRows(state) : []),
    ...(last ? ([['last recovery', endedText(last)]] as const) : []),
    ...labelled('last drills', drills.length === 0 ? ['none'] : drills.map(endedText)),
  ];
}

const labelled = (label: string, texts: readonly string[]): Row[] =>
  texts.map((text, index) => [index === 0 ? label : '', text]);

function openRows(
  { incident, objectives, recoveredAt }: IncidentRecord,
  { steps, approval, drills }: Status,
  now: number,
): Row[] {
  const { id, mode, reason, detectedAt, trigger } = incident;
  const elapsed = Math.max(0, now - Date.parse(detectedAt)) / 1000;
  const current = currentStep(steps);
  const asking = askedNow(approval, now);
  const begun = asking ? now : Date.parse(approval?.decision?.at ?? detectedAt);
  const worked = {
    elapsedSeconds: elapsed,
    workedSeconds: Math.max(0, now - begun) / 1000,
    rtoSeconds: objectives.rtoSeconds,
  };
  return [
    [mode, `${id}: ${reason}`],
    [
      '',
      recoveredAt
        ? `the application is healthy since ${clock(recoveredAt)}; the rest follows by itself`
        : `${duration(elapsed)} of the RTO of ${duration(objectives.rtoSeconds)}, since ${clock(detectedAt)} (${trigger.name ?? trigger.kind})`,
    ],
    ...(recoveredAt
      ? []
      : ([
          ['forecast', `${asking && drills.length > 0 ? 'if approved now: ' : ''}${forecast(drills, worked)}`],
        ] as const)),
    ...(asking
      ? labelled('approval wanted', questionLines(asking, now))
      : ([['now', current ? `${current.step}: ${current.summary}` : 'between two steps']] as const)),
  ];
}

const alarmText = ({ AlarmName = '', StateUpdatedTimestamp: since }: Status['ringing'][number]) =>
  `${AlarmName} rings${since ? ` since ${clock(since.toISOString())}` : ''}`;

function decisionRows({ decisions, ringing }: Status): Row[] {
  const names = ringing.map(({ AlarmName }) => AlarmName);
  const [newest] = decisions.filter(({ alarm }) => names.includes(alarm));
  if (!newest) return [['triage', 'has decided nothing about them']];
  const { at, verdict, reasons } = newest;
  return [['triage', `${verdict} at ${clock(at)}, because ${reasons.join('; ')}`]];
}

function endedText({ incident, status, achieved, closedAt, outcome }: IncidentRecord): string {
  const said = (name: string, value: number | undefined) => (value === undefined ? [] : [`${name} ${duration(value)}`]);
  return [
    `${incident.id} ${status === 'closed' ? 'passed' : 'FAILED'}${closedAt ? ` ${clock(closedAt)}` : ''}`,
    ...said('RTO', achieved.rtoSeconds),
    ...said('RPO', achieved.rpoSeconds),
    ...(status === 'failed' && outcome ? [outcome] : []),
  ].join(', ');
}

/** What a person does now, with what to type. */
export function nextSteps(state: Status, now: number): string[] {
  const { environment, active, lease, approval, incidents, ringing } = state;
  const open = openIncident(state)?.incident;
  const start = hint(`start --mode recovery --confirm ${environment} --reason "…"`);
  if (open) {
    const asking = askedNow(approval, now);
    return [
      ...(asking ? answers(asking) : []),
      hint(`watch ${open.id}`),
      ...(asking ? [] : [`To stop it: ${hint(`cancel ${open.id} --reason "…"`)}`]),
    ];
  }
  const [silent] = state.silent;
  if (silent !== undefined)
    return [
      `Look at the AWS Health Dashboard for ${silent}, and from another network.`,
      ...(lease ? [`A recovery holds the lease: ${lease.incidentId}.`] : []),
      'Approvals are answered by the DR Region alone: npm run dr -- approve and decline work where that one answers.',
    ];
  // A failover runs where production is to be.
  if (lease && active && lease.region !== active.region)
    return [`The recovery runs in ${lease.region}: ${hintIn(lease.region, environment, `watch ${lease.incidentId}`)}`];
  if (!active) return ['Invoke the function database/register-database once (docs/deploy.md).'];
  const last = incidents.find(({ incident }) => incident.mode === 'recovery');
  const failed = last?.status === 'failed' && now - Date.parse(last.closedAt ?? '') < recentMs ? last : undefined;
  const again = failed ? [`To take up the last recovery again: ${hint(`retry ${failed.incident.id}`)}`] : [];
  const owed = state.debt ? [`Terraform would undo the cut-over: ${hint('debt')}`] : [];
  if (ringing.length === 0) return failed || state.debt ? [...again, ...owed] : ['Nothing to do.'];
  const isDatabases = ringing.some(({ AlarmName }) => AlarmName?.startsWith(databaseAlarmPrefix(environment)));
  if (!isDatabases)
    return [
      ...again,
      `No alarm tells of a lost database: docs/runbooks has one heading for each alarm. See ${hint('readiness')}`,
    ];
  return [
    'Look at the database now: docs/runbooks has one heading for each alarm.',
    ...again,
    `To recover it: ${start}`,
  ];
}
