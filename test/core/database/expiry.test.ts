/** The date that strict fencing gives the application's roles: on a real database, in every way in which one is closed and opened. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cutOver } from '../../../core/database/cut-over.ts';
import { expiryAfter, expiryIn, liftExpiry, renewExpiry } from '../../../core/database/expiry.ts';
import { closeTo, proveRefused } from '../../../core/database/fence.ts';
import { fenceDatabase } from '../../../core/database/fence-database.ts';
import type { Session } from '../../../core/database/ports.ts';
import { undoFence } from '../../../core/database/undo.ts';
import { fenceFormer } from '../../../core/region/keep-former.ts';
import type { Settings } from '../../../core/settings.ts';
import { settings as common, logins, secrets, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeDebts } from '../configuration/fakes.ts';
import { FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeLease } from '../fakes.ts';
import { failover } from '../region/fakes.ts';
import { FakeBaselines, FakeCompensations, FakeDatabases, FakeParameters, makePlan } from './fakes.ts';

const tenureSeconds = 120;
const strict: Settings = {
  ...common,
  region: { ...common.region, fencing: { mode: 'strict', tenureSeconds, fenceSeconds: 120 } },
};
const application = logins['stocker/app'] ?? expect.unreachable();
const master = logins['stocker/master'] ?? expect.unreachable();
const roles = [application.username];
const passed = expiryAfter('2020-01-01T00:00:00.000Z', 0);

let database: TestDatabase;
/** Of the master. */
let session: Session;
beforeAll(async () => {
  database = await startDatabase();
  session = await open(master);
});
afterAll(async () => {
  await session?.close();
  await database?.close();
});
beforeEach(() => database.query("alter role stocker_app login valid until 'infinity'"));

const open = (who: typeof master) =>
  database.sessions.open(database.candidate, who, { statementTimeoutMs: 5_000, applicationName: 'test' });
/** What the application meets: its SQLSTATE, or nothing. */
const refusal = () =>
  open(application).then(
    async (admitted) => admitted.close(),
    (error: { code?: string }) => error.code,
  );
const dateOf = async (role = 'stocker_app') =>
  (await database.query(`select rolvaliduntil at time zone 'UTC' as until from pg_roles where rolname = $1`, [role]))[0]
    ?.until;

test('is there only with strict fencing and in the Region that can be cut off, and never beyond a tenure whose last renewal is a look old', () => {
  const now = '2026-11-22T20:15:00.250Z';
  const until = '2026-11-22T20:16:00.250033Z';
  expect(expiryIn(strict, strict.primary.region, now)).toBe(until);
  expect(expiryIn(strict, strict.dr.region, now)).toBeUndefined();
  expect(expiryIn(common, common.primary.region, now)).toBeUndefined();
});

describe('a role', () => {
  test('is dated in one statement, which writes little, and is lifted; who is not named has none', async () => {
    const lsn = async () => (await database.query('select pg_current_wal_lsn() as lsn'))[0]?.lsn;
    await renewExpiry(session, roles, '2199-01-01T00:00:00.000033Z');
    const before = await lsn();
    await renewExpiry(session, roles, '2199-01-01T00:01:00.000033Z');
    const [written] = await database.query('select pg_wal_lsn_diff($1, $2) as bytes', [await lsn(), before]);
    expect(Number(written?.bytes)).toBeLessThan(1000);
    expect(await dateOf()).toBe('2199-01-01 00:01:00.000033');
    expect(await dateOf('postgres')).not.toMatch(/^2199/);
    await liftExpiry(session, roles);
    expect(await dateOf()).toBe('infinity');
  });

  test('whose date has passed is admitted no more, whatever its password; its sessions go on', async () => {
    const before = await open(application);
    await renewExpiry(session, roles, passed);
    expect(await refusal()).toBe('28P01');
    await before.query("insert into stocker.product (tenant_id, sku, name) values (2, 'pooled', 'x')");
    await before.close();
    await renewExpiry(session, roles, '2199-01-01T00:00:00.000033Z');
    expect(await refusal()).toBeUndefined();
  });

  test('whose date is somebody else’s is neither dated nor lifted, and people are told', async () => {
    await database.query("alter role stocker_app valid until '2199-01-01'");
    const refused = renewExpiry(session, roles, passed);
    await expect(refused).rejects.toMatchObject({ name: 'RoleUnusable' });
    await expect(refused).rejects.toThrow('stocker_app has a VALID UNTIL of its own');
    await liftExpiry(session, roles);
    expect(await dateOf()).toBe('2199-01-01 00:00:00');
  });

  test('that is fenced meanwhile is not dated: the proof of the fence would meet the date first', async () => {
    const other = await open(master);
    await other.query('begin');
    await other.query('alter role stocker_app nologin');
    const renewing = renewExpiry(session, roles, passed);
    await someoneWaits();
    await other.query('commit');
    await renewing;
    await other.close();
    expect(await dateOf()).toBe('infinity');
    await proveRefused(database.sessions, { ...database.candidate }, application);
    await renewExpiry(session, roles, passed);
    expect(await dateOf()).toBe('infinity');
  });

  test('that is dated while it is fenced is fenced nevertheless, and its date is lifted', async () => {
    const other = await open(master);
    await other.query('begin');
    await renewExpiry(other, roles, passed);
    const closing = closeTo(opened(), [application], common, { prepared: 'keep', setPasswords: false });
    await someoneWaits();
    await other.query('commit');
    await closing;
    await other.close();
    expect(await dateOf()).toBe('infinity');
    await proveRefused(database.sessions, { ...database.candidate }, application);
  });
});

