/**
 * GuardDatabase: in each Region, every minute. A database that was production, and is not any more by the record in the DR
 * Region, takes no writes: whatever returns from a lost Region, or was gone when its successor took over beside it and
 * starts again, is fenced here, and what it took meanwhile is counted and kept.
 * With strict fencing production itself takes none once its tenure is over (hold-tenure.ts).
 */
import { type Closed, closeTo, fenceLogins, leftOpen, proveRefused, type Target } from '../database/fence.ts';
import { isOutOfReach } from '../database/isolated.ts';
import type { DatabaseInstance, Metrics } from '../database/ports.ts';
import { withSession } from '../database/sql.ts';
import type { EvidenceStore } from '../evidence/ports.ts';
import { type ActiveDatabase, type Lease, recordVersion } from '../incident/contracts.ts';
import { incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { GuardRecord } from './contracts.ts';
import { giveUpTenure, holdTenure, type TenureContext } from './hold-tenure.ts';
import { answeringOf, type Open, openSince } from './open-databases.ts';
import type { RegionStore } from './ports.ts';
import { isOverAfter, keptInWords, totalOf, type WrittenRows, writtenSince } from './written-since.ts';

export interface GuardContext extends TenureContext {
  readonly control: TenureContext['control'] & Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly store: Pick<RegionStore, 'recordGuard'>;
  readonly evidence: EvidenceStore;
  readonly metrics: Metrics;
}

export interface Guarded {
  readonly fenced: readonly GuardRecord[];
}

/** Of the function's 4 minutes: what is not read by then is named, and must not cost the word that something was fenced. */
const countingSeconds = 120;

/** Throws where one could not be fenced, after it has tried every other; the next minute tries again. */
export async function guardDatabase(context: GuardContext): Promise<Guarded> {
  const { here, clock, metrics } = context;
  const isOver = isOverAfter(countingSeconds, clock);
  const active = await readActive(context);
  if (active?.region === here.region) await holdTenure(active, context);
  const fenced: GuardRecord[] = [];
  const failures: unknown[] = [];
  if (active !== undefined)
    for (const instance of await formerIn(active, context)) {
      try {
        const record = await fenceFormer(instance, active, isOver, context);
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

/** Throws what the control table answered: without it nobody knows what is production, and with strict fencing that ends a tenure. */
async function readActive(context: GuardContext): Promise<ActiveDatabase | undefined> {
  try {
    return await context.control.readActiveDatabase();
  } catch (cause) {
    await giveUpTenure(cause, context);
    throw cause;
  }
}

/**
 * Whatever bears production's name here, and what begins with it and is tagged as this environment's: no neighbour. In
 * production's own Region only where RDS lists production as the record has it: people who move it by other means (a
 * blue/green deployment, a rename, a restore by hand) leave a record that is wrong, and what it calls a former production
 * is the one that everybody works with.
 */
async function formerIn(active: ActiveDatabase, context: GuardContext): Promise<DatabaseInstance[]> {
  const { settings, here, databases, control } = context;
  const [listed, lease] = await Promise.all([databases.list(settings.database.identifier), control.readLease()]);
  const isActive = ({ identifier, resourceId }: DatabaseInstance) =>
    identifier === active.identifier && resourceId === active.resourceId;
  if (active.region === here.region && !listed.some(isActive)) return [];
  return answeringOf(settings, listed).filter(
    (each) => isFormer(each, active, lease) && !isOutOfReach(each, settings) && !green.test(each.identifier),
  );
}

/** RDS's own name for what a blue/green deployment is to make production (User Guide): it bears production's tags, too. */
const green = /-green-[0-9a-z]+$/;

/** What the recovery that runs has made or promoted is that one's to fence, and to open. */
const isFormer = (
  { resourceId, tags }: DatabaseInstance,
  active: ActiveDatabase,
  lease: Pick<Lease, 'incidentId'> | undefined,
): boolean => resourceId !== active.resourceId && (lease === undefined || tags[incidentTag] !== lease.incidentId);

/**
 * Right before the act, for RDS may have taken its time to answer, and a cut-over that was taken up again does not. The
 * lease first: where none is held, whoever held one has written the record by then, and whoever takes one has minutes to go.
 */
async function isFormerStill(
  instance: DatabaseInstance,
  active: ActiveDatabase,
  control: GuardContext['control'],
): Promise<boolean> {
  const lease = await control.readLease();
  const now = await control.readActiveDatabase();
  return now?.epoch === active.epoch && isFormer(instance, now, lease);
}

/** Undefined where it was fenced already, or is no former production any more: the next minute looks again. */
async function fenceFormer(
  instance: DatabaseInstance,
  active: ActiveDatabase,
  isOver: () => boolean,
  context: GuardContext,
): Promise<GuardRecord | undefined> {
  const { settings, secrets, sessions, clock, control } = context;
  const { identifier, resourceId, address, port } = instance;
  if (address === undefined || port === undefined) return undefined;
  const target: Target = { identifier, address, port, database: settings.database.name };
  const { master, logins } = await fenceLogins(settings, secrets);
  const roles = logins.map(({ username }) => username);
  return withSession(sessions, target, master, async (session) => {
    const open = await openSince(session, roles);
    if (open === undefined || !(await isFormerStill(instance, active, control))) return undefined;
    const opened = { session, sessions, target, master };
    // Kept: this may be the only copy of what was prepared here, and the fence must stand all the same.
    const closed = await closeTo(opened, logins, settings, { prepared: 'keep', setPasswords: false });
    for (const login of logins) await proveRefused(sessions, target, login);
    const fencedAt = clock.now().toISOString();
    // Before the other one was production, this one was: what it took then is no double acceptance.
    const openFrom = isBefore(open.since, active.since) ? active.since : open.since;
    const met: Met = { identifier, resourceId, epoch: active.epoch, openFrom, fencedAt };
    // The fence stands: what cannot be counted or told is no reason to fail.
    const written = await writtenSince(session, openFrom, isOver).catch(() => undefined);
    return report(met, { ...open, ...closed }, written, active, context);
  });
}

type Met = Pick<GuardRecord, 'identifier' | 'resourceId' | 'epoch' | 'openFrom' | 'fencedAt'>;

async function report(
  met: Met,
  left: Open & Closed,
  /** Undefined: it keeps no times of commits. */
  written: WrittenRows | undefined,
  active: ActiveDatabase,
  { here, store, evidence, announcer }: GuardContext,
): Promise<GuardRecord> {
  const { identifier, resourceId, openFrom, fencedAt } = met;
  const { hasExpired, prepared } = left;
  const { counts, lines, unread } = written ?? { counts: {}, lines: [], unread: [] };
  const rows = totalOf(counts);
  // The date is asked for where a password is: rows tell of whoever needed none.
  const hasRefused = hasExpired && rows === 0;
  const windowSeconds = hasRefused ? 0 : Math.max(0, secondsBetween(openFrom, fencedAt));
  const key = `region/guard/${resourceId}-${fencedAt}.jsonl`;
  const isKept =
    lines.length > 0 &&
    (await evidence.put(key, `${lines.join('\n')}\n`, 'application/x-ndjson').then(
      () => true,
      () => false,
    ));
  const location = isKept ? evidence.location(key) : undefined;
  const record: GuardRecord = {
    version: recordVersion,
    ...met,
    region: here.region,
    windowSeconds,
    rows: { ...counts },
    ...(location === undefined ? {} : { evidence: location, kept: lines.length }),
    ...(unread.length > 0 ? { unread: [...unread] } : {}),
    ...(prepared.length > 0 ? { prepared: [...prepared] } : {}),
  };
  await store.recordGuard(record);
  await announcer.announce(undefined, {
    kind: 'triage',
    headline: `${identifier} came back and is fenced`,
    lines: [
      `${active.identifier} in ${active.region} is production since ${active.since}, at epoch ${active.epoch}`,
      hasRefused
        ? 'Never could both take writes: the tenure of this one was over, and it has refused every login since it started'
        : `Both could take writes for ${formatSeconds(windowSeconds)}, from ${openFrom} until ${fencedAt}`,
      ...(written === undefined
        ? ['How many rows it took in that time is unknown: it keeps no times of commits']
        : [`It took ${rows} rows in that time`, ...keptInWords(written, location, 'that database')]),
      ...leftOpen(left),
    ],
    next:
      active.region === here.region
        ? 'Keep it as it is until somebody has decided about those rows, which nobody else has; only then delete it, by name.'
        : 'Keep it as it is: `npm run dr -- failback` exports what it holds alone, and brings production home.',
  });
  return record;
}
