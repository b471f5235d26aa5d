/**
 * The fence itself: a database refuses the application's writes, and it is proven. NOLOGIN on every role of the
 * application plus ended sessions is what holds on RDS (aws-facts): pg_hba cannot be edited, a security-group rule
 * keeps established connections, default_transaction_read_only can be set off by any session. It belongs to one database
 * and travels with its data.
 */
import type { Settings } from '../settings.ts';
import { alterRole, applicationLogins, type Login, passwordClause } from './credentials.ts';
import { DatabaseNotReady, FenceFailed, LoginRefused, RoleUnusable } from './errors.ts';
import { expiryClause, liftExpiry } from './expiry.ts';
import type { DatabaseAddress, Secrets, Session, Sessions } from './ports.ts';
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

/** A session of the master, and how to open another one: pg_cron runs jobs for every database of an instance from one of them. */
export interface Opened {
  readonly session: Session;
  readonly sessions: Sessions;
  readonly target: Target;
  readonly master: Login;
}

export interface Closing {
  /**
   * What becomes of prepared transactions: rolled back only on the copy of a drill, where nobody waits for them. Kept, and
   * named, where the fence must stand whatever is found, and is lifted by whoever decides about them, or never: they are
   * all there is of what somebody wrote, and the application's roles, which may not log in, cannot commit them.
   */
  readonly prepared: 'roll-back' | 'refuse' | 'keep';
  /** What an enabled subscription means; without, it is refused unless prepared transactions are kept. */
  readonly subscriptions?: 'refuse' | 'keep';
  /** Gives the roles today's passwords, so that the proof meets the fence and not a password of the restore point. */
  readonly setPasswords: boolean;
}

export interface Closed {
  readonly sessionsEnded: number;
  readonly rolledBack: number;
  /** Prepared transactions that are left, each with its owner. */
  readonly prepared: readonly string[];
  /** Subscriptions that go on writing, each by its name: for people to disable. */
  readonly subscriptions: readonly string[];
  readonly jobsPaused: number;
  /** Logins that administer the database, and so could open it: for people to look at. */
  readonly administrators: readonly string[];
}

/**
 * Idempotent. Throws FenceFailed where the database cannot be closed, and RoleUnusable, before anything is altered, where
 * another login or the application itself could lift the fence.
 */
export async function closeTo(
  opened: Opened,
  logins: readonly Login[],
  settings: Settings,
  { prepared, subscriptions = prepared === 'keep' ? 'keep' : 'refuse', setPasswords }: Closing,
): Promise<Closed> {
  const { session } = opened;
  const roles = logins.map((login) => login.username);
  await requireRoles(session, roles);
  const { writers, administrators } = await otherLogins(session, settings, roles);
  if (writers.length > 0)
    throw RoleUnusable(
      `${writers.join(', ')} can log in and write the application's tables, and no fence closes them out: list them in database.applicationRoles, or take their login or their privileges.`,
    );
  const subscribed = await enabledSubscriptions(session);
  if (subscriptions === 'refuse') refuseSubscriptions(subscribed);
  if (prepared === 'refuse') await refusePrepared(session); // before anybody is cut off
  for (const login of logins)
    await alterRole(session, login.username, setPasswords ? `nologin ${passwordClause(login)}` : 'nologin');
  // After that: from here on nobody dates them again. A date that has passed would refuse the password first, and prove nothing.
  await liftExpiry(session, roles);
  const jobsPaused = await pauseScheduledJobs(opened);
  let sessionsEnded = await endSessions(session, roles);
  if (jobsPaused > 0) {
    await session.query(`select pg_sleep(${schedulerRoundSeconds})`);
    sessionsEnded += await endSessions(session, roles);
  }
  const rolledBack = prepared === 'roll-back' ? await rollBackPrepared(session) : 0;
  // Again: one that was prepared in between could still be committed.
  if (prepared === 'refuse') await refusePrepared(session);
  const left = prepared === 'keep' ? await preparedIn(session) : [];
  return { sessionsEnded, rolledBack, prepared: left, subscriptions: subscribed, jobsPaused, administrators };
}

/** What a closed database still holds or takes, for people to decide about. */
export const leftOpen = ({ prepared, subscriptions }: Pick<Closed, 'prepared' | 'subscriptions'>): string[] => [
  ...(prepared.length > 0
    ? [`Prepared transactions are left, for people to commit or roll back: ${prepared.join(', ')}`]
    : []),
  ...(subscriptions.length > 0
    ? [`Subscriptions go on writing until they are disabled: ${subscriptions.join(', ')}`]
    : []),
];

export interface Opening {
  /** Starts what the fence paused, and nothing else. */
  readonly resumeJobs: boolean;
  /** Until when, if nobody renews it (expiry.ts); undefined lifts what the copy came with. */
  readonly expiry: string | undefined;
}

/** The roles may log in again. */
export async function openTo(opened: Opened, roles: readonly string[], { resumeJobs, expiry }: Opening): Promise<void> {
  if (expiry === undefined) await liftExpiry(opened.session, roles);
  for (const role of roles)
    await alterRole(opened.session, role, expiry === undefined ? 'login' : `login ${expiryClause(expiry)}`);
  if (resumeJobs) await resumeScheduledJobs(opened);
}

