import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setCredentials } from '../../../core/database/credentials.ts';
import { cutOver } from '../../../core/database/cut-over.ts';
import { type FenceContext, type FenceInput, fenceDatabase } from '../../../core/database/fence-database.ts';
import { writeHeartbeat } from '../../../core/database/heartbeat.ts';
import { compareFacts, postgresFactsSql } from '../../../core/database/parity.ts';
import type { Credentials, Secrets, Sessions } from '../../../core/database/ports.ts';
import { prepareDatabase } from '../../../core/database/prepare-database.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeDebts } from '../configuration/fakes.ts';
import { FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeInstance, makeLease } from '../fakes.ts';
import { FakeBaselines, FakeCompensations, FakeDatabases, FakeMetrics, FakeParameters, makePlan } from './fakes.ts';

const incident = makeIncident();
const recovery = {
  incident: makeIncident({ id: 'recovery-20261122T201500Z-1a2b3c4d', mode: 'recovery' }),
  plan: makePlan({
    seen: { settings: { securityGroupIds: ['sg-production'] }, tags: {}, engine: 'postgres', engineVersion: '17.5' },
  }),
} as const;

describe('a restored copy', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await startDatabase();
  });
  afterAll(() => database.close());

  const fence = (change: Partial<FenceContext> = {}, of: Partial<FenceInput> = {}) =>
    fenceDatabase(
      { incident, plan: makePlan(), candidate: database.candidate, ...of },
      {
        ...{ settings, control: control(), databases: new FakeDatabases(), secrets, sessions: database.sessions },
        ...change,
      },
    );
  const logIn = async (login?: Credentials) => {
    const options = { statementTimeoutMs: 5_000, applicationName: 'test' };
    return database.sessions.open(database.candidate, login ?? (await secrets.credentials('stocker/app')), options);
  };
  const control = () => Object.assign(new FakeControl(), { active: database.active, lease: makeLease() });

  test('is fenced: sessions end, prepared transactions are rolled back, the application cannot log in', async () => {
    const open = await logIn();
    await open.query("begin; insert into stocker.product (tenant_id, sku, name) values (1, 'prepared', 'x')");
    await open.query("prepare transaction 'left over'");
    const { output, facts } = await fence();
    expect(output).toEqual({ roles: ['stocker_app'], sessionsEnded: 1 });
    expect(facts).toMatchObject({ rolledBack: 1, proof: 'login refused with SQLSTATE 28000' });
    await expect(open.query('select 1')).rejects.toThrow();
    await expect(logIn()).rejects.toMatchObject({ code: '28000' });
    expect(await database.query('select * from pg_prepared_xacts')).toEqual([]);
    expect((await fence()).output.sessionsEnded).toBe(0);
  });

  test('is proven with the current password, not with the one it was restored with', async () => {
    const rotated: Secrets = {
      credentials: async (name) =>
        name === 'stocker/app' ? { username: 'stocker_app', password: 'rotated since' } : secrets.credentials(name),
    };
    expect((await fence({ secrets: rotated })).output.roles).toEqual(['stocker_app']);
  });

  test('is not called fenced when the application can log in all the same', async () => {
    const leaky: Sessions = {
      async open(address, login, options) {
        if (login.username === 'stocker_app') await database.query('alter role stocker_app login');
        return database.sessions.open(address, login, options);
      },
    };
    const databases = new FakeDatabases();
    await expect(fence({ sessions: leaky, databases }, recovery)).rejects.toMatchObject({ name: 'FenceFailed' });
    expect(databases.admitted).toEqual([]);
  });

  test('is left alone where it is in the application’s network already, as a replica is: RDS takes a backup, and modifies nothing', async () => {
    const { identifier } = database.candidate;
    const promoted = makeInstance({ identifier, status: 'backing-up' });
    const inGroups = (...securityGroupIds: string[]) =>
      new FakeDatabases({ ...promoted, settings: { ...promoted.settings, securityGroupIds } });
    const databases = inGroups('sg-production');
    await fence({ databases }, recovery);
    expect(databases.admitted).toEqual([]);
    const elsewhere = inGroups('sg-isolated');
    await fence({ databases: elsewhere }, recovery);
    expect(elsewhere.admitted).toEqual([{ identifier, securityGroupIds: ['sg-production'] }]);
  });

  test('is admitted to the application’s network once it is proven closed; a drill’s never', async () => {
    await database.query('alter role stocker_app login');
    const databases = new FakeDatabases();
    let wasClosed: unknown;
    databases.admit = async function (identifier, securityGroupIds) {
      const [role] = await database.query("select rolcanlogin as login from pg_roles where rolname = 'stocker_app'");
      wasClosed = role?.login === 'f';
      this.admitted.push({ identifier, securityGroupIds });
    };
    await fence({ databases });
    expect(databases.admitted).toEqual([]);
    await fence({ databases }, recovery);
    expect(databases.admitted).toEqual([
      { identifier: database.candidate.identifier, securityGroupIds: ['sg-production'] },
    ]);
    expect(wasClosed).toBe(true);
  });

  test('is refused when the application logs in as the master', async () => {
    const asMaster = { ...settings.database, applicationRoles: [{ name: 'postgres', secretName: 'stocker/master' }] };
    const changed = { ...settings, database: asMaster };
    await expect(fence({ settings: changed })).rejects.toMatchObject({ name: 'RoleUnusable' });
  });

  test.each([
    {
      case: 'another login owns one of its tables',
      make: 'create role owner login; grant owner to postgres; create table stocker.owned (id int); grant create, usage on schema stocker to owner; alter table stocker.owned owner to owner',
      undo: 'drop table stocker.owned; revoke all on schema stocker from owner; drop role owner',
      says: 'owner can log in and write',
    },
    {
      case: 'another login is a member of its role',
      make: 'create role batch login noinherit in role stocker_app',
      undo: 'drop role batch',
      says: 'batch can log in and write',
    },
    {
      case: 'the application may make roles, and so its own login',
      make: 'alter role stocker_app createrole',
      undo: 'alter role stocker_app nocreaterole',
      says: 'lift its own fence',
    },
  ])('is refused when $case, and nothing is altered', async ({ make, undo, says }) => {
    await database.query('alter role stocker_app login');
    await database.query(make);
    const refused = fence();
    await expect(refused).rejects.toMatchObject({ name: 'RoleUnusable' });
    await expect(refused).rejects.toThrow(says);
    const [role] = await database.query("select rolcanlogin as login from pg_roles where rolname = 'stocker_app'");
    expect(role).toEqual({ login: 't' });
    await database.query(undo);
    expect((await fence()).output.roles).toEqual(['stocker_app']);
  });

  test('is fenced beside people who only read, and beside administrators, who are named', async () => {
    await database.query('create role analyst login; grant pg_read_all_data to analyst');
    await database.query('create role dba login; grant rds_superuser to dba');
    expect((await fence()).facts).toMatchObject({ administrators: ['dba'] });
    await database.query('drop role analyst; drop role dba');
  });

  test('is refused with the fix when the master may not alter the role', async () => {
    const denied = Object.assign(new Error('permission denied'), { code: '42501' });
    const master: Sessions = {
      async open(address, login, options) {
        const session = await database.sessions.open(address, login, options);
        const query: typeof session.query = (sql, parameters) =>
          sql.startsWith('alter role') ? Promise.reject(denied) : session.query(sql, parameters);
        return { query, close: session.close };
      },
    };
    await expect(fence({ sessions: master })).rejects.toThrow('grant stocker_app to it with admin option');
  });

  test('is cut over: the application logs in and writes again, and its endpoint is published', async () => {
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
    await fence();
    const facts = await database.query(postgresFactsSql);
    const [before] = [Object.fromEntries(facts.map((row) => [row.setting ?? '', row.value ?? '']))];
    expect(
      compareFacts({ ...before, 'role stocker_app login': 'yes' }, before, { settings, mode: 'drill' }),
    ).toMatchObject([{ setting: 'role stocker_app login', expected: 'the copy is fenced until the cut-over' }]);
    await setCredentials({ candidate: database.candidate }, { settings, secrets, sessions: database.sessions });
    const parameters = new FakeParameters();
    const ports = {
      settings,
      clock: new FakeClock(),
      control: control(),
      databases: new FakeDatabases(),
      baselines: new FakeBaselines(),
      compensations: new FakeCompensations(),
      debts: new FakeDebts(),
      parameters,
      secrets,
      sessions: database.sessions,
      workloads: { restart: async () => 2 },
      announcer: new FakeAnnouncer(),
    };
    const input = { incident, plan: makePlan(), candidate: database.candidate };
    expect((await cutOver(input, ports)).output).toEqual({ application: 'canary' });
    await (await logIn()).close();
    const { address, port } = database.candidate;
    expect(parameters.values.get('/stocker/canary/database')).toBe(JSON.stringify({ address, port }));
    const late = { ...input, plan: makePlan({ epoch: 2 }) };
    await expect(cutOver(late, ports)).rejects.toMatchObject({ name: 'LeaseLost' });
  });

  test('takes a heartbeat once prepared, and keeps two days of them', async () => {
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
    await database.query(
      "insert into stocker_dr.heartbeat (at, lsn, xid) values (clock_timestamp() - interval '3 days', '0/1', '5')",
    );
    const metrics = new FakeMetrics();
    const context = { settings, region: 'us-east-1', clock: new FakeClock(), control: control(), secrets, metrics };
    const beat = await writeHeartbeat({ ...context, sessions: database.sessions });
    expect(beat).toMatchObject({ written: true, at: expect.stringMatching(/\.\d{6}Z$/) });
    expect(metrics.values.HeartbeatWritten).toBe(1);
    expect(await database.query('select count(*) as beats from stocker_dr.heartbeat')).toEqual([{ beats: '1' }]);
    expect(metrics.values.HeartbeatAgeSeconds).toBeCloseTo(3 * 86_400, -2);
    expect(await writeHeartbeat({ ...context, region: 'us-west-2', sessions: database.sessions })).toMatchObject({
      written: false,
    });
  });

  test('is not spoken to when its certificate is of another authority', async () => {
    const { sessions } = await import('../../../lambdas/adapters/postgres/sessions.ts');
    const { createCertificateAuthority } = await import('../../../local/certificates.ts');
    const other = await createCertificateAuthority();
    const options = { statementTimeoutMs: 5_000, applicationName: 'test' };
    const login = await secrets.credentials('stocker/master');
    await expect(sessions(() => other.certificate).open(database.candidate, login, options)).rejects.toThrow(
      /certificate/,
    );
  });
});
