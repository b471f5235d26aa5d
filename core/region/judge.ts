/** Whether the primary is lost, and what speaks against a failover. Pure; every verdict has its reasons. */
import type { Failover } from '../database/contracts.ts';
import type { Waiver } from '../incident/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { CheckResult } from '../readiness/contracts.ts';
import { type PrimaryLook, Signal, type SignalState } from './contracts.ts';

/** Signals that must be lost, of three: one may be our own way to it. */
const quorum = 2;

export interface PrimaryJudgement {
  readonly state: Failover['primary'];
  readonly reasons: readonly string[];
}

/**
 * Lost: at least two signals were down in every one of the last looks. Alive: everything was up in the newest. Unknown is
 * neither. `looks` are of this epoch, oldest first.
 */
export function judgePrimary(looks: readonly PrimaryLook[], wanted: number): PrimaryJudgement {
  const recent = looks.slice(-wanted);
  const newest = recent.at(-1);
  if (newest === undefined) return { state: 'undecided', reasons: ['nobody has looked at the primary yet'] };
  const statesOf = (signal: Signal): SignalState[] => recent.map((look) => stateIn(look, signal));
  const reasons = Signal.options.map((signal) => {
    const detail = newest.signals.find((each) => each.signal === signal)?.detail ?? 'was not looked at';
    return `${signal} was ${statesOf(signal).join(', ')}: ${detail}`;
  });
  if (Signal.options.every((signal) => stateIn(newest, signal) === 'up')) return { state: 'alive', reasons };
  const lost = Signal.options.filter((signal) => statesOf(signal).every((state) => state === 'down'));
  if (recent.length < wanted)
    return { state: 'undecided', reasons: [...reasons, `only ${recent.length} of ${wanted} looks were made`] };
  return { state: lost.length >= quorum ? 'lost' : 'undecided', reasons };
}

const stateIn = ({ signals }: PrimaryLook, signal: Signal): SignalState =>
  signals.find((each) => each.signal === signal)?.state ?? 'unknown';

/** Something that speaks against a failover, by the name under which it can be waived. */
export interface Denial {
  readonly check: string;
  readonly reason: string;
}

export const primaryLost = 'primary-lost';
export const primaryAlive = 'primary-alive';
export const replicaClose = 'replica-close';

/** Without these a failover cannot succeed; whatever else is not ready is told, and stops nothing. */
const needed = new Set([
  'replication',
  'replica-lag',
  'profile',
  'keys-standby',
  'secrets-standby',
  'images',
  'permissions',
  'cluster-access',
  'dns',
]);

export interface FailoverFacts {
  readonly style: Failover['style'];
  readonly primary: PrimaryJudgement;
  /** Judged on what was looked at just now. */
  readonly live: readonly CheckResult[];
  /** The last run before detection; undefined: there is none. */
  readonly before: { readonly at: string; readonly checks: readonly CheckResult[] } | undefined;
  /** How far the replica was behind; undefined: unknown. */
  readonly lagSeconds: number | undefined;
  readonly bounds: { readonly gracefulLagSeconds: number; readonly readinessAgeSeconds: number };
  readonly detectedAt: string;
  readonly waiver: Waiver | undefined;
  /** What speaks against relying on it that the primary fences itself; with strict fencing only (tenure.ts). */
  readonly tenure?: readonly Denial[];
}

export interface FailoverDecision {
  /** Not waived: it must not go on. */
  readonly denials: readonly Denial[];
  readonly waived: readonly string[];
  /** Not ready, and no reason to stay down. */
  readonly notes: readonly string[];
}

export function decideFailover(facts: FailoverFacts): FailoverDecision {
  const { waiver } = facts;
  const checks = standbyChecks(facts);
  const wrong = checks.filter(({ verdict }) => verdict === 'not-ready' || verdict === 'unknown');
  const all = [
    ...ofPrimary(facts),
    ...(facts.tenure ?? []),
    ...(facts.before === undefined
      ? [{ check: 'readiness', reason: 'readiness was not looked at before: what the primary alone knew is unknown' }]
      : []),
    ...wrong.filter(({ check }) => needed.has(check)).map(({ check, reason }) => ({ check, reason })),
  ];
  const isWaived = ({ check }: Denial) => waiver?.checks.includes(check) ?? false;
  return {
    denials: all.filter((each) => !isWaived(each)),
    waived: all.filter(isWaived).map(({ check, reason }) => `${check} (${reason}), waived by ${waiver?.by}`),
    notes: wrong.filter(({ check }) => !needed.has(check)).map(({ check, reason }) => `${check}: ${reason}`),
  };
}

function ofPrimary({ style, primary, lagSeconds, bounds }: FailoverFacts): Denial[] {
  if (style === 'ungraceful')
    return primary.state === 'lost'
      ? []
      : [{ check: primaryLost, reason: `the primary is ${primary.state}: ${primary.reasons.join('; ')}` }];
  const reasons: Denial[] = [];
  if (primary.state !== 'alive')
    reasons.push({
      check: primaryAlive,
      reason: `a switchover needs the primary, which is ${primary.state}: ${primary.reasons.join('; ')}`,
    });
  if (lagSeconds === undefined || lagSeconds > bounds.gracefulLagSeconds)
    reasons.push({
      check: replicaClose,
      reason:
        lagSeconds === undefined
          ? 'how far the replica is behind is unknown'
          : `the replica is ${formatSeconds(lagSeconds)} behind, more than ${formatSeconds(bounds.gracefulLagSeconds)}`,
    });
  return reasons;
}

/** Live where it was looked at live; else as it was before detection, if that is not too long ago. */
function standbyChecks({ live, before, bounds, detectedAt }: FailoverFacts): CheckResult[] {
  const isLive = new Set(live.map(({ check }) => check));
  const kept = (before?.checks ?? []).filter(
    ({ check, scenarios }) => scenarios.includes('region') && !isLive.has(check),
  );
  const age = before === undefined ? 0 : Math.max(0, secondsBetween(before.at, detectedAt));
  return [
    ...live,
    ...kept.map((result): CheckResult => {
      const said = `${result.reason} (as of ${formatSeconds(age)} before detection)`;
      const isStale = age > bounds.readinessAgeSeconds && result.verdict === 'ready';
      return isStale ? { ...result, verdict: 'unknown', reason: `${said}: too long ago` } : { ...result, reason: said };
    }),
  ];
}
