/** Which snapshots are backups, which of them are good, and which are deleted. Pure. */
import { environmentTag } from '../incident/identifiers.ts';
import { isBefore } from '../incident/moments.ts';
import type { Proof } from './contracts.ts';
import { backupPrefix, backupTag, momentOfSnapshot, resourceTag } from './names.ts';
import type { BackupSnapshot } from './ports.ts';

export interface RetentionRules {
  readonly environment: string;
  /** Days of which a good backup is kept. */
  readonly kept: number;
  /** What backups of this Region may be encrypted with. */
  readonly keyArns: readonly string[];
  readonly proofs: readonly Pick<Proof, 'backup' | 'verdict' | 'at'>[];
}

/**
 * Why this snapshot is not one that this product made; undefined where it is. A tag alone is no guard, for whoever can
 * retag bypasses it (aws-facts): identifier, tags and the resource id that RDS knows must all agree.
 */
export function refuseAsOurs(snapshot: BackupSnapshot, environment: string): string | undefined {
  const { identifier, tags, resourceId } = snapshot;
  if (!identifier.startsWith(backupPrefix) || momentOfSnapshot(identifier) === undefined)
    return 'its name is not a backup’s';
  if (tags[environmentTag] !== environment) return `it belongs to ${tags[environmentTag] ?? 'no environment'}`;
  if (tags[backupTag] === undefined) return 'no backup made it';
  if (resourceId === undefined || tags[resourceTag] !== resourceId)
    return `its tag names the instance ${tags[resourceTag] ?? 'none'}, RDS ${resourceId ?? 'none'}`;
  return undefined;
}

/** What keeps a snapshot from counting as a backup; empty: it is good. */
export function flawsOf(snapshot: BackupSnapshot | undefined, rules: Omit<RetentionRules, 'kept'>): string[] {
  if (snapshot === undefined) return ['it is not there'];
  const stranger = refuseAsOurs(snapshot, rules.environment);
  const rightKey = snapshot.keyArn !== undefined && rules.keyArns.includes(snapshot.keyArn);
  return [
    ...(snapshot.status === 'available' ? [] : [`it is ${snapshot.status}`]),
    ...(snapshot.encrypted ? [] : ['it is not encrypted']),
    ...(snapshot.encrypted && !rightKey ? [`it is encrypted with another key, ${snapshot.keyArn ?? 'unknown'}`] : []),
    ...(stranger === undefined ? [] : [stranger]),
    ...(verdictOn(snapshot.identifier, rules.proofs) === 'failed' ? ['a drill could not restore it'] : []),
  ];
}

/** The last word on a backup; an `unknown` says nothing, and takes nothing back. */
export function verdictOn(identifier: string, proofs: RetentionRules['proofs']): Proof['verdict'] | undefined {
  const known = proofs
    .filter(({ backup, verdict }) => backup === identifier && verdict !== 'unknown')
    .toSorted((a, b) => (isBefore(a.at, b.at) ? 1 : -1));
  return known[0]?.verdict;
}

export interface Retention {
  /** Good, one of each day. */
  readonly kept: readonly string[];
  readonly deleted: readonly string[];
  /** Ours, neither good nor to be deleted yet. */
  readonly waiting: readonly string[];
  /** Under our prefix and not ours: left alone, and named. */
  readonly strangers: readonly { readonly identifier: string; readonly why: string }[];
}

/**
 * Counts days that have a good backup, not days of the calendar: where days fail, older ones stay, so that the last good
 * one can never go. In this order:
 * 1. Kept: of each of the newest `kept` days with a good backup, its newest; and the newest one that was proven, for what
 *    came later may share a flaw that only its proof will show.
 * 2. Deleted: any other good one; what RDS failed to make, once a newer good one is there; what is flawed, once every kept
 *    one is newer.
 * 3. Nothing that RDS is still at work on, and nothing that is not ours.
 */
export function planRetention(snapshots: readonly BackupSnapshot[], rules: RetentionRules): Retention {
  const all = snapshots.filter(({ identifier }) => identifier.startsWith(backupPrefix)).toSorted(newestFirst);
  const strangers = all.flatMap((snapshot) => {
    const why = refuseAsOurs(snapshot, rules.environment);
    return why === undefined ? [] : [{ identifier: snapshot.identifier, why }];
  });
  const ours = all.filter((snapshot) => refuseAsOurs(snapshot, rules.environment) === undefined);
  const good = ours.filter((snapshot) => flawsOf(snapshot, rules).length === 0);
  const newestOfDays = good.filter(
    (each, index) => index === good.findIndex((other) => dayOf(other.identifier) === dayOf(each.identifier)),
  );
  const daily = newestOfDays.slice(0, Math.max(1, rules.kept));
  const proven = good.find(({ identifier }) => verdictOn(identifier, rules.proofs) === 'passed');
  const kept = new Set([...daily, ...(proven ? [proven] : [])].map(({ identifier }) => identifier));
  const [newestGood] = daily;
  const isFull = daily.length >= rules.kept;
  const oldestDaily = daily.at(-1);
  const mayGo = (snapshot: BackupSnapshot): boolean => {
    if (kept.has(snapshot.identifier) || newestGood === undefined || oldestDaily === undefined) return false;
    if (good.includes(snapshot)) return true;
    if (snapshot.status === 'failed') return isOlder(snapshot, newestGood);
    return snapshot.status === 'available' && isFull && isOlder(snapshot, oldestDaily);
  };
  const deleted = ours.filter(mayGo);
  return {
    kept: ours.filter(({ identifier }) => kept.has(identifier)).map(({ identifier }) => identifier),
    deleted: deleted.map(({ identifier }) => identifier),
    waiting: ours
      .filter((each) => !kept.has(each.identifier) && !deleted.includes(each))
      .map(({ identifier }) => identifier),
    strangers,
  };
}

const dayOf = (identifier: string) => momentOfSnapshot(identifier)?.slice(0, 10);
const takenAt = ({ identifier }: BackupSnapshot) => momentOfSnapshot(identifier) ?? '0';
const isOlder = (a: BackupSnapshot, b: BackupSnapshot) => isBefore(takenAt(a), takenAt(b));
const newestFirst = (a: BackupSnapshot, b: BackupSnapshot) => (isOlder(a, b) ? 1 : -1);