/** Whether any of these logins is known to the database. */
export async function hasRoles(session: Session, logins: readonly Login[]): Promise<boolean> {
  const roles = logins.map(({ username }) => username);
  return (await session.query('select 1 from pg_roles where rolname = any($1)', [roles])).length > 0;
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

/** pg_cron sees that a job is paused in its next round of a second, and may begin the job once more in this one. */
const schedulerRoundSeconds = 2;

/**
 * The application's, and those of scheduled jobs in its database, whoever owns them: a paused job runs to its end. A login
 * that was being authenticated while the role was altered shows up a moment later: look again until none is left.
 */
async function endSessions(session: Session, roles: readonly string[]): Promise<number> {
  let ended = 0;
  for (let round = 0; round < 5; round += 1) {
    // The timeout makes it wait until the backend is really gone.
    const rows = await session.query(
      `select pg_terminate_backend(pid, 3000) as gone from pg_stat_activity where usename = any($1)
         or (datname = current_database() and (application_name = 'pg_cron' or backend_type in ('pg_cron', 'pg_cron worker')))`,
      [roles],
    );
    ended += rows.filter((row) => row.gone === 't').length;
    if (rows.length === 0) return ended;
  }
  throw FenceFailed(`Sessions of ${roles.join(', ')}, or of scheduled jobs, do not end.`);
}

const preparedSql = 'select gid, owner from pg_prepared_xacts where database = current_database()';

const preparedIn = async (session: Session): Promise<string[]> =>
  (await session.query(preparedSql)).map(({ gid, owner }) => `${gid} of ${owner}`);

/** A prepared transaction survives its session and could still be committed; whether it should be, only people know. */
async function refusePrepared(session: Session): Promise<void> {
  const prepared = await preparedIn(session);
  if (prepared.length === 0) return;
  const named = prepared.join(', ');
  throw FenceFailed(`Prepared transactions wait for an end: ${named}. Commit or roll them back as their owners.`, {
    details: { prepared: named },
  });
}

/**
 * The apply worker of a subscription is no login, and writes as long as it is enabled. Everybody may read these columns.
 * In another database of the instance it writes nothing of the application's.
 */
const subscriptionsSql = `select subname as name from pg_subscription
  where subenabled and subdbid = (select oid from pg_database where datname = current_database()) order by 1`;

const enabledSubscriptions = async (session: Session): Promise<string[]> =>
  (await session.query(subscriptionsSql)).map(({ name }) => name ?? '');

function refuseSubscriptions(subscriptions: readonly string[]): void {
  if (subscriptions.length === 0) return;
  const named = subscriptions.join(', ');
  throw FenceFailed(`Subscriptions write into this database, and no fence closes them out: ${named}.`, {
    details: { subscriptions: named },
    next: `In production, ALTER SUBSCRIPTION … DISABLE for ${named}, and keep what the publisher holds for it, its replication slot; then start again. Enable it where production is afterwards.`,
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

/** Undefined where the instance has no pg_cron. */
async function inCronDatabase<T>(
  { session, sessions, target, master }: Opened,
  use: (cron: Session) => Promise<T>,
): Promise<T | undefined> {
  const [setting] = await session.query("select current_setting('cron.database_name', true) as database");
  if (setting?.database == null) return undefined;
  return withSession(sessions, { ...target, database: setting.database }, master, async (cron) => {
    const [table] = await cron.query("select to_regclass('cron.job') as jobs");
    return table?.jobs == null ? undefined : use(cron);
  });
}

/** Which ones were paused is kept beside the application's data, so that it travels with it as the fence does. */
async function pauseScheduledJobs(opened: Opened): Promise<number> {
  const { session } = opened;
  const pause = async (cron: Session) => {
    const jobs = (await cron.query('select jobid from cron.job where active')).map(({ jobid }) => jobid ?? '');
    if (jobs.length === 0) return 0;
    await session.query('create schema if not exists stocker_dr');
    await session.query('create table if not exists stocker_dr.paused_job (jobid bigint primary key)');
    await session.query('insert into stocker_dr.paused_job select unnest($1::bigint[]) on conflict do nothing', [jobs]);
    await cron.query('select cron.alter_job(jobid, active := false) from cron.job where jobid = any($1::bigint[])', [
      jobs,
    ]);
    return jobs.length;
  };
  return (await inCronDatabase(opened, pause)) ?? 0;
}

async function resumeScheduledJobs(opened: Opened): Promise<void> {
  const { session } = opened;
  const [kept] = await session.query("select to_regclass('stocker_dr.paused_job') as name");
  if (kept?.name == null) return;
  const jobs = (await session.query('select jobid from stocker_dr.paused_job')).map(({ jobid }) => jobid ?? '');
  if (jobs.length === 0) return;
  await inCronDatabase(opened, (cron) =>
    cron.query('select cron.alter_job(jobid, active := true) from cron.job where jobid = any($1::bigint[])', [jobs]),
  );
  await session.query('delete from stocker_dr.paused_job');
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
