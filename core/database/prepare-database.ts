/** prepare-database and register-database: what an operator invokes once after a deployment, and may any time again. */
import type { ActiveDatabase } from '../incident/contracts.ts';
import { recordVersion } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import { type Login, loginOf, setPassword } from './credentials.ts';
import { AlreadyRegistered, DatabaseNotFound, RoleUnusable } from './errors.ts';
import type { Databases, Secrets, Session, Sessions } from './ports.ts';
import { quoteIdentifier, withSession } from './sql.ts';

export interface PrepareContext {
  readonly settings: Settings;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/** Idempotent: the product's schema, table, roles with their current passwords, grants, and amcheck. */
export async function prepareDatabase(context: PrepareContext): Promise<{ identifier: string; statements: number }> {
  const { settings, control, secrets, sessions } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) throw DatabaseNotFound('No active database is registered: invoke register-database first.');
  const [master, heartbeat, sentinel] = await Promise.all([
    secrets.credentials(settings.database.masterSecretName),
    loginOf(settings.database.heartbeatRole, secrets),
    loginOf(settings.database.sentinelRole, secrets),
  ]);
  const address = { address: active.address, port: active.port, database: settings.database.name };
  const statements = await withSession(sessions, address, master, (session) =>
    prepareFor(session, settings.database.name, heartbeat, sentinel),
  );
  return { identifier: active.identifier, statements };
}

/** As the master, in the database of that name; returns the number of statements that every database gets. */
export async function prepareFor(
  session: Session,
  database: string,
  heartbeat: Login,
  sentinel: Login,
): Promise<number> {
  await ensureRole(session, heartbeat);
  await ensureRole(session, sentinel);
  const statements = migration(database, heartbeat.username, sentinel.username);
  for (const statement of statements) await session.query(statement);
  await letRead(session, sentinel.username);
  await letCheckIndexes(session, sentinel.username);
  return statements.length;
}

export async function ensureRole(session: Session, login: Login): Promise<void> {
  const [exists] = await session.query('select 1 from pg_roles where rolname = $1', [login.username]);
  if (exists === undefined) await session.query(`create role ${quoteIdentifier(login.username)} login`);
  await setPassword(session, login);
}

/** The heartbeat role writes one table; the sentinel sees every session (whether one could still commit an old key). */
function migration(database: string, heartbeatRole: string, sentinelRole: string): readonly string[] {
  const [heartbeat, sentinel] = [quoteIdentifier(heartbeatRole), quoteIdentifier(sentinelRole)];
  return [
    'create extension if not exists amcheck',
    'create schema if not exists stocker_dr',
    `create table if not exists stocker_dr.heartbeat (
       id bigint generated always as identity primary key,
       at timestamptz not null default clock_timestamp(),
       lsn pg_lsn not null,
       xid xid8 not null)`,
    'create index if not exists heartbeat_at on stocker_dr.heartbeat (at)',
    `grant connect on database ${quoteIdentifier(database)} to ${heartbeat}, ${sentinel}`,
    `grant usage on schema stocker_dr to ${heartbeat}`,
    `grant select, insert, delete on stocker_dr.heartbeat to ${heartbeat}`,
    `grant pg_monitor to ${sentinel}`,
  ];
}

const applicationSchemas = `nspname !~ '^pg_' and nspname <> 'information_schema'`;

/**
 * The sentinel reads every table, of today and of tomorrow. The master of RDS may not be able to grant
 * pg_read_all_data, so this grants what the master owns, and names what it could not.
 */
async function letRead(session: Session, sentinelRole: string): Promise<void> {
  const sentinel = quoteIdentifier(sentinelRole);
  const schemas = await session.query(
    `select nspname as name from pg_namespace where ${applicationSchemas} and has_schema_privilege(oid, 'usage with grant option')`,
  );
  for (const { name } of schemas) {
    const schema = quoteIdentifier(name ?? '');
    await session.query(`grant usage on schema ${schema} to ${sentinel}`);
    await session.query(`alter default privileges in schema ${schema} grant select on tables to ${sentinel}`);
    await session.query(`alter default privileges in schema ${schema} grant select on sequences to ${sentinel}`);
  }
  const relations = `pg_class c join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'p', 'm', 'S') and relpersistence = 'p' and ${applicationSchemas}`;
  const grantable = await session.query(
    `select format('%I.%I', nspname, relname) as name from ${relations} and has_table_privilege(c.oid, 'select with grant option')`,
  );
  for (const { name } of grantable) await session.query(`grant select on ${name} to ${sentinel}`);
  const unreadable = await session.query(
    `select format('%I.%I', nspname, relname) as name from ${relations} and not has_table_privilege($1, c.oid, 'select')`,
    [sentinelRole],
  );
  if (unreadable.length === 0) return;
  const names = unreadable.map((row) => row.name).join(', ');
  throw RoleUnusable(
    `${sentinelRole} cannot read ${names}: grant select on them as their owner, and invoke this again.`,
  );
}

/**
 * The sentinel checks indexes by turns. amcheck keeps its functions from everybody; where the master may not hand them
 * on, the sentinel's looks say that indexes are unknown, and validation checks them all the same, as the master.
 */
async function letCheckIndexes(session: Session, sentinelRole: string): Promise<void> {
  const functions = await session.query(
    `select oid::regprocedure::text as name from pg_proc where proname = 'bt_index_check'
     and has_function_privilege(oid, 'execute with grant option')`,
  );
  for (const { name } of functions)
    await session.query(`grant execute on function ${name} to ${quoteIdentifier(sentinelRole)}`);
}

export interface RegisterContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'registerActiveDatabase'>;
  readonly databases: Pick<Databases, 'find'>;
}

/** The first record of which database is production; later ones are made by cut-overs only. */
export async function registerDatabase(
  { identifier }: { identifier?: string | undefined },
  { settings, clock, control, databases }: RegisterContext,
): Promise<ActiveDatabase> {
  const wanted = identifier ?? settings.database.identifier;
  const instance = await databases.find(wanted);
  if (instance?.address === undefined || instance.port === undefined)
    throw DatabaseNotFound(`RDS of this Region has no instance ${wanted} with an endpoint.`);
  const record: ActiveDatabase = {
    version: recordVersion,
    identifier: instance.identifier,
    resourceId: instance.resourceId,
    region: instance.region,
    address: instance.address,
    port: instance.port,
    epoch: 1,
    since: clock.now().toISOString(),
  };
  if (await control.registerActiveDatabase(record)) return record;
  const known = await control.readActiveDatabase();
  if (known?.resourceId === record.resourceId) return known; // invoked again
  throw AlreadyRegistered(`${known?.identifier ?? 'Another database'} is registered since ${known?.since}.`);
}
