/**
 * The repair's own record, written in its transaction: an answer that was lost is found again, and a retry of the incident
 * does not overwrite what was written since.
 */
import { Repair } from '../contracts.ts';
import type { Session } from '../ports.ts';

/** In the product's schema, which prepare-database makes and the sentinel may read. */
export async function prepareRecord(session: Session): Promise<void> {
  await session.query('create schema if not exists stocker_dr');
  await session.query(
    `create table if not exists stocker_dr.table_repair (incident text, restore_point text, repair jsonb not null,
       at timestamptz not null default clock_timestamp(), primary key (incident, restore_point))`,
  );
}

export async function findRepair(
  session: Session,
  incident: string,
  restorePoint: string,
): Promise<Repair | undefined> {
  const [row] = await session.query(
    'select repair from stocker_dr.table_repair where incident = $1 and restore_point = $2',
    [incident, restorePoint],
  );
  return row?.repair == null ? undefined : Repair.parse(JSON.parse(row.repair));
}

export const keepRepair = (session: Session, incident: string, restorePoint: string, repair: Repair) =>
  session.query('insert into stocker_dr.table_repair (incident, restore_point, repair) values ($1, $2, $3)', [
    incident,
    restorePoint,
    JSON.stringify(repair),
  ]);
