/** What a former production holds alone, on a real database that keeps the times of its commits. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Sessions } from '../../../core/database/ports.ts';
import { stepTimeouts, withSession } from '../../../core/database/sql.ts';
import { guardDatabase } from '../../../core/region/guard-database.ts';
import { exportFormer } from '../../../core/region/keep-former.ts';
import { keptOfTable, writtenSince } from '../../../core/region/written-since.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeMetrics, makePlan } from '../database/fakes.ts';
import { activeDatabase, FakeAnnouncer, FakeClock, FakeControl, makeIncident, makeInstance } from '../fakes.ts';
import { failover } from './fakes.ts';

let database: TestDatabase;
/** Before anything that a test writes. */
let succeededAt: string;
beforeAll(async () => {
  database = await startDatabase();
  await database.cluster.stop();
  const { server } = database;
  await database.cluster.start({ ...server, settings: { ...server.settings, track_commit_timestamp: true } });
});
afterAll(() => database.close());
beforeEach(async () => {
  const [row] = await database.query('select clock_timestamp()::text as now');
  succeededAt = new Date(row?.now ?? '').toISOString();
  await database.query('alter role stocker_app login');
});

const write = (rows: number) =>
  database.query(
    `insert into stocker.stock_movement (product_id, quantity) select 1, 1 from generate_series(1, ${rows})`,
  );
const incident = makeIncident({ scenario: 'region', mode: 'recovery', style: 'graceful' });
const kept: string[] = [];
const evidence = {
  location: (key: string) => `s3://evidence/${key}`,
  put: async (_: string, body: unknown) => void kept.push(String(body)),
};

function exported(sessions: Sessions = database.sessions) {
  const { address, port } = database.candidate;
  const former = { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address, port, succeededAt };
  const plan = makePlan({ failover: failover({ style: 'graceful', former }) });
  return exportFormer({ incident, plan }, { settings, clock: new FakeClock(), secrets, sessions, evidence });
}

test('is kept and counted whole, where it is not much', async () => {
  await write(3);
  const { summary, facts } = await exported();
  expect(facts).toMatchObject({ rows: { 'stocker.stock_movement': 3 }, kept: 3 });
  expect(summary).toMatch(/ 3 rows after .*; all of these rows are kept in s3:/);
  expect(kept.at(-1)?.trim().split('\n')).toHaveLength(3);
});

test('is kept in part where it is much, and the export says where the rest is', async () => {
  await write(keptOfTable + 2);
  const { summary, facts } = await exported();
  expect(facts).toMatchObject({ rows: { 'stocker.stock_movement': keptOfTable + 2 }, kept: keptOfTable });
  expect(summary).toContain(`${keptOfTable} of these rows are kept in s3:`);
  expect(summary).toContain('2 of these rows are in stocker-pro-staging and its safety snapshot alone');
});

test('is told so by the guard, too', async () => {
  await write(keptOfTable + 2);
  const announcer = new FakeAnnouncer();
  const { address, port } = database.candidate;
  const { fenced } = await guardDatabase({
    ...{ settings, here: settings.primary, secrets, sessions: database.sessions, evidence, announcer },
    clock: new FakeClock(),
    control: Object.assign(new FakeControl(), {
      active: { ...activeDatabase, resourceId: 'db-PROMOTED', region: 'us-west-2', since: succeededAt },
    }),
    databases: { list: async () => [makeInstance({ address, port })] },
    store: { recordGuard: async () => undefined },
    metrics: new FakeMetrics(),
    tenures: { renew: async () => true },
    memories: { read: async () => undefined, write: async () => undefined },
  });
  expect(fenced).toMatchObject([{ rows: { 'stocker.stock_movement': keptOfTable + 2 }, kept: keptOfTable }]);
  expect(announcer.announced[0]?.lines.join('\n')).toContain('2 of these rows are in that database alone');
});

test('is said not to be known of a table that is not read in time, and counted of every other', async () => {
  await write(1);
  const blocker = await database.sessions.open(
    database.candidate,
    await secrets.credentials('stocker/master'),
    stepTimeouts,
  );
  await blocker.query('begin; lock table stocker.product in access exclusive mode');
  const impatient: Sessions = {
    open: (address, login, options) => database.sessions.open(address, login, { ...options, statementTimeoutMs: 300 }),
  };
  const { summary, facts } = await exported(impatient);
  await blocker.close();
  expect(facts).toMatchObject({ rows: { 'stocker.stock_movement': 1 }, unread: ['stocker.product'] });
  expect(summary).toContain('stocker.product: not read in time');
});

test('is read for as long as the function of the export lasts, not for as long as a step’s statements', async () => {
  const timeouts: number[] = [];
  await exported({
    open: (address, login, options) => {
      timeouts.push(options.statementTimeoutMs);
      return database.sessions.open(address, login, options);
    },
  });
  expect(timeouts).toEqual([300_000]);
});

test('is not read at all once the time is over', async () => {
  const master = await secrets.credentials('stocker/master');
  const { counts, unread } = await withSession(database.sessions, database.candidate, master, (session) =>
    writtenSince(session, succeededAt, () => true),
  );
  expect(counts).toEqual({});
  expect(unread).toContain('stocker.stock_movement');
});
