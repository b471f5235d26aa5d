/** LoadDump: fills the empty instance of a restore from a logical dump, as `gunzip | psql` would, and more strictly. */

import { formatSeconds, secondsBetween } from '../../incident/moments.ts';
import type { Clock } from '../../incident/ports.ts';
import type { Settings } from '../../settings.ts';
import type { StepResult } from '../../step.ts';
import type { Candidate, RestorePlan } from '../contracts.ts';
import { applicationLogins, loginOf } from '../credentials.ts';
import { DumpUnusable } from '../errors.ts';
import type { CopySession, CopySessions, Secrets, Session } from '../ports.ts';
import { ensureRole, prepareFor } from '../prepare-database.ts';
import { restoreOf } from '../restore-database.ts';
import { addressOf, isAnswered, messageOf, quoteIdentifier, sqlState, whileConnected } from '../sql.ts';
import { gunzip, isGzipError } from './gunzip.ts';
import type { DumpFile, Dumps } from './ports.ts';
import { beginningOf, DumpBroken, type DumpItem, readDump } from './read-dump.ts';

export interface LoadDumpContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly dumps: Dumps;
  readonly secrets: Secrets;
  readonly copySessions: CopySessions;
}

/** What was loaded, for the report. */
export interface Loaded {
  readonly statements: number;
  readonly tables: number;
  readonly rows: number;
  /** Roles that the dump names and the settings do not: made NOLOGIN. */
  readonly rolesMade: readonly string[];
  /** Session settings that this server does not know. */
  readonly settingsSkipped: readonly string[];
}

/** As long as a job may run at all; a dump sets its own timeouts off. */
const loadTimeouts = { statementTimeoutMs: 4 * 3600 * 1000, applicationName: 'stocker-dr' };

/**
 * All of it or nothing: one transaction, which ends at the first error. Throws DumpUnusable where the dump is cut off,
 * changed on the way, or refused by PostgreSQL. A repeated step finds what an earlier one has loaded.
 */
export async function loadDump(
  { plan, candidate }: { plan: RestorePlan; candidate: Candidate },
  { settings, clock, dumps, secrets, copySessions }: LoadDumpContext,
): Promise<StepResult<Record<string, never>>> {
  const { restore } = restoreOf(plan);
  if (restore.kind !== 'dump') throw new Error(`The plan restores ${candidate.identifier} from no dump.`);
  const dump = await dumps.find(restore.dump);
  if (dump === undefined) throw DumpUnusable(`The dump ${restore.dump} is gone since the plan was made.`);
  const { masterSecretName, heartbeatRole, sentinelRole } = settings.database;
  const [master, application, heartbeat, sentinel] = await Promise.all([
    secrets.credentials(masterSecretName),
    applicationLogins(settings, secrets),
    loginOf(heartbeatRole, secrets),
    loginOf(sentinelRole, secrets),
  ]);
  const started = clock.now().toISOString();
  return whileConnected(candidate, async () => {
    const session = await copySessions.open(addressOf(candidate), master, loadTimeouts);
    try {
      let loaded: Loaded | undefined;
      if (!(await isLoaded(session, candidate))) {
        // A dump holds grants to roles, and no roles.
        for (const { username } of application) await makeRole(session, username);
        for (const login of [heartbeat, sentinel]) await ensureRole(session, login);
        loaded = await loadAll(session, dump, candidate, dumps);
      }
      await prepareFor(session, settings.database.name, heartbeat, sentinel);
      await session.query('analyze');
      return told(dump, candidate, loaded, secondsBetween(started, clock.now().toISOString()));
    } finally {
      await session.close();
    }
  });
}

function told(dump: DumpFile, candidate: Candidate, loaded: Loaded | undefined, seconds: number) {
  const what = loaded
    ? `${loaded.rows} rows of ${loaded.tables} tables loaded from ${dump.location} in ${formatSeconds(seconds)}`
    : `${dump.location} was loaded before`;
  return { output: {}, summary: `${candidate.identifier}: ${what}`, facts: { ...dump, ...loaded, seconds } };
}

/** The mark is committed with the rows. It names the instance: a dump of a database that was restored so holds an older one. */
async function isLoaded(session: Session, { resourceId }: Candidate): Promise<boolean> {
  const [table] = await session.query("select to_regclass('stocker_dr.loaded_dump') as name");
  if (table?.name == null) return false;
  const [mark] = await session.query('select 1 from stocker_dr.loaded_dump where resource_id = $1', [resourceId]);
  return mark !== undefined;
}

