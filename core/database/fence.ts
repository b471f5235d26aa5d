/**
 * The fence itself: a database refuses the application's writes, and it is proven. NOLOGIN on every role of the
 * application plus ended sessions is what holds on RDS (aws-facts): pg_hba cannot be edited, a security-group rule
 * keeps established connections, default_transaction_read_only can be set off by any session. It belongs to one database
 * and travels with its data.
 */
import type { Settings } from '../settings.ts';
import { applicationLogins, type Login } from './credentials.ts';
import { DatabaseNotReady, FenceFailed, LoginRefused, RoleUnusable } from './errors.ts';
import type { DatabaseAddress, Secrets, Session, Sessions } from './ports.ts';
import { scramVerifier } from './scram.ts';
import { isAnswered, messageOf, quoteIdentifier, quoteLiteral, sqlState, stepTimeouts, withSession } from './sql.ts';

/** A database as people know it, and where it is. */
export interface Target extends DatabaseAddress {
  readonly identifier: string;
}

/** Master and application logins; throws RoleUnusable where they are the same, for such a database cannot be fenced. */
export async function fenceLogins(settings: Settings, secrets: Secrets): Promise<{ master: Login; logins: Login[] }> {
  const [master, logins] = await Promise.all([
    secrets.credentials(settings.database.masterSecretName),
    applicationLogins(settings, secrets),
  ]);
  if (logins.some((login) => login.username === master.username))
    throw RoleUnusable(
      `The application logs in as the master user ${master.username}: such a database cannot be fenced.`,
    );
  return { master, logins };
}

export interface Closing {
  /** What becomes of prepared transactions: rolled back only on the copy of a drill, where nobody waits for them. */
  readonly prepared: 'roll-back' | 'refuse';
  /** Gives the roles today's passwords, so that the proof meets the fence and not a password of the restore point. */
  readonly setPasswords: boolean;
}

export interface Closed {
  readonly sessionsEnded: number;
  readonly rolledBack: number;
  readonly jobsPaused: number;
  readonly otherLogins: readonly (string | null | undefined)[];
}

/** As the master. Idempotent. Throws FenceFailed where the database cannot be closed. */
export async function closeTo(
  session: Session,
  logins: readonly Login[],
  settings: Settings,
  { prepared, setPasswords }: Closing,
): Promise<Closed> {
  const roles = logins.map((login) => login.username);
  await requireRoles(session, roles);
  if (prepared === 'refuse') await refusePrepared(session); // before anybody is cut off
  for (const login of logins) await refuseLogin(session, login, setPasswords);
  const sessionsEnded = await endSessions(session, roles);
  const rolledBack = prepared === 'roll-back' ? await rollBackPrepared(session) : 0;
  // Again: one that was prepared in between could still be committed.
  if (prepared === 'refuse') await refusePrepared(session);
  const jobsPaused = await pauseScheduledJobs(session);
  return { sessionsEnded, rolledBack, jobsPaused, otherLogins: await otherLogins(session, settings, roles) };
}

/** As the master: the roles may log in again; `resumeJobs` starts what the fence paused, and nothing else. */
export async function openTo(session: Session, roles: readonly string[], resumeJobs: boolean): Promise<void> {
  for (const role of roles) await session.query(`alter role ${quoteIdentifier(role)} login`);
  if (resumeJobs) await resumeScheduledJobs(session);
}

async function requireRoles(session: Session, roles: readonly string[]): Promise<void> {
  const found = await session.query('select rolname from pg_roles where rolname = any($1)', [roles]);
  const missing = roles.filter((role) => !found.some((row) => row.rolname === role));
  if (missing.length > 0) throw RoleUnusable(`The database has no role ${missing.join(', ')} to fence.`);
}

const refuseLogin = (session: Session, { username, password }: Login, setPassword: boolean) =>
  session.query(
    `alter role ${quoteIdentifier(username)} nologin${setPassword ? ` password ${quoteLiteral(scramVerifier(password))}` : ''}`,
  );

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

const preparedSql = 'select gid, owner from pg_prepared_xacts where database = current_database()';

