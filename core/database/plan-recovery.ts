/** Decides what a recovery of production restores, and whether a person is asked first. Pure. */
import { createHash } from 'node:crypto';
import type { ActiveDatabase, Incident, RestoreTo } from '../incident/contracts.ts';
import { candidateIdentifier, isCopyDeleted } from '../incident/identifiers.ts';
import { isBefore, secondsBetween } from '../incident/moments.ts';
import type { Settings } from '../settings.ts';
import type { Damage, LookRecord, Restore, RestorePlan, SeenInstance } from './contracts.ts';
import type { DumpFile } from './dump/ports.ts';
import { type Choice, chooseRestorePoint, lastPossibleWrite } from './plan.ts';
import type { DatabaseSnapshot, RestoreWindow } from './ports.ts';
import type { SourceState } from './source.ts';

export interface RecoveryFacts {
  readonly settings: Settings;
  readonly incident: Incident;
  readonly active: Pick<ActiveDatabase, 'identifier' | 'resourceId' | 'address' | 'port' | 'epoch'>;
  readonly state: SourceState;
  readonly seen: SeenInstance;
  readonly window: RestoreWindow | undefined;
  /** The snapshot that was asked for, where one was. */
  readonly snapshot: DatabaseSnapshot | undefined;
  /** The dump that was asked for, where one was. */
  readonly dump: DumpFile | undefined;
  readonly damage: Damage | undefined;
  readonly newestHeartbeat: string | undefined;
  /** What a person chose, with the start or with the approval; undefined: nobody did. */
  readonly wanted: RestoreTo | undefined;
  /** A person has approved. */
  readonly approved: boolean;
  readonly now: string;
}

/** Damage that the sentinel saw last in the active database; it stays on its list until it is seen sound again. */
export function damageIn(look: LookRecord | undefined, resourceId: string): Damage | undefined {
  const findings = look?.resourceId === resourceId ? look.findings.filter(({ check }) => check !== 'connection') : [];
  if (findings.length === 0) return undefined;
  const sound = findings.map(({ lastSound }) => lastSound).filter((moment) => moment !== undefined);
  return {
    found: findings.map(({ subject, detail }) => `${subject}: ${detail}`),
    // One of them was never seen sound: nothing says since when it is there.
    ...(sound.length === findings.length ? { after: sound.reduce((a, b) => (isBefore(b, a) ? b : a)) } : {}),
    by: findings.map(({ seenAt }) => seenAt).reduce((a, b) => (isBefore(b, a) ? b : a)),
  };
}

/** Returns a plan without `restore` where only a person can choose; refused: what was chosen cannot be had. */
export function planRecovery(facts: RecoveryFacts): { readonly plan: RestorePlan } | { readonly refused: string } {
  const { settings, incident, active, window, seen, damage, newestHeartbeat, now } = facts;
  const choice = choose(facts);
  if (choice !== undefined && 'refused' in choice) return choice;
  const lossFrom = choice?.restorePoint ?? window?.latest ?? now;
  // Fenced first, and restored up to the fence.
  const isLossless = facts.state === 'alive' && choice?.restore.kind === 'time' && choice.restore.at === 'latest';
  return {
    plan: {
      source: {
        identifier: active.identifier,
        resourceId: active.resourceId,
        address: active.address,
        port: active.port,
      },
      candidate: isCopyDeleted(incident)
        ? candidateIdentifier(settings, active.identifier, incident.id)
        : recoveryCandidate(settings, incident.id, choice),
      ...choice,
      ...(window === undefined ? {} : { window }),
      estimatedLossSeconds: isLossless
        ? 0
        : Math.max(0, secondsBetween(lossFrom, lastPossibleWrite(newestHeartbeat, now))),
      epoch: active.epoch,
      approval: approvalOf(facts, choice !== undefined),
      ...(damage === undefined ? {} : { damage }),
      seen,
      ...(incident.scope === undefined ? {} : { scope: incident.scope }),
    },
  };
}

/** 1. A person's choice. 2. Before the damage, where it is bounded. 3. Without damage, the latest there is. */
function choose(facts: RecoveryFacts): Choice | undefined {
  const { active: source, window, wanted, damage, state, incident } = facts;
  if (wanted !== undefined) return chooseRestorePoint(wanted, { ...facts, source });
  if (window === undefined) return undefined;
  const latest: Choice = { restore: { kind: 'time', at: 'latest' }, restorePoint: window.latest };
  // Who names tables knows of damage that no look saw: the latest there is would hold it.
  if (damage === undefined) return incident.scope === undefined ? latest : undefined;
  const { after } = damage;
  if (after === undefined || isBefore(after, window.earliest)) return undefined;
  // RDS uploads logs every five minutes. A living source will reach that point; what a dead one has left ends before it.
  if (!isBefore(after, window.latest) && state !== 'alive') return latest;
  return { restore: { kind: 'time', at: after }, restorePoint: after };
}

/**
 * A signal may start a recovery by itself only where the assessment confirms it: damage that is bounded, or an instance
 * that is gone. Everything else is asked, also under `auto`.
 */
function approvalOf({ settings, incident, approved, damage, state }: RecoveryFacts, chosen: boolean): 'ask' | 'none' {
  if (approved) return 'none';
  const bySignal = incident.trigger.kind === 'alarm' || incident.trigger.kind === 'event';
  const confirmed = damage !== undefined || state === 'gone';
  return bySignal && settings.automatic.database === 'auto' && confirmed && chosen ? 'none' : 'ask';
}

/**
 * `<production's name>-<8 hex>`: the same incident and restore point always yield the same name, another restore point
 * another one. `latest` is resolved, so that a retry does not adopt a copy from before what was written since.
 */
export function recoveryCandidate(
  { database }: Settings,
  incidentId: string,
  choice: { restore: Restore; restorePoint: string } | undefined,
): string {
  const { restore, restorePoint } = choice ?? {};
  const resolved = restore === undefined || restore.kind === 'time' ? restorePoint : { ...restore, kind: undefined };
  const suffix = createHash('sha256')
    .update(`${incidentId}${JSON.stringify(resolved ?? null)}`)
    .digest('hex')
    .slice(0, 8);
  return `${database.identifier.slice(0, 54).replace(/-+$/, '')}-${suffix}`;
}
