/**
 * GuardDatabase: in each Region, every minute. A database that was production, and is not any more by the record in the DR
 * Region, takes no writes: whatever returns from a lost Region is fenced here, and what it took meanwhile is counted and kept.
 */
import { closeTo, fenceLogins, proveRefused, type Target } from '../database/fence.ts';
import type { DatabaseInstance, Databases, Metrics, Secrets, Session, Sessions } from '../database/ports.ts';
import { asMoment, withSession } from '../database/sql.ts';
import type { EvidenceStore } from '../evidence/ports.ts';
import { type ActiveDatabase, recordVersion } from '../incident/contracts.ts';
import { environmentTag, incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { Announcer, Clock, ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { GuardRecord } from './contracts.ts';
import type { RegionStore } from './ports.ts';
import { totalOf, writtenSince } from './written-since.ts';

export interface GuardContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly databases: Pick<Databases, 'list'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly store: Pick<RegionStore, 'recordGuard'>;
  readonly evidence: EvidenceStore;
  readonly announcer: Announcer;
  readonly metrics: Metrics;
}

export interface Guarded {
  readonly fenced: readonly GuardRecord[];
}

/** Throws where one could not be fenced, after it has tried every other; the next minute tries again. */
export async function guardDatabase(context: GuardContext): Promise<Guarded> {
  const { here, control, metrics } = context;
  const active = await control.readActiveDatabase();
  const fenced: GuardRecord[] = [];
  const failures: unknown[] = [];
  if (active !== undefined && active.region !== here.region)
    for (const instance of await formerIn(active, context)) {
      try {
        const record = await fenceFormer(instance, active, context);
        if (record !== undefined) fenced.push(record);
      } catch (error) {
        failures.push(error);
      }
    }
  await metrics.put([
    { name: 'GuardLooked', value: 1, unit: 'Count' },
    { name: 'GuardFenced', value: fenced.length, unit: 'Count' },
  ]);
  if (failures.length > 0) throw failures[0];
  return { fenced };
}

/** Starting or stopped ones take nobody's writes; replicas neither. */
const answering = new Set(['available', 'backing-up', 'modifying', 'upgrading', 'storage-optimization', 'rebooting']);

/**
 * Whatever bears production's name here, and what begins with it and is tagged as this environment's: no neighbour. What the
 * recovery that runs has made or promoted is that one's to fence.
 */
async function formerIn(
  active: ActiveDatabase,
  { settings, control, databases }: GuardContext,
): Promise<DatabaseInstance[]> {
  const { identifier } = settings.database;
  const [found, lease] = await Promise.all([databases.list(identifier), control.readLease()]);
  return found.filter(
    (each) =>
      (each.identifier === identifier ||
        (each.identifier.startsWith(`${identifier}-`) && each.tags[environmentTag] === settings.environment)) &&
      each.resourceId !== active.resourceId &&
      each.replicaOf === undefined &&
      (lease === undefined || each.tags[incidentTag] !== lease.incidentId) &&
      answering.has(each.status),
  );
}

/** Undefined where it was fenced already. */
async function fenceFormer(
  instance: DatabaseInstance,
  active: ActiveDatabase,
  context: GuardContext,
): Promise<GuardRecord | undefined> {
  const { settings, secrets, sessions, clock } = context;
  const { identifier, resourceId, address, port } = instance;
  if (address === undefined || port === undefined) return undefined;
  const target: Target = { identifier, address, port, database: settings.database.name };
  const { master, logins } = await fenceLogins(settings, secrets);
  const roles = logins.map(({ username }) => username);
  return withSession(sessions, target, master, async (session) => {
    const startedAt = await openSince(session, roles);
    if (startedAt === undefined) return undefined;
    const opened = { session, sessions, target, master };
    await closeTo(opened, logins, settings, { prepared: 'roll-back', setPasswords: false });
    for (const login of logins) await proveRefused(sessions, target, login);
    const fencedAt = clock.now().toISOString();
    // Before the other one was production, this one was: what it took then is no double acceptance.
    const openFrom = isBefore(startedAt, active.since) ? active.since : startedAt;
    return report({ identifier, resourceId, epoch: active.epoch, openFrom, fencedAt }, active, session, context);
  });
}

/** When the server started, where a role of the application may log in; undefined: none may. */
async function openSince(session: Session, roles: readonly string[]): Promise<string | undefined> {
  const [row] = await session.query(
    `select ${asMoment('pg_postmaster_start_time()')} as started from pg_roles where rolname = any($1) and rolcanlogin limit 1`,
    [roles],
  );
  return row?.started ?? undefined;
}

type Met = Pick<GuardRecord, 'identifier' | 'resourceId' | 'epoch' | 'openFrom' | 'fencedAt'>;

/** The fence stands: what cannot be counted or told is no reason to fail. */
async function report(
  met: Met,
  active: ActiveDatabase,
  session: Session,
  { here, store, evidence, announcer }: GuardContext,
): Promise<GuardRecord> {
  const { identifier, resourceId, openFrom, fencedAt } = met;
  const windowSeconds = Math.max(0, secondsBetween(openFrom, fencedAt));
  const written = await writtenSince(session, openFrom).catch(() => undefined);
  const key = `region/guard/${resourceId}-${fencedAt}.jsonl`;
  const hasRows = written !== undefined && written.lines.length > 0;
  const isKept =
    hasRows &&
    (await evidence.put(key, `${written.lines.join('\n')}\n`, 'application/x-ndjson').then(
      () => true,
      () => false,
    ));
  const record: GuardRecord = {
    version: recordVersion,
    ...met,
    region: here.region,
    windowSeconds,
    rows: { ...written?.counts },
    ...(isKept ? { evidence: evidence.location(key) } : {}),
  };
  await store.recordGuard(record);
  await announcer.announce(undefined, {
    kind: 'triage',
    headline: `${identifier} came back and is fenced`,
    lines: [
      `${active.identifier} in ${active.region} is production since ${active.since}, at epoch ${active.epoch}`,
      `Both could take writes for ${formatSeconds(windowSeconds)}, from ${openFrom} until ${fencedAt}`,
      written === undefined
        ? 'How many rows it took in that time is unknown: it keeps no times of commits'
        : `It took ${totalOf(written.counts)} rows in that time${isKept ? `, kept in ${record.evidence}` : ''}`,
    ],
    next: 'Keep it as it is: `npm run dr -- failback` exports what it holds alone, and brings production home.',
  });
  return record;
}