/** A prepared transaction survives its session and could still be committed; whether it should be, only people know. */
async function refusePrepared(session: Session): Promise<void> {
  const prepared = await session.query(preparedSql);
  if (prepared.length === 0) return;
  const named = prepared.map(({ gid, owner }) => `${gid} of ${owner}`).join(', ');
  throw FenceFailed(`Prepared transactions wait for an end: ${named}. Commit or roll them back as their owners.`, {
    details: { prepared: named },
  });
}

async function rollBackPrepared(session: Session): Promise<number> {
  const prepared = await session.query(preparedSql);
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

const hasScheduledJobs = async (session: Session): Promise<boolean> =>
  (await session.query("select 1 from pg_extension where extname = 'pg_cron'")).length > 0;

/** Which ones were paused is kept beside them, so that it travels with the data as the fence does. */
async function pauseScheduledJobs(session: Session): Promise<number> {
  if (!(await hasScheduledJobs(session))) return 0;
  await session.query('create schema if not exists stocker_dr');
  await session.query('create table if not exists stocker_dr.paused_job (jobid bigint primary key)');
  await session.query(
    'insert into stocker_dr.paused_job select jobid from cron.job where active on conflict do nothing',
  );
  const paused = await session.query('select cron.alter_job(jobid, active := false) from cron.job where active');
  return paused.length;
}

async function resumeScheduledJobs(session: Session): Promise<void> {
  if (!(await hasScheduledJobs(session))) return;
  const [kept] = await session.query("select to_regclass('stocker_dr.paused_job') as name");
  if (kept?.name == null) return;
  await session.query(
    'select cron.alter_job(jobid, active := true) from cron.job join stocker_dr.paused_job using (jobid)',
  );
  await session.query('delete from stocker_dr.paused_job');
}

/** Logins that are neither PostgreSQL's, RDS's, the product's nor the application's: for people to look at. */
async function otherLogins(session: Session, { database }: Settings, roles: readonly string[]) {
  const known = [...roles, database.heartbeatRole.name, database.sentinelRole.name];
  const rows = await session.query(
    `select rolname from pg_roles where rolcanlogin and rolname <> current_user and rolname <> all($1)
     and rolname !~ '^(pg_|rds)' and not rolsuper order by 1`,
    [known],
  );
  return rows.map((row) => row.rolname);
}

/** Throws FenceFailed where the login is not refused as NOLOGIN refuses it, DatabaseNotReady where nothing answers. */
export async function proveRefused(sessions: Sessions, target: Target, login: Login): Promise<void> {
  const role = login.username;
  const opened = await sessions.open(target, login, stepTimeouts).catch((cause: unknown) => {
    if (sqlState(cause) === '28000') return undefined;
    const why = `The fence of ${role} is not proven: its login failed with ${messageOf(cause)}`;
    throw isAnswered(cause) ? FenceFailed(why, { cause }) : DatabaseNotReady(why, { cause });
  });
  if (opened === undefined) return;
  await opened.close();
  throw FenceFailed(`${role} can still log in to ${target.identifier}.`);
}

/**
 * A transaction with an id of its own that PostgreSQL reports committed is a write, whatever the role may touch; that
 * the application's own rows land here is proven by ValidateApplication. Returns the transaction's id.
 */
export async function proveWrite(sessions: Sessions, target: Target, login: Login): Promise<string> {
  const prove = async (session: Session) => {
    const [begun] = await session.query(
      "select pg_current_xact_id()::text as xid, current_setting('transaction_read_only') as read_only",
    );
    const [ended] = await session.query('select pg_xact_status($1::xid8) as status', [begun?.xid]);
    if (begun?.read_only !== 'off' || ended?.status !== 'committed' || begun.xid == null)
      throw LoginRefused(`${login.username} logs in to ${target.identifier} and cannot write.`);
    return begun.xid;
  };
  return withSession(sessions, target, login, prove).catch((cause: unknown) => {
    if (sqlState(cause) === undefined || !isAnswered(cause)) throw cause;
    throw LoginRefused(`${login.username} cannot use ${target.identifier}: ${messageOf(cause)}`, { cause });
  });
}