const opened = () => ({ session, sessions: database.sessions, target: database.candidate, master });

/** Until a statement of the session waits for the lock of another one. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const [row] = await database.query(
      "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'expiry|nologin' and pid <> pg_backend_pid()",
    );
    if (row) return;
  }
}

describe('a database whose date has passed, as a copy and as what returned,', () => {
  const clock = new FakeClock(new Date().toISOString());
  const recovery = 'recovery-20261122T201500Z-1a2b3c4d';
  const control = (region: string, incidentId: string) =>
    Object.assign(new FakeControl(), { active: { ...database.active, region }, lease: makeLease({ incidentId }) });
  const ports = (settings: Settings, at = control(settings.primary.region, recovery)) => ({
    ...{ settings, clock, control: at, secrets, sessions: database.sessions, databases: new FakeDatabases() },
    ...{ baselines: new FakeBaselines(), compensations: new FakeCompensations(), debts: new FakeDebts() },
    ...{ parameters: new FakeParameters(), workloads: { restart: async () => 1 }, announcer: new FakeAnnouncer() },
  });
  const dated = () => new Date(clock.now().getTime() + tenureSeconds * 500).toISOString().slice(0, 19);

  beforeEach(() => renewExpiry(session, roles, passed));

  test.each([
    { case: 'in a drill', mode: 'drill', settings: strict, plan: {}, until: 'infinity' },
    {
      case: 'in the DR Region',
      mode: 'recovery',
      settings: strict,
      plan: { failover: failover() },
      until: 'infinity',
    },
    { case: 'where fencing is not strict any more', mode: 'recovery', settings: common, plan: {}, until: 'infinity' },
    { case: 'in the primary Region', mode: 'recovery', settings: strict, plan: {}, until: undefined },
    {
      case: 'at home again',
      mode: 'recovery',
      settings: strict,
      plan: { failover: failover({ from: 'us-west-2', to: 'us-east-1' }) },
      until: undefined,
    },
  ] as const)('is fenced, proven, and opened $case', async ({ mode, settings, plan: change, until }) => {
    const incident = makeIncident(mode === 'drill' ? {} : { id: recovery, mode });
    // The source is gone.
    const plan = makePlan({ source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' }, ...change });
    const input = { incident, plan, candidate: database.candidate };
    const context = ports(settings, control(settings.primary.region, incident.id));
    expect(await refusal()).toBe('28P01');
    expect((await fenceDatabase(input, context)).facts).toMatchObject({ proof: 'login refused with SQLSTATE 28000' });
    await cutOver(input, context);
    expect(await refusal()).toBeUndefined();
    expect(await dateOf()).toContain(until ?? dated().replace('T', ' '));
  });

  test.each([
    { case: 'with a new date', settings: strict },
    { case: 'without, where fencing is not strict any more', settings: common },
  ])('is opened by the undoing of its fence $case', async ({ settings }) => {
    const { identifier, resourceId, address, port, epoch } = database.active;
    const facts = { identifier, resourceId, address, port, epoch, roles, candidate: 'none', incidentId: recovery };
    const { outcome } = await undoFence({ ...facts, database: 'stocker' }, ports(settings));
    expect(outcome).toContain('takes the writes of stocker_app again');
    expect(await refusal()).toBeUndefined();
    expect(await dateOf()).toContain(settings === strict ? dated().replace('T', ' ') : 'infinity');
  });

  test('is fenced as the former production, and proven by its fence and not by its date', async () => {
    const { identifier, resourceId, address, port } = database.active;
    const former = { identifier, resourceId, address, port, succeededAt: clock.now().toISOString() };
    const plan = makePlan({ failover: failover({ former }) });
    await fenceFormer({ incident: makeIncident(), plan }, { settings: strict, secrets, sessions: database.sessions });
    expect(await refusal()).toBe('28000');
    expect(await dateOf()).toBe('infinity');
  });
});
