/** Databases of a Region that bear production's name and may take the application's writes. */
import type { DatabaseInstance, Databases, Session } from '../database/ports.ts';
import { usableStatuses } from '../database/source.ts';
import { asMoment } from '../database/sql.ts';
import { environmentTag } from '../incident/identifiers.ts';
import type { Settings } from '../settings.ts';

/** Starting or stopped ones take nobody's writes; replicas neither. */
const answering = new Set([...usableStatuses, 'backing-up', 'modifying', 'upgrading', 'rebooting']);

/** Whatever bears production's name, and what begins with it and is tagged as this environment's: no neighbour. */
export async function answeringDatabases(
  settings: Settings,
  databases: Pick<Databases, 'list'>,
): Promise<DatabaseInstance[]> {
  return answeringOf(settings, await databases.list(settings.database.identifier));
}

export const answeringOf = (
  { environment, database: { identifier } }: Settings,
  listed: readonly DatabaseInstance[],
): DatabaseInstance[] =>
  listed.filter(
    (each) =>
      (each.identifier === identifier ||
        (each.identifier.startsWith(`${identifier}-`) && each.tags[environmentTag] === environment)) &&
      each.replicaOf === undefined &&
      answering.has(each.status),
  );

/** The application may log in to a database. */
export interface Open {
  /** When its server started. */
  readonly since: string;
  /** No login has been admitted since then: the date of every role had passed before (../database/expiry.ts). */
  readonly hasExpired: boolean;
}

/** Undefined: it is fenced. */
export async function openSince(session: Session, roles: readonly string[]): Promise<Open | undefined> {
  const [row] = await session.query(
    `select ${asMoment('pg_postmaster_start_time()')} as started,
       bool_and(coalesce(rolvaliduntil < pg_postmaster_start_time(), false)) as expired
     from pg_roles where rolname = any($1) and rolcanlogin having count(*) > 0`,
    [roles],
  );
  return row?.started == null ? undefined : { since: row.started, hasExpired: row.expired === 't' };
}
