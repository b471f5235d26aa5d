/** What an alarm or an RDS event may start. The decision is pure and gives its reasons; unknown never starts anything. */
import type { Settings } from '../settings.ts';
import type { IncidentRecord } from './contracts.ts';
import { formatSeconds, isBefore, secondsBetween } from './moments.ts';

/** EventBridge retries for 24 hours by default: an event older than this speaks of a situation that is over. */
export const maximumEventAgeSeconds = 900;

/** What triage knows when it decides. */
export interface TriageFacts {
  readonly now: string;
  readonly signal: Signal;
  /** The alarm read again; undefined where there is no such alarm. RDS events have none to read. */
  readonly alarmNow: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | undefined;
  readonly activeDatabase: string | undefined;
  /** Where it is, if not in this Region: that Region's triage decides. */
  readonly activeElsewhere?: string | undefined;
  /** Since when it is: what rang before speaks of another database, or of none. */
  readonly activeSince?: string | undefined;
  /** Newest first. */
  readonly recent: readonly IncidentRecord[];
}

/** Scenarios that an alarm or an event may start. */
export type Recovered = 'database' | 'cluster' | 'region' | 'configuration';

export type Signal =
  | { readonly kind: 'alarm'; readonly name: string; readonly at: string }
  | { readonly kind: 'event'; readonly name: string; readonly at: string; readonly database: string }
  | ChangeSignal;

/** Somebody called an API that deletes or modifies. */
export interface ChangeSignal {
  readonly kind: 'change';
  readonly name: string;
  readonly at: string;
  /** Why it is no reason to recover anything; absent where it may be one. */
  readonly harmless?: string | undefined;
  /** Of a service without Regions, whose events arrive in one of them alone. */
  readonly isGlobal: boolean;
  /** What it deleted whole that has a recovery of its own; the nodes of a cluster may be all that it had. */
  readonly gone?: 'database' | 'cluster' | 'nodes' | undefined;
}

export interface TriageDecision {
  /** start a recovery · join the incident that is open · record and tell people, no more. */
  readonly verdict: 'start' | 'join' | 'record';
  /** The incident that is joined. */
  readonly joins?: string;
  /** The execution that was started, or that another signal had started a moment before. */
  readonly execution?: string;
  readonly reasons: readonly string[];
  /** It is about another instance, such as the copy that a drill has just deleted, or the other Region decides: on record, and nobody is told. */
  readonly quiet?: true;
}

/** The first rule that speaks decides; each says why. */
export function triage(
  settings: Settings['automatic'],
  facts: TriageFacts,
  of: Recovered = 'database',
): TriageDecision {
  const { now, signal, recent } = facts;
  const record = (reason: string): TriageDecision => ({ verdict: 'record', reasons: [reason] });

  const age = secondsBetween(signal.at, now);
  if (age > maximumEventAgeSeconds)
    return record(`the event is ${formatSeconds(age)} old, older than ${formatSeconds(maximumEventAgeSeconds)}`);
  if (signal.kind === 'alarm' && facts.alarmNow !== 'ALARM')
    return record(`the alarm is no longer in ALARM but ${facts.alarmNow ?? 'gone'}`);
  if (facts.activeDatabase === undefined)
    return record('which database is active is unknown: nothing can be recovered');
  if (signal.kind === 'change' && signal.harmless !== undefined) return { ...record(signal.harmless), quiet: true };
  if (facts.activeElsewhere !== undefined && signal.kind === 'change' && signal.isGlobal)
    return record(
      `${facts.activeDatabase} is in ${facts.activeElsewhere}, where no such event arrives: a person starts the recovery there`,
    );
  if (facts.activeElsewhere !== undefined)
    return { ...record(`${facts.activeDatabase} is in ${facts.activeElsewhere}: triage there decides`), quiet: true };
  if (facts.activeSince !== undefined && isBefore(signal.at, facts.activeSince))
    return record(`it rang before ${facts.activeDatabase} became the active database at ${facts.activeSince}`);
  if (signal.kind === 'event' && signal.database !== facts.activeDatabase)
    return { ...record(`${signal.database} is not the active database (${facts.activeDatabase})`), quiet: true };

  const open = recent.find(({ status, incident }) => status === 'open' && incident.mode === 'recovery');
  if (open)
    return {
      verdict: 'join',
      joins: open.incident.id,
      reasons: [`incident ${open.incident.id} is open since ${open.openedAt}`],
    };
  const window = blockedWindow(settings.blockedWindows, now);
  if (window) return record(`blocked window ${window.from}-${window.to} UTC: ${window.reason}`);
  const cooling = recent.find(
    ({ incident, closedAt }) =>
      incident.mode === 'recovery' && closedAt && secondsBetween(closedAt, now) < settings.cooldownSeconds,
  );
  if (cooling)
    return record(
      `incident ${cooling.incident.id} closed at ${cooling.closedAt}, within the cooldown of ${formatSeconds(settings.cooldownSeconds)}`,
    );
  if (settings[of] === 'off') return record(`automatic recovery of the ${of} is off in this environment`);
  const how = settings[of] === 'ask' ? 'starts, and asks before it changes anything' : 'starts by itself';
  return { verdict: 'start', reasons: [`automatic recovery of the ${of} ${how}`] };
}

const days = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
type Window = Settings['automatic']['blockedWindows'][number];

/** The window that holds `now`: [from, to) in UTC; one that ends before it starts runs into the next day. */
export function blockedWindow(windows: readonly Window[], now: string): Window | undefined {
  const time = now.slice(11, 16);
  const weekday = new Date(now).getUTCDay();
  const isOn = (window: Window, day: number) => window.days.some((each) => each === days[(day + 7) % 7]);
  return windows.find((window) =>
    window.from <= window.to
      ? isOn(window, weekday) && window.from <= time && time < window.to
      : (isOn(window, weekday) && window.from <= time) || (isOn(window, weekday - 1) && time < window.to),
  );
}
