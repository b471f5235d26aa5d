/** An alarm or an RDS event: gathers what triage must know, decides, records why, tells people. */
import * as z from 'zod';
import type { RegionSettings, Settings } from '../settings.ts';
import { Moment } from './contracts.ts';
import { clusterAlarmPrefix, executionName, stateMachineName } from './identifiers.ts';
import type { Alarms, Announcer, Clock, ControlStore, Executions, IncidentStore } from './ports.ts';
import { stopDrill } from './take-lease.ts';
import { type Recovered, type Signal, type TriageDecision, triage } from './triage.ts';

const AlarmEvent = z
  .object({
    'detail-type': z.literal('CloudWatch Alarm State Change'),
    time: Moment,
    detail: z.object({ alarmName: z.string() }),
  })
  .transform(({ time, detail }): Signal => ({ kind: 'alarm', name: detail.alarmName, at: time }));

const DatabaseEvent = z
  .object({
    'detail-type': z.literal('RDS DB Instance Event'),
    time: Moment,
    detail: z.object({ EventID: z.string(), SourceIdentifier: z.string(), Message: z.string().optional() }),
  })
  .transform(
    ({ time, detail: { EventID, SourceIdentifier } }): Signal => ({
      kind: 'event',
      name: `${EventID} of ${SourceIdentifier}`,
      at: time,
      database: SourceIdentifier,
    }),
  );

/** What EventBridge delivers, as the signal that it is. */
export const DatabaseSignal = z.union([AlarmEvent, DatabaseEvent]);
/** A composite alarm over what is seen of the primary. */
export const RegionSignal = AlarmEvent;
/** Configuration has drifted. */
export const DriftSignal = AlarmEvent;

export interface TriageContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly incidents: Pick<IncidentStore, 'list' | 'recordDecision' | 'claimStart'>;
  readonly alarms: Pick<Alarms, 'state'>;
  readonly executions: Pick<Executions, 'start' | 'status' | 'stop'>;
  readonly announcer: Announcer;
}

/** What the signals of one kind are about, and where production must be for them to mean anything here. */
interface Concern {
  readonly scenario: Recovered;
  readonly isElsewhere: (region: string, here: string) => boolean;
  /** With whose signals it shares the claim of a start, if not with those of its own scenario. */
  readonly claims?: Recovered;
}
const database: Concern = { scenario: 'database', isElsewhere: (region, here) => region !== here };
const cluster: Concern = { ...database, scenario: 'cluster' };
const configuration: Concern = { ...database, scenario: 'configuration' };
/** The loss of a Region is seen from the other one. */
const region: Concern = { scenario: 'region', isElsewhere: (active, here) => active === here };

export const triageAlarm = (signal: Signal, context: TriageContext) =>
  decideOn(signal, isOfCluster(signal, context.settings) ? cluster : database, context);
export const triageRegion = (signal: Signal, context: TriageContext) => decideOn(signal, region, context);
/**
 * What is gone whole, its own recovery brings back, where one may start: its own alarms ring for that too, and share the
 * claim. So do they with what asks whether a cluster's nodes shall come back, for they ring where those were all.
 */
export function triageConfiguration(signal: Signal, context: TriageContext): Promise<TriageDecision> {
  const gone = signal.kind === 'change' ? signal.gone : undefined;
  if (gone === 'nodes') return decideOn(signal, { ...configuration, claims: 'cluster' }, context);
  const isOwn = gone !== undefined && context.settings.automatic[gone] !== 'off';
  return decideOn(signal, isOwn ? { database, cluster }[gone] : configuration, context);
}

/** An alarm is named after what it watches; RDS speaks of databases. */
const isOfCluster = ({ kind, name }: Signal, { environment }: Pick<Settings, 'environment'>): boolean =>
  kind === 'alarm' && name.startsWith(clusterAlarmPrefix(environment));

