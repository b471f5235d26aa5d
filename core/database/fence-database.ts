/**
 * FenceDatabase: makes a database refuse the application's writes, and proves it. NOLOGIN on every role of the
 * application plus ended sessions is what holds on RDS (aws-facts): pg_hba cannot be edited, a security-group rule
 * keeps established connections, default_transaction_read_only can be set off by any session.
 */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate } from './contracts.ts';
import { alterRole, applicationLogins, type Login, passwordClause } from './credentials.ts';
import { DatabaseNotReady, FenceFailed, RoleUnusable } from './errors.ts';
import type { Secrets, Session, Sessions } from './ports.ts';
import { requireDrill } from './restore-database.ts';
import {
  addressOf,
  isAnswered,
  messageOf,
  quoteIdentifier,
  quoteLiteral,
  sqlState,
  stepTimeouts,
  withSession,
} from './sql.ts';

export interface FenceContext {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

export interface Fence {
  readonly roles: readonly string[];
  readonly sessionsEnded: number;
}

/** Throws FenceFailed where the database is not proven closed, RoleUnusable where it cannot be fenced at all. */
export async function fenceDatabase(
  { incident, candidate }: { incident: Incident; candidate: Candidate },
  { settings, secrets, sessions }: FenceContext,
): Promise<StepResult<Fence>> {
  requireDrill(incident);
  const [master, logins] = await Promise.all([
    secrets.credentials(settings.database.masterSecretName),
    applicationLogins(settings, secrets),
  ]);
  const asMaster = logins.find((login) => login.username === master.username);
  if (asMaster !== undefined)
    throw RoleUnusable(
      `The application logs in as the master user ${master.username}: such a database cannot be fenced.`,
    );
  const roles = logins.map((login) => login.username);
  const closed = await withSession(sessions, addressOf(candidate), master, async (session) => {
    await requireRoles(session, roles);
    const { writers, administrators } = await otherLogins(session, settings, roles);
    if (writers.length > 0)
      throw RoleUnusable(
        `${writers.join(', ')} can log in and write the application's tables, and no fence closes them out: list them in database.applicationRoles, or take their login or their privileges.`,
      );
    // With the current password, so that the proof meets the fence and not a password of the restore point.
    for (const login of logins) await alterRole(session, login.username, `nologin ${passwordClause(login)}`);
    const sessionsEnded = await endSessions(session, roles);
    const rolledBack = await rollBackPrepared(session);
    const [cron] = await session.query("select current_setting('cron.database_name', true) as database");
    return { sessionsEnded, rolledBack, cronDatabase: cron?.database ?? undefined, administrators };
  });
  // pg_cron runs jobs for every database of an instance from one of them.
  const { cronDatabase, ...facts } = closed;
  const jobsPaused =
    cronDatabase === undefined
      ? 0
      : await withSession(sessions, { ...addressOf(candidate), database: cronDatabase }, master, pauseScheduledJobs);
  for (const login of logins) await proveRefused(sessions, candidate, login);
  return {
    output: { roles, sessionsEnded: closed.sessionsEnded },
    summary: `${candidate.identifier} refuses ${roles.join(', ')}: proven by a login; ${closed.sessionsEnded} sessions ended`,
    facts: { roles, ...facts, jobsPaused, proof: 'login refused with SQLSTATE 28000' },
  };
}

async function requireRoles(session: Session, roles: readonly string[]): Promise<void> {
  const found = await session.query(
    `select rolname, rolsuper or rolcreaterole or exists (select 1 from pg_roles admin
       where (admin.rolname = 'rds_superuser' or admin.rolname = current_user) and pg_has_role(r.oid, admin.oid, 'member'))
       as powerful
     from pg_roles r where rolname = any($1)`,
    [roles],
  );
  const missing = roles.filter((role) => !found.some((row) => row.rolname === role));
  if (missing.length > 0) throw RoleUnusable(`The database has no role ${missing.join(', ')} to fence.`);
  const powerful = found.filter((row) => row.powerful === 't').map((row) => row.rolname);
  if (powerful.length > 0)
    throw RoleUnusable(`The application's ${powerful.join(', ')} may alter roles, and so lift its own fence.`);
}

/** A login that was being authenticated while the role was altered shows up a moment later: look again until none is left. */
async function endSessions(session: Session, roles: readonly string[]): Promise<number> {
  let ended = 0;
  for (let round = 0; round < 5; round += 1) {
    // The timeout makes it wait until the backend is really gone.
    const rows = await session.query(
      'select pg_terminate_backend(pid, 3000) as gone from pg_stat_activity where usename = any($1)',
      [roles],
    );
    ended += rows.filter((row) => row.gone === 't').length;
    if (rows.length === 0) return ended;
  }
  throw FenceFailed(`Sessions of ${roles.join(', ')} do not end.`);
}

/** A prepared transaction survives its session and could still be committed. On the copy of a drill nobody waits for it. */
async function rollBackPrepared(session: Session): Promise<number> {
  const prepared = await session.query('select gid, owner from pg_prepared_xacts where database = current_database()');
  for (const { gid, owner } of prepared) {
    if (gid == null || owner == null) continue;
    try {
      // Only the owner or a superuser may end it; the master of RDS is none, and who creates a role may administer it,
      // not take its place (PostgreSQL 16).
      const role = quoteIdentifier(owner);
      await session.query(`grant ${role} to current_user with inherit false, set true`);
      await session.query(`set role ${role}`);
      await session.query(`rollback prepared ${quoteLiteral(gid)}`);
      await session.query('reset role');
      await session.query(`revoke ${role} from current_user granted by current_user`);
    } catch (cause) {
      throw FenceFailed(`Prepared transaction ${gid} of ${owner} cannot be rolled back: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
  return prepared.length;
}

async function pauseScheduledJobs(session: Session): Promise<number> {
  const [cron] = await session.query("select to_regclass('cron.job') as jobs");
  if (cron?.jobs == null) return 0;
  const paused = await session.query('select cron.alter_job(jobid, active := false) from cron.job where active');
  return paused.length;
}

/**
 * Logins that are neither PostgreSQL's, RDS's, the product's nor the application's. Who administers the database is
 * for people to look at; anybody else who can write the application's tables makes a fence a wish.
 */
async function otherLogins(session: Session, { database }: Settings, roles: readonly string[]) {
  const known = [...roles, database.heartbeatRole.name, database.sentinelRole.name];
  const rows = await session.query(
    `select rolname as name,
       exists (select 1 from pg_roles admin where admin.rolname = 'rds_superuser' and pg_has_role(r.oid, admin.oid, 'member'))
         as administers,
       exists (select 1 from pg_roles fenced where fenced.rolname = any($2) and pg_has_role(r.oid, fenced.oid, 'member'))
         or exists (select 1 from pg_class c join pg_namespace n on n.oid = relnamespace
           where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname not in ('information_schema', 'stocker_dr', 'cron')
             and has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')) as writes
     from pg_roles r where rolcanlogin and rolname <> current_user and rolname <> all($1)
       and rolname !~ '^(pg_|rds)' and not rolsuper order by 1`,
    [known, roles],
  );
  const named = (choose: (row: (typeof rows)[number]) => boolean) => rows.filter(choose).map((row) => row.name ?? '');
  return {
    administrators: named((row) => row.administers === 't'),
    writers: named((row) => row.writes === 't' && row.administers !== 't'),
  };
}

async function proveRefused(sessions: Sessions, candidate: Candidate, login: Login): Promise<void> {
  const role = login.username;
  const opened = await sessions.open(addressOf(candidate), login, stepTimeouts).catch((cause: unknown) => {
    if (sqlState(cause) === '28000') return undefined;
    const why = `The fence of ${role} is not proven: its login failed with ${messageOf(cause)}`;
    throw isAnswered(cause) ? FenceFailed(why, { cause }) : DatabaseNotReady(why, { cause });
  });
  if (opened === undefined) return;
  await opened.close();
  throw FenceFailed(`${role} can still log in to ${candidate.identifier}.`);
}
