import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDebt } from '../../../core/configuration/debt.ts';
import { cutOver } from '../../../core/database/cut-over.ts';
import { fenceDatabase } from '../../../core/database/fence-database.ts';
import { fenceSource } from '../../../core/database/fence-source.ts';
import type { DatabaseInstance, Sessions } from '../../../core/database/ports.ts';
import { databaseUndos } from '../../../core/database/undo.ts';
import type { ExecutionStatus } from '../../../core/incident/ports.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeDebts } from '../configuration/fakes.ts';
import { FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeInstance, makeLease } from '../fakes.ts';
import { FakeBaselines, FakeCompensations, FakeDatabases, FakeParameters, makePlan } from './fakes.ts';

const id = 'recovery-20261122T201500Z-1a2b3c4d';
const incident = makeIncident({ id, mode: 'recovery' });

describe('production', () => {
  let database: TestDatabase;
  let databases: FakeDatabases;
  let compensations: FakeCompensations;
  let control: FakeControl;
  let announcer: FakeAnnouncer;
  /** What the next looks at the execution find. */
  let statuses: ExecutionStatus[];

  beforeAll(async () => {
    database = await startDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query('alter role stocker_app login');
    statuses = [];
    databases = new FakeDatabases();
    compensations = new FakeCompensations();
    announcer = new FakeAnnouncer();
    control = Object.assign(new FakeControl(), { active: database.active, lease: makeLease({ incidentId: id }) });
  });

  const plan = (change = {}) => {
    const { address, port } = database.active;
    return makePlan({
      source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address, port },
      candidate: 'stocker-pro-staging-0a1b2c3d',
      ...change,
    });
  };
  const fence = (sessions: Sessions = database.sessions, change = {}) =>
    fenceSource(
      { incident, plan: plan(change) },
      {
        ...{ settings, databases, secrets, sessions, compensations, control },
        executions: { status: async () => statuses.shift() ?? 'RUNNING' },
        clock: new FakeClock(),
        announcer,
      },
    );
  const undos = (sessions: Sessions) =>
    databaseUndos({
      ...{ settings, control, databases, secrets, sessions },
      databasesIn: () => databases,
      clock: new FakeClock(),
      parameters: new FakeParameters(),
      workloads: { restart: async () => 1 },
    });
  const undo = async (sessions: Sessions = database.sessions) => {
    const [open] = await compensations.open();
    return open && (await undos(sessions)[open.name]?.(open.facts))?.outcome;
  };
  const logIn = async () => {
    const options = { statementTimeoutMs: 5_000, applicationName: 'test' };
    return database.sessions.open(database.candidate, await secrets.credentials('stocker/app'), options);
  };
  const isRefused = () =>
    logIn().then(
      async (session) => session.close().then(() => false),
      (error: { code?: string }) => error.code === '28000',
    );
  const refusing: Sessions = {
    open: () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
  };

  test('is fenced and proven, and can be opened again from what was registered before', async () => {
    const open = await logIn();
    expect((await fence()).output).toEqual({ outcome: 'fenced', fencedAt: new FakeClock().now().toISOString() });
    await expect(open.query('select 1')).rejects.toThrow();
    expect(await isRefused()).toBe(true);
    expect(announcer.announced).toMatchObject([
      { kind: 'milestone', customers: { subject: expect.stringContaining('changes cannot be saved') } },
    ]);
    expect(compensations.all).toMatchObject([{ name: 'unfence-source', facts: { epoch: 1, roles: ['stocker_app'] } }]);
    await fence();
    expect(compensations.all).toHaveLength(1);
    expect(await undo()).toContain('takes the writes of stocker_app again');
    expect(await isRefused()).toBe(false);
    expect(await undo()).toContain('takes the writes'); // again, harmlessly
  });

  test('is left alone when its execution was stopped before', async () => {
    const open = await logIn();
    statuses = ['ABORTED'];
    await expect(fence()).rejects.toMatchObject({ name: 'LeaseLost', message: expect.stringContaining('ABORTED') });
    await open.query('select 1');
    await open.close();
    expect(compensations.all).toEqual([]);
  });

  test('is opened again when its execution was stopped while it was fenced', async () => {
    statuses = ['RUNNING', 'ABORTED'];
    await expect(fence()).rejects.toMatchObject({ name: 'LeaseLost', message: expect.stringContaining('ABORTED') });
    expect(await isRefused()).toBe(false);
  });

  test('stays fenced when its execution was stopped and another recovery is at work on it', async () => {
    statuses = ['RUNNING', 'ABORTED'];
    control.lease = makeLease({ incidentId: 'recovery-2', executionArn: 'arn:another', mode: 'recovery' });
    await expect(fence()).rejects.toThrow('recovery-2 is at work');
    expect(await isRefused()).toBe(true);
  });

  test('stays fenced when another database has become production', async () => {
    await fence();
    control.active = { ...database.active, identifier: 'new', resourceId: 'db-NEW', epoch: 2 };
    expect(await undo()).toContain('stays fenced');
    expect(await isRefused()).toBe(true);
  });

  test('is not cut off while a prepared transaction waits, and people are told which', async () => {
    const session = await logIn();
    await session.query("begin; insert into stocker.product (tenant_id, sku, name) values (1, 'prepared', 'x')");
    await session.query("prepare transaction 'half done'");
    await expect(fence()).rejects.toMatchObject({
      name: 'FenceFailed',
      message: expect.stringContaining('half done of stocker_app'),
    });
    expect(await isRefused()).toBe(false);
    await session.query("rollback prepared 'half done'");
    await session.close();
  });

  test('is not cut off while another login could write, and people are told who', async () => {
    await database.query('create role batch login noinherit in role stocker_app');
    const refused = fence();
    await expect(refused).rejects.toMatchObject({ name: 'RoleUnusable' });
    await expect(refused).rejects.toThrow('batch can log in and write');
    expect(await isRefused()).toBe(false);
    await database.query('drop role batch');
  });

  /** pg_cron, as far as the fence knows it; `use` is given the number of jobs that run. */
  async function withCron(use: (active: () => Promise<number>) => Promise<void>): Promise<void> {
    const statements = [
      "alter database stocker set cron.database_name = 'postgres'",
      'create schema cron authorization postgres',
      'create table cron.job as select 1::bigint as jobid, true as active union all select 2, false',
      'alter table cron.job owner to postgres',
      `create function cron.alter_job(job_id bigint, active boolean) returns void language sql
         as 'update cron.job set active = $2 where jobid = $1'`,
    ];
    for (const statement of statements) await database.cluster.query(statement);
    await use(async () => (await database.cluster.query('select jobid from cron.job where active')).length);
    await database.cluster.query('drop schema cron cascade');
    await database.cluster.query('alter database stocker reset cron.database_name');
  }

  test('pauses its scheduled jobs, in whichever database pg_cron keeps them, and undoing starts those again', () =>
    withCron(async (active) => {
      expect((await fence()).facts).toMatchObject({ jobsPaused: 1 });
      expect(await active()).toBe(0);
      expect((await fence()).facts).toMatchObject({ jobsPaused: 0 });
      await undo();
      expect(await active()).toBe(1);
    }));

  test('is opened whole by the next try, at whichever statement of its opening the connection dies', () =>
    withCron(async (active) => {
      /** Loses the answer of one statement, which is done. */
      const dyingAt = (last: number): Sessions => {
        let statements = 0;
        return {
          async open(...connection) {
            const session = await database.sessions.open(...connection);
            const query: typeof session.query = async (sql, parameters) => {
              const rows = await session.query(sql, parameters);
              if (++statements === last) throw new Error('Connection terminated unexpectedly');
              return rows;
            };
            return { query, close: session.close };
          },
        };
      };
      const died: number[] = [];
      for (let last = 1; ; last++) {
        await fence();
        expect([await isRefused(), await active()]).toEqual([true, 0]);
        const outcome = await undo(dyingAt(last)).catch((error: Error) => error.name);
        if (outcome !== 'DatabaseNotReady') break; // its last statement was survived
        died.push(last);
        await undo();
        expect({ last, refused: await isRefused(), jobs: await active() }).toEqual({ last, refused: false, jobs: 1 });
      }
      expect(died.length).toBeGreaterThan(5); // the role, the jobs' table, pg_cron's session, the jobs, their list
    }));

  describe('and the copy that a recovery was making', () => {
    const candidate = 'stocker-pro-staging-0a1b2c3d';
    const copy = (change: Partial<DatabaseInstance> = {}) =>
      databases.instances.set(
        candidate,
        makeInstance({
          ...{ identifier: candidate, resourceId: 'db-COPY', status: 'available', tags: { 'stocker-dr:incident': id } },
          ...{ address: database.candidate.address, port: database.candidate.port },
          settings: { securityGroupIds: ['sg-production'] },
          ...change,
        }),
      );
    const away = { address: undefined, port: undefined, settings: { securityGroupIds: ['sg-isolated'] } };
    const isolated = { status: 'creating', ...away };
    const close = async () =>
      (await undos(database.sessions)['close-candidate']?.({ identifier: candidate, incidentId: id }))?.outcome;

    // Up, it may admit a login that no fence of ours knows, and refuse to be fenced.
    test.each(['creating', 'modifying'])(
      'is opened at once beside one out of the application’s reach that is %s',
      async (status) => {
        await fence();
        copy({ ...isolated, status });
        expect(await undo()).toContain('takes the writes of stocker_app again');
        await expect(close()).rejects.toMatchObject({ name: 'DatabaseNotReady' });
      },
    );

    test.each([
      {
        case: 'is within the application’s reach',
        change: { ...isolated, settings: { securityGroupIds: ['sg-isolated', 'sg-production'] } },
      },
      { case: 'says nothing of its groups', change: { ...isolated, settings: {} } },
    ])('waits for a copy that $case', async ({ change }) => {
      await fence();
      copy(change);
      await expect(undo()).rejects.toMatchObject({ name: 'DatabaseNotReady' });
      expect(await isRefused()).toBe(true);
    });

    test.each([
      { case: 'is closed and kept', change: {}, refused: true, says: 'is closed to the application' },
      {
        case: 'is left alone where another incident made it',
        change: { tags: { 'stocker-dr:incident': 'other' } },
        refused: false,
        says: 'no copy',
      },
    ])('$case', async ({ change, refused, says }) => {
      copy(change);
      expect(await close()).toContain(says);
      expect(await isRefused()).toBe(refused);
    });

    test('stays open where it has become production', async () => {
      copy();
      control.active = { ...database.active, identifier: candidate, resourceId: 'db-COPY', epoch: 2 };
      expect(await close()).toContain('is production');
      expect(await isRefused()).toBe(false);
    });

    test('needs no closing before a dump has given it the application’s roles', async () => {
      await database.query('alter role stocker_app rename to not_yet');
      copy();
      await close();
      await database.query('alter role not_yet rename to stocker_app');
      expect(
        (await database.query("select rolcanlogin as login from pg_roles where rolname = 'stocker_app'"))[0],
      ).toEqual({ login: 't' });
    });
  });

  test('that dies while it is fenced leaves what opens it again', async () => {
    const dying: Sessions = {
      async open(...connection) {
        const session = await database.sessions.open(...connection);
        const query: typeof session.query = (sql, parameters) => {
          if (sql.includes('pg_terminate_backend')) throw new Error('Connection terminated unexpectedly');
          return session.query(sql, parameters);
        };
        return { query, close: session.close };
      },
    };
    await expect(fence(dying)).rejects.toMatchObject({ name: 'DatabaseNotReady' }); // tried again
    expect(await isRefused()).toBe(true);
    await undo();
    expect(await isRefused()).toBe(false);
  });

  test.each([
    { case: 'RDS has given it up', status: 'failed', outcome: 'gone' },
    { case: 'RDS lists it no more', status: undefined, outcome: 'gone' },
    { case: 'RDS calls it available', status: 'available', outcome: 'FenceFailed' },
  ])('that refuses every connection is $outcome when $case', async ({ status, outcome }) => {
    databases.instances.clear();
    if (status !== undefined) databases.instances.set('stocker-pro-staging', makeInstance({ status }));
    // What was planned while it was there, and was to lose nothing, is told when it was found gone.
    const [now, soft] = [new FakeClock().now().toISOString(), { estimatedLossSeconds: 0 }];
    const ended = (change = {}) =>
      fence(refusing, change).then(
        ({ output }) => output,
        (error: Error) => ({ outcome: error.name }),
      );
    expect(await ended()).toEqual({ outcome });
    expect(await ended(soft)).toEqual({ outcome, ...(outcome === 'gone' && { fencedAt: now }) });
    expect(compensations.all).toEqual([]);
  });

  describe('moves to the candidate', () => {
    // One server plays both: what the cut-over asks of the source is answered by the fence, or by nobody.
    const move = async (
      change: { source?: Partial<{ address: string; port: number }>; parameters?: FakeParameters } = {},
    ) => {
      const { parameters = new FakeParameters() } = change;
      const [debts, baselines] = [new FakeDebts(), new FakeBaselines()];
      const known = { version: 1, schemaHash: 'x', rows: {}, appendOnly: {} } as const;
      const of = (schemaVersion: string, resourceId: string, minute: string) =>
        baselines.record({ ...known, schemaVersion, at: `2026-11-22T20:${minute}:00.000Z`, resourceId });
      await of('carried', 'db-PRODUCTION', '00');
      await of('of its predecessor', 'db-BEFORE', '05');
      await of('of what the copy lacks', 'db-PRODUCTION', '11');
      const restarted: string[] = [];
      const source = { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', ...change.source };
      const result = await cutOver(
        { incident, plan: plan({ source }), candidate: { ...database.candidate, identifier: 'new' } },
        {
          ...{ settings, control, databases, baselines, compensations, debts, parameters, secrets, announcer },
          clock: new FakeClock(),
          sessions: database.sessions,
          workloads: { restart: async ({ name }) => restarted.push(name) },
        },
      );
      return { ...result, endpoint: parameters.values.get('/stocker/database'), restarted, baselines, debts };
    };
    const address = '127.0.0.1';

    test('when the source is gone: epoch, endpoint, login, restart; once more changes nothing', async () => {
      await database.query('alter role stocker_app nologin');
      const moved = await move();
      const { port } = database.candidate;
      expect(moved.output).toEqual({ application: 'production' });
      expect(control.active).toMatchObject({ identifier: 'new', resourceId: 'db-COPY', epoch: 2 });
      expect(moved.endpoint).toBe(JSON.stringify({ address, port }));
      expect(moved.restarted).toEqual(['api']);
      expect(moved.facts).toMatchObject({ sourceLeft: 'gone', terraformDebt: { old: 'stocker-pro-staging' } });
      expect(announcer.announced[0]?.lines[1]).toContain('was not proven closed: do not start it');
      expect(await openDebt(control.active, moved.debts)).toMatchObject({ import: 'new', old: 'stocker-pro-staging' });
      expect((await moved.baselines.atOrBefore('2026-11-22T20:11', 'db-COPY'))?.schemaVersion).toBe('carried');
      expect(await isRefused()).toBe(false);
      expect((await move()).output).toEqual({ application: 'production' });
      expect(control.active?.epoch).toBe(2);
      // Production is what it fenced last: a repeated FenceDatabase leaves it alone.
      const sessions = database.sessions;
      const input = { incident, plan: makePlan(), candidate: database.candidate };
      await fenceDatabase(input, { settings, control, databases, secrets, sessions });
      expect(await isRefused()).toBe(false);
    });

    test('is open where the endpoint cannot be written, and a repeated cut-over writes it', async () => {
      await database.query('alter role stocker_app nologin');
      const parameters = new FakeParameters();
      const { write } = parameters;
      parameters.write = async () =>
        Promise.reject(Object.assign(new Error('denied'), { name: 'AccessDeniedException' }));
      await expect(move({ parameters })).rejects.toMatchObject({ name: 'AccessDeniedException' });
      expect(control.active).toMatchObject({ resourceId: 'db-COPY', epoch: 2 });
      expect(await isRefused()).toBe(false);
      parameters.write = write;
      expect((await move({ parameters })).endpoint).toContain(`${database.candidate.port}`);
    });

    test('never while the source takes the application’s logins', async () => {
      const { port } = database.active;
      await expect(move({ source: { address, port } })).rejects.toMatchObject({ name: 'FenceFailed' });
      expect(control.active?.epoch).toBe(1);
    });

    test('not while a source that may be alive says nothing; but when this incident had fenced it', async () => {
      const dead = { address, port: 1 };
      await expect(move({ source: dead })).rejects.toMatchObject({ name: 'DatabaseNotReady' });
      expect(control.active?.epoch).toBe(1);
      await fence();
      expect((await move({ source: dead })).facts).toMatchObject({ sourceLeft: 'closed' });
      expect(control.active?.epoch).toBe(2);
    });

    test('not without the lease, and not when production moved meanwhile', async () => {
      control.lease = makeLease({ incidentId: 'drill-other' });
      await expect(move()).rejects.toMatchObject({ name: 'LeaseLost' });
      control.lease = makeLease({ incidentId: id });
      control.active = { ...database.active, resourceId: 'db-THIRD', epoch: 2 };
      await expect(move()).rejects.toMatchObject({ name: 'LeaseLost' });
    });
  });
});