async function decideOn(signal: Signal, concern: Concern, context: TriageContext): Promise<TriageDecision> {
  const { settings, here, clock, control, incidents, alarms, announcer } = context;
  const now = clock.now().toISOString();
  const [alarm, active, recent] = await Promise.all([
    signal.kind === 'alarm' ? alarms.state(signal.name) : undefined,
    control.readActiveDatabase(),
    incidents.list(10),
  ]);
  const isElsewhere = active !== undefined && concern.isElsewhere(active.region, here.region);
  const facts = {
    now,
    signal,
    alarmNow: alarm?.value,
    activeDatabase: active?.identifier,
    activeElsewhere: isElsewhere ? active.region : undefined,
    activeSince: active?.since,
    recent,
  };
  const judged = triage(settings.automatic, facts, concern.scenario);
  const decision = judged.verdict === 'start' ? await startOnce(signal, judged, now, concern, context) : judged;
  const { verdict, reasons, joins, execution } = decision;
  await incidents.recordDecision({
    at: now,
    alarm: signal.name,
    verdict,
    reasons: [...reasons, ...(verdict === 'start' ? [`started ${execution}`] : [])],
  });
  if (decision.quiet) return decision;
  const joined = recent.find(({ incident }) => incident.id === joins)?.incident;
  await announcer.announce(joined, {
    kind: 'triage',
    headline: `${signal.name}: ${headlineOf(verdict, concern)}`,
    lines: [`Since ${signal.at}`, ...reasons.map((reason) => `Because ${reason}`)],
    next: nextAfter(decision, concern),
  });
  return decision;
}

function headlineOf(verdict: TriageDecision['verdict'], { scenario }: Concern): string {
  if (verdict === 'start') return `a recovery of the ${scenario} was started`;
  return verdict === 'join' ? 'joined to the recovery that is at work' : 'recorded; nothing was started';
}

function nextAfter({ verdict, joins, execution }: TriageDecision, { scenario }: Concern): string {
  if (joins !== undefined) return `Follow incident ${joins}.`;
  if (verdict !== 'record') return `Follow the execution ${execution}.`;
  return `Look at the ${scenario} now. If it is lost or damaged, a person starts the recovery; the runbook of the alarm says how.`;
}

/** A recovery opens its incident well within this time after its start, or has been refused. */
const openingSeconds = 120;

/**
 * One disaster rings several alarms at once, and none of them sees the other's incident yet: the first to claim the start
 * starts, the others join it. A drill that runs gives way.
 */
async function startOnce(
  signal: Signal,
  decision: TriageDecision,
  now: string,
  concern: Concern,
  context: TriageContext,
): Promise<TriageDecision> {
  const { incidents, control, executions } = context;
  // The name is the alarm's and the moment's: the same event delivered twice starts one execution.
  const name = executionName(signal.name, signal.at);
  const since = new Date(Date.parse(now) - openingSeconds * 1000).toISOString();
  const holder = await incidents.claimStart(concern.claims ?? concern.scenario, name, now, since);
  if (holder !== name)
    return {
      verdict: 'join',
      execution: holder,
      reasons: [`another signal has just started the recovery, as execution ${holder}`],
    };
  const lease = await control.readLease();
  const isDrilling = lease?.mode === 'drill' && (await executions.status(lease.executionArn)) === 'RUNNING';
  if (isDrilling) await stopDrill(lease, signal.name, executions);
  const stopped = isDrilling ? [`the drill ${lease.incidentId} gave way and is stopped`] : [];
  return {
    ...decision,
    execution: await startRecovery(name, signal, concern, context),
    reasons: [...decision.reasons, ...stopped],
  };
}

async function startRecovery(
  name: string,
  signal: Signal,
  { scenario }: Concern,
  { settings, executions }: TriageContext,
): Promise<string> {
  const { environment } = settings;
  const { executionArn } = await executions.start(stateMachineName(environment, scenario), name, {
    mode: 'recovery',
    confirm: environment,
    reason: `${signal.name} since ${signal.at}`,
    trigger: { kind: signal.kind === 'alarm' ? 'alarm' : 'event', name: signal.name, at: signal.at },
  });
  return executionArn;
}
