/** An alarm or an RDS event: gathers what triage must know, decides, records why, tells people. */
import * as z from 'zod';
import type { RegionSettings, Settings } from '../settings.ts';
import { Moment } from './contracts.ts';
import { executionName, stateMachineName } from './identifiers.ts';
import type { Alarms, Announcer, Clock, ControlStore, Executions, IncidentStore } from './ports.ts';
import { type Signal, type TriageDecision, triage } from './triage.ts';

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

export interface TriageContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly incidents: Pick<IncidentStore, 'list' | 'recordDecision'>;
  readonly alarms: Pick<Alarms, 'state'>;
  readonly executions: Pick<Executions, 'start'>;
  readonly announcer: Announcer;
}

export async function triageAlarm(signal: Signal, context: TriageContext): Promise<TriageDecision> {
  const { settings, clock, control, incidents, alarms, announcer } = context;
  const now = clock.now().toISOString();
  const [alarm, active, recent] = await Promise.all([
    signal.kind === 'alarm' ? alarms.state(signal.name) : undefined,
    control.readActiveDatabase(),
    incidents.list(10),
  ]);
  const decision = triage(settings.automatic, {
    now,
    signal,
    alarmNow: alarm?.value,
    activeDatabase: active?.identifier,
    recent,
  });
  const started = decision.verdict === 'start' ? await startRecovery(signal, context) : undefined;
  await incidents.recordDecision({
    at: now,
    alarm: signal.name,
    verdict: decision.verdict,
    reasons: [...decision.reasons, ...(started ? [`started ${started}`] : [])],
  });
  if (decision.quiet) return decision;
  const joined = recent.find(({ incident }) => incident.id === decision.joins)?.incident;
  await announcer.announce(joined, {
    kind: 'triage',
    headline: `${signal.name}: ${headlines[decision.verdict]}`,
    lines: [`Since ${signal.at}`, ...decision.reasons.map((reason) => `Because ${reason}`)],
    next: nextAfter(decision, started),
  });
  return decision;
}

const headlines = {
  start: 'a recovery of the database was started',
  join: 'joined to the incident that is open',
  record: 'recorded; nothing was started',
} as const;

function nextAfter({ verdict, joins }: TriageDecision, started: string | undefined): string {
  if (verdict === 'start') return `Follow the execution ${started}.`;
  if (verdict === 'join') return `Follow incident ${joins}.`;
  return 'Look at the database now. If it is lost or damaged, a person starts the recovery; the runbook of the alarm says how.';
}

/** The name is the alarm's and the moment's: the same event delivered twice starts one execution. */
async function startRecovery(signal: Signal, { settings, executions }: TriageContext): Promise<string> {
  const { environment } = settings;
  const { executionArn } = await executions.start(
    stateMachineName(environment, 'database'),
    executionName(signal.name, signal.at),
    {
      mode: 'recovery',
      confirm: environment,
      reason: `${signal.name} since ${signal.at}`,
      trigger: { kind: signal.kind, name: signal.name, at: signal.at },
    },
  );
  return executionArn;
}
