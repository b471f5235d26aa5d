/** What writes into a database without being a session of the application: scheduled jobs, subscriptions, prepared transactions. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Closing, closeTo, fenceLogins } from '../../../core/database/fence.ts';
import type { Session, Sessions } from '../../../core/database/ports.ts';
import { closeCandidate } from '../../../core/database/restore-database.ts';
import { stepTimeouts, withSession } from '../../../core/database/sql.ts';
import { databaseUndos } from '../../../core/database/undo.ts';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeClock, FakeControl, makeInstance } from '../fakes.ts';
import { FakeDatabases, FakeParameters } from './fakes.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.query('alter role stocker_app login'));

async function close(change: Partial<Closing> = {}, sessions: Sessions = database.sessions) {
  const target = database.candidate;
  const { master, logins } = await fenceLogins(settings, secrets);
  return withSession(sessions, target, master, (session) =>
    closeTo({ session, sessions, target, master }, logins, settings, {
      prepared: 'refuse',
      setPasswords: false,
      ...change,
    }),
  );
}
const canLogIn = async () =>
  (await database.query("select rolcanlogin from pg_roles where rolname = 'stocker_app'"))[0]?.rolcanlogin === 't';

describe('scheduled jobs', () => {
  beforeAll(async () => {
    for (const statement of [
      // As pg_cron keeps them, in whichever database.
      "alter database stocker set cron.database_name = 'postgres'",
      'create schema cron authorization postgres',
      'create table cron.job as select 1::bigint as jobid, true as active',
      'alter table cron.job owner to postgres',
      `create function cron.alter_job(job_id bigint, active boolean) returns void language sql
         as 'update cron.job set active = $2 where jobid = $1'`,
    ])
      await database.cluster.query(statement);
  });
  afterAll(() => database.cluster.query('alter database stocker reset cron.database_name'));
  beforeEach(() => database.cluster.query('update cron.job set active = true'));

  /** A job of the master, as pg_cron connects where it uses no background workers. */
  const begin = async (): Promise<Session> =>
    database.sessions.open(database.candidate, await secrets.credentials('stocker/master'), {
      ...stepTimeouts,
      applicationName: 'pg_cron',
    });
  /** A job begins right before the master's statement. */
  const beginningAt = (statement: string, begun: Session[]): Sessions => ({
    async open(...asked) {
      const session = await database.sessions.open(...asked);
      const query: Session['query'] = async (sql, parameters) => {
        if (sql.includes(statement)) begun.push(await begin());
        return session.query(sql, parameters);
      };
      return { query, close: session.close };
    },
  });

  test('are paused, once', async () => {
    expect(await close()).toMatchObject({ jobsPaused: 1 });
    expect(await close()).toMatchObject({ jobsPaused: 0 });
  });

  test.each([
    { when: 'before they are paused', statement: 'cron.alter_job' },
    { when: 'in the round of the scheduler that does not know of it yet', statement: 'pg_sleep' },
  ])('that begin $when are ended', async ({ statement }) => {
    const begun: Session[] = [];
    await close({}, beginningAt(statement, begun));
    expect(begun).toHaveLength(1);
    await expect(begun[0]?.query('create table stocker.late (id int)')).rejects.toThrow();
  });

  test('that were begun by one that is paused already are ended, too', async () => {
    await close();
    const job = await begin();
    expect(await close()).toMatchObject({ jobsPaused: 0, sessionsEnded: 1 });
    await expect(job.query('select 1')).rejects.toThrow();
  });

  test('of another database of the instance run on', async () => {
    const { username, password } = await secrets.credentials('stocker/master');
    const elsewhere = { ...database.candidate, database: 'postgres' };
    const options = { ...stepTimeouts, applicationName: 'pg_cron' };
    const job = await database.sessions.open(elsewhere, { username, password }, options);
    await close();
    await job.query('select 1');
    await job.close();
  });
});

describe('an enabled subscription', () => {
  beforeAll(async () => {
    await database.query(
      "create subscription inbound connection 'host=127.0.0.1 port=1 dbname=x user=x password=x' publication x with (connect = false)",
    );
  });
  afterAll(async () => {
    await database.query('alter subscription inbound disable');
    await database.query('alter subscription inbound set (slot_name = none)');
    await database.query('drop subscription inbound');
  });

  test('is refused before anything is altered, with what to do', async () => {
    await database.query('alter subscription inbound enable');
    await expect(close()).rejects.toMatchObject({
      name: 'FenceFailed',
      message: expect.stringContaining('inbound'),
      next: expect.stringMatching(/DISABLE for inbound.*replication slot/),
    });
    await expect(close({ prepared: 'roll-back' })).rejects.toMatchObject({ name: 'FenceFailed' });
    expect(await canLogIn()).toBe(true);
  });

  test.each<{ case: string; closing: Partial<Closing> }>([
    { case: 'the fence must stand whatever is found', closing: { prepared: 'keep' } },
    { case: 'it came with a recovery’s copy', closing: { subscriptions: 'keep' } },
  ])('is named and left where $case', async ({ closing }) => {
    await database.query('alter subscription inbound enable');
    expect(await close(closing)).toMatchObject({ subscriptions: ['inbound'] });
    expect(await canLogIn()).toBe(false);
  });

  test('(control) is none once it is disabled', async () => {
    await database.query('alter subscription inbound disable');
    expect(await close()).toMatchObject({ subscriptions: [] });
  });
});

describe('prepared transactions', () => {
  const prepare = async (secret: string, gid: string, sku: string) => {
    const session = await database.sessions.open(database.candidate, await secrets.credentials(secret), stepTimeouts);
    await session.query(`begin; insert into stocker.product (tenant_id, sku, name) values (1, '${sku}', 'x')`);
    await session.query(`prepare transaction '${gid}'`);
    await session.close();
  };
  const left = async () => (await database.query('select gid from pg_prepared_xacts order by 1')).map(({ gid }) => gid);

  test('are kept where the fence must stand, each named with its owner', async () => {
    await prepare('stocker/app', 'of the application', 'a');
    // One that the product may not roll back: that would fail the fence.
    await prepare('stocker/master', 'of the master', 'b');
    const { prepared, rolledBack } = await close({ prepared: 'keep' });
    expect([...prepared].sort()).toEqual(['of the application of stocker_app', 'of the master of postgres']);
    expect(rolledBack).toBe(0);
    expect(await canLogIn()).toBe(false);
    await database.query("rollback prepared 'of the master'");
  });

  test('are kept in a copy that an undo closes', async () => {
    const id = 'recovery-20261122T201500Z-1a2b3c4d';
    const { identifier, address, port } = database.candidate;
    const databases = new FakeDatabases(makeInstance({ identifier, address, port, tags: { [incidentTag]: id } }));
    const undos = databaseUndos({
      ...{ settings, control: new FakeControl(), databases, secrets, sessions: database.sessions },
      ...{ databasesIn: () => databases, clock: new FakeClock(), parameters: new FakeParameters() },
      workloads: { restart: async () => 1 },
    });
    const { outcome } = (await undos[closeCandidate]?.({ identifier, incidentId: id })) ?? {};
    expect(outcome).toContain('is closed to the application');
    expect(await left()).toEqual(['of the application']);
    expect(await canLogIn()).toBe(false);
  });
});
