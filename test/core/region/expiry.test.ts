/** The date that the guard of the primary Region gives the application's roles, as a real database judges it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { settings as common, secrets, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { activeDatabase, type FakeClock } from '../fakes.ts';
import { canLogIn, strictSite, tenureSeconds } from './strict-site.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.query("alter role stocker_app login valid until 'infinity'"));

const refusal = async () => {
  const login = await secrets.credentials('stocker/app');
  return database.sessions.open(database.candidate, login, { statementTimeoutMs: 5_000, applicationName: 'test' }).then(
    async (session) => session.close(),
    (error: { code?: string }) => error.code,
  );
};
const dates = async () =>
  Object.fromEntries(
    (
      await database.query(`select rolname, to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until
        from pg_roles where isfinite(rolvaliduntil)`)
    ).map(({ rolname, until }) => [rolname, until]),
  );
const endOf = (clock: FakeClock) => new Date(clock.now().getTime() + tenureSeconds * 1000).toISOString();
/** Its Region dies whole, so that nobody fences it, and its server starts again. */
const returns = async () => {
  await database.cluster.kill();
  const settings = { ...database.server.settings, track_commit_timestamp: true };
  await database.cluster.start({ ...database.server, settings });
};

test('is the end of the tenure, at every renewal, and of nobody else’s role', async () => {
  const { guard, clock } = strictSite(database);
  await guard();
  expect(await dates()).toEqual({ stocker_app: endOf(clock) });
  clock.advance(60);
  await guard();
  expect(await dates()).toEqual({ stocker_app: endOf(clock) });
});

test('stays where the renewal was refused or its answer was lost: it never ends later than what the DR Region waits for', async () => {
  const { guard, clock, site, tenures, end } = strictSite(database);
  await guard();
  const until = await dates();
  clock.advance(60);
  site.losesAnswers = true;
  await expect(guard()).rejects.toThrow('no answer');
  expect(tenures.record?.renewedAt).toBe(clock.now().toISOString());
  expect(await dates()).toEqual(until);
  site.losesAnswers = false;
  await end().catch(() => undefined);
  await guard();
  expect(await dates()).toEqual(until);
});

test('has passed in a database that comes back after its tenure: it admits nobody until the guard has renewed it', async () => {
  const { guard, clock, site } = strictSite(database);
  clock.advance(-10 * tenureSeconds);
  await guard();
  await returns();
  expect(await canLogIn(database)).toBe(true); // nobody has fenced it
  expect(await refusal()).toBe('28P01');
  site.isCut = true; // nor does a guard open it that does not get through
  clock.advance(tenureSeconds - 1);
  await guard().catch(() => undefined);
  expect(await refusal()).toBe('28P01');
  site.isCut = false;
  clock.advance(9 * tenureSeconds + 1);
  await guard();
  expect(await refusal()).toBeUndefined();
});

test('leaves no window in what returns where another is production: it is fenced, and people are told that it refused', async () => {
  const { guard, clock, control, announcer, recorded } = strictSite(database);
  clock.advance(-10 * tenureSeconds);
  await guard();
  control.active = { ...activeDatabase, region: 'us-west-2', resourceId: 'db-PROMOTED', epoch: 2 };
  await returns();
  clock.advance(10 * tenureSeconds + 30);
  await guard();
  expect(await refusal()).toBe('28000');
  expect(recorded).toMatchObject([{ windowSeconds: 0, rows: {} }]);
  expect(announcer.announced.at(-1)?.lines.join()).toContain('it has refused every login since it started');
});

test('is no proof where rows were written nevertheless: who needs no password is not asked for it', async () => {
  const { guard, clock, control, announcer, recorded } = strictSite(database);
  clock.advance(-10 * tenureSeconds);
  await guard();
  control.active = { ...activeDatabase, region: 'us-west-2', resourceId: 'db-PROMOTED', epoch: 2 };
  await returns();
  await database.query("insert into stocker.product (tenant_id, sku, name) values (3, 'of a job', 'x')");
  clock.advance(10 * tenureSeconds + 30);
  await guard();
  expect(recorded).toMatchObject([{ windowSeconds: expect.any(Number), rows: { 'stocker.product': 1 } }]);
  expect(recorded[0]?.windowSeconds).toBeGreaterThan(20);
  expect(announcer.announced.at(-1)?.lines.join()).toMatch(/Both could take writes for .*It took 1 rows/);
});

test('is set anew with what the guard opens again', async () => {
  const { guard, clock, site } = strictSite(database);
  await guard();
  site.isCut = true;
  clock.advance(tenureSeconds);
  await guard().catch(() => undefined);
  expect(await dates()).toEqual({}); // the fence has lifted it
  site.isCut = false;
  await guard();
  expect(await dates()).toEqual({ stocker_app: endOf(clock) });
});

test('is lifted once fencing is not strict any more, and one of others is left', async () => {
  const { guard, site } = strictSite(database);
  await guard();
  await guard(common);
  expect(await dates()).toEqual({});
  expect(site.memory?.isDated).toBe(false);
  await database.query("alter role stocker_app valid until '2199-01-01T00:00:00Z'");
  await guard(common);
  await expect(guard()).rejects.toThrow('has a VALID UNTIL of its own'); // strict again
  expect(await dates()).toEqual({ stocker_app: '2199-01-01T00:00:00.000Z' });
});

test('waits for a database that does not answer, and the tenure is renewed nevertheless', async () => {
  const { guard, clock, tenures } = strictSite(database);
  await database.cluster.kill();
  await guard();
  expect(tenures.record?.renewedAt).toBe(clock.now().toISOString());
  await database.cluster.start(database.server);
  expect(await dates()).toEqual({});
  await guard();
  expect(await dates()).toEqual({ stocker_app: endOf(clock) });
});
