/** The product's heartbeat: where it lives, the newest one, and the step that writes it every minute. */
import { secondsBetween } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import { HeartbeatFailed } from './errors.ts';
import type { Credentials, DatabaseAddress, Metrics, Secrets, Session, Sessions } from './ports.ts';
import { asMoment, messageOf, withSession } from './sql.ts';

const newestSql = `select ${asMoment('max(at)')} as at from stocker_dr.heartbeat`;

export async function newestHeartbeatIn(session: Session): Promise<string | undefined> {
  const [row] = await session.query(newestSql);
  return row?.at ?? undefined;
}

/** The newest one that was written before a moment. */
export async function heartbeatBefore(session: Session, moment: string): Promise<string | undefined> {
  const [row] = await session.query(`${newestSql} where at < $1::timestamptz`, [moment]);
  return row?.at ?? undefined;
}

export const newestHeartbeat = (sessions: Sessions, address: DatabaseAddress, credentials: Credentials) =>
  withSession(sessions, address, credentials, newestHeartbeatIn);

/** Says that this Region watches nothing because the active database is elsewhere: its alarms then rest, and only then. */
export const restHere = (metrics: Metrics): Promise<void> =>
  metrics.put([{ name: 'ActiveElsewhere', value: 1, unit: 'Count' }]);

export interface HeartbeatContext {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly region: string;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
}

export type Heartbeat =
  | { readonly written: true; readonly at: string; readonly lsn: string; readonly xid: string }
  | { readonly written: false; readonly reason: string };

/**
 * Writes time, LSN and transaction id, and prunes rows older than 2 days (ours only: the table is the product's).
 * Every Region has this function; only the one where the active database is writes.
 */
export async function writeHeartbeat(context: HeartbeatContext): Promise<Heartbeat> {
  const { settings, region, control, secrets, sessions, metrics } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) return { written: false, reason: 'no active database is registered' };
  if (active.region !== region) {
    await restHere(metrics);
    return { written: false, reason: `the active database is in ${active.region}` };
  }
  const address = { address: active.address, port: active.port, database: settings.database.name };
  try {
    const credentials = await secrets.credentials(settings.database.heartbeatRole.secretName);
    const written = await withSession(sessions, address, credentials, beat);
    const age = written.previous === undefined ? [] : [secondsBetween(written.previous, written.at)];
    await metrics.put([
      { name: 'HeartbeatWritten', value: 1, unit: 'Count' },
      // What a restore to the moment before this heartbeat would have seen as its newest.
      ...age.map((value) => ({ name: 'HeartbeatAgeSeconds', value, unit: 'Seconds' as const })),
    ]);
    return { written: true, at: written.at, lsn: written.lsn, xid: written.xid };
  } catch (cause) {
    await metrics.put([{ name: 'HeartbeatWritten', value: 0, unit: 'Count' }]);
    throw HeartbeatFailed(`No heartbeat in ${active.identifier}: ${messageOf(cause)}`, { cause });
  }
}

/** One statement, one transaction, one round trip: what was there before, the new one, and the old ones pruned. */
const beatSql = `
  with previous as (select max(at) as at from stocker_dr.heartbeat),
    pruned as (delete from stocker_dr.heartbeat where at < clock_timestamp() - interval '2 days')
  insert into stocker_dr.heartbeat (lsn, xid) values (pg_current_wal_insert_lsn(), pg_current_xact_id())
  returning ${asMoment('at')} as at, lsn::text as lsn, xid::text as xid,
    (select ${asMoment('previous.at')} from previous) as previous`;

async function beat(session: Session) {
  const [row] = await session.query(beatSql);
  return { previous: row?.previous ?? undefined, at: row?.at ?? '', lsn: row?.lsn ?? '', xid: row?.xid ?? '' };
}