async function loadAll(session: CopySession, dump: DumpFile, { resourceId }: Candidate, dumps: Dumps): Promise<Loaded> {
  const loading = new Loading(session);
  await session.query('begin');
  try {
    for await (const item of readDump(gunzip(dumps.read(dump.name)))) await loading.take(item);
  } catch (cause) {
    throw unusable(dump, loading.at, cause);
  }
  await session.query('create schema if not exists stocker_dr');
  await session.query(
    'create table if not exists stocker_dr.loaded_dump (resource_id text primary key, dump text not null, at timestamptz not null default now())',
  );
  await session.query('insert into stocker_dr.loaded_dump (resource_id, dump) values ($1, $2)', [
    resourceId,
    dump.name,
  ]);
  await session.query('commit');
  return loading.loaded;
}

/** What is the dump's fault; a lost connection, to S3 or to PostgreSQL, is not. */
function unusable({ location }: DumpFile, at: DumpItem | undefined, cause: unknown): unknown {
  if (cause instanceof DumpBroken) return DumpUnusable(`${location} is no whole dump: ${cause.message}.`, { cause });
  if (isGzipError(cause))
    return DumpUnusable(
      `${location} is damaged or cut off: gzip says "${messageOf(cause)}", after line ${at?.line ?? 0}.`,
      {
        cause,
      },
    );
  if (!isAnswered(cause) || at === undefined) return cause;
  return DumpUnusable(`${location}, line ${at.line}: ${messageOf(cause)}. Statement: ${beginningOf(at.sql)}`, {
    cause,
  });
}

/** Takes the items of a dump into the session's transaction. */
class Loading {
  readonly #session: CopySession;
  readonly #made: string[] = [];
  readonly #skipped: string[] = [];
  #counts = { statements: 0, tables: 0, rows: 0 };
  /** The item that is being taken. */
  at: DumpItem | undefined;

  constructor(session: CopySession) {
    this.#session = session;
  }

  get loaded(): Loaded {
    return { ...this.#counts, rolesMade: this.#made, settingsSkipped: this.#skipped };
  }

  async take(item: DumpItem): Promise<void> {
    this.at = item;
    if (item.kind === 'rows') {
      this.#counts.rows += await this.#session.copyIn(item.sql, item.rows);
      this.#counts.tables += 1;
      return;
    }
    this.#counts.statements += 1;
    const { sql, line } = item;
    requireReadable(sql, line);
    if (unneeded.test(sql)) return;
    if (/^(SET|ALTER|GRANT|REVOKE) /.test(sql)) await this.#takeWithin(sql);
    else await this.#session.query(sql);
  }

  /** These may name what this server has not; a savepoint keeps the transaction for a second attempt. */
  async #takeWithin(sql: string): Promise<void> {
    await this.#session.query('savepoint statement');
    try {
      await this.#session.query(sql);
    } catch (cause) {
      await this.#session.query('rollback to savepoint statement');
      const role = /^role "(.+)" does not exist$/.exec(messageOf(cause))?.[1];
      // Undefined object: a role, or a parameter that a newer pg_dump sets.
      if (sqlState(cause) !== '42704' || (role === undefined && !sql.startsWith('SET '))) throw cause;
      if (role === undefined) {
        this.#skipped.push(sql);
        return;
      }
      await makeRole(this.#session, role);
      // Since PostgreSQL 16 who creates a role may administer it, and hands objects over to it only as its member.
      await this.#session.query(`grant ${quoteIdentifier(role)} to current_user`);
      this.#made.push(role);
      return this.#takeWithin(sql);
    }
    await this.#session.query('release savepoint statement');
  }
}

/**
 * Left out: the transaction that pg_dump opens around large objects, for here everything is one; and comments on
 * extensions, which their owner alone may set and CREATE EXTENSION has set.
 */
const unneeded = /^(BEGIN|COMMIT);$|^COMMENT ON EXTENSION /;

/** The text is read as UTF-8, and a backslash in a plain string as itself. */
function requireReadable(sql: string, line: number): void {
  const [, encoding] = /^SET client_encoding = '(.*)';$/.exec(sql) ?? [];
  if (encoding !== undefined && encoding.toUpperCase() !== 'UTF8')
    throw new DumpBroken(line, `its encoding is ${encoding}; it must be made with --encoding=UTF8`);
  if (sql === 'SET standard_conforming_strings = off;')
    throw new DumpBroken(line, 'it was made with standard_conforming_strings = off');
}

async function makeRole(session: Session, role: string): Promise<void> {
  const [exists] = await session.query('select 1 from pg_roles where rolname = $1', [role]);
  if (exists !== undefined) return;
  await session.query(`create role ${quoteIdentifier(role)} nologin`);
}
