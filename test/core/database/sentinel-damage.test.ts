import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lookForDamage } from '../../../core/database/look-for-damage.ts';
import { damageIn } from '../../../core/database/plan-recovery.ts';
import { prepareDatabase } from '../../../core/database/prepare-database.ts';
import { settings as common, sealPage, secrets, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeClock, FakeControl, makeInstance } from '../fakes.ts';
import { FakeBaselines, FakeDatabases, FakeLooks, FakeMetrics, FakeProfiles } from './fakes.ts';

const settings = {
  ...common,
  validation: {
    ...common.validation,
    queries: [
      {
        name: 'stock equals its movements',
        kind: 'consistency' as const,
        sql: `select count(*) from stocker.stock s join
          (select product_id, sum(quantity) as quantity from stocker.stock_movement group by 1) m using (product_id)
          where s.quantity <> m.quantity`,
        expect: 0,
      },
    ],
  },
};

describe('the sentinel sees', () => {
  let database: TestDatabase;
  let clock: FakeClock;
  let looks: FakeLooks;
  let baselines: FakeBaselines;
  const profiles = new FakeProfiles();

  const control = () => Object.assign(new FakeControl(), { active: database.active });
  const look = async (lookSeconds = 20) => {
    clock.advance(300);
    const databases = new FakeDatabases(makeInstance());
    const kept = { looks, baselines, profiles, metrics: new FakeMetrics(), databases, control: control() };
    const { sessions } = database;
    return lookForDamage({}, { ...kept, settings, region: 'us-east-1', clock, secrets, sessions, lookSeconds });
  };
  const extent = async () => damageIn(await looks.latest(), 'db-PRODUCTION');

  beforeAll(async () => {
    database = await startDatabase();
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
    await database.query('vacuum (freeze, analyze)');
    await database.save();
  });
  beforeEach(async () => {
    clock = new FakeClock('2026-11-22T20:00:00.000Z');
    looks = new FakeLooks();
    baselines = new FakeBaselines();
    await look();
    expect(await look()).toEqual({ verdict: 'sound', damage: [], unknown: [] });
  });
  afterEach(() => database.reset());
  afterAll(() => database.close());

  test('nothing wrong, and keeps the profile that parity needs when the source is gone', () => {
    expect(profiles.all.get('db-PRODUCTION')).toMatchObject({
      identifier: 'stocker-pro-staging',
      seen: { engine: 'postgres' },
      facts: { 'role stocker_app login': 'yes' },
    });
  });

  const before = '2026-11-22T20:10:00.000Z'; // begin of the second look, the last sound one
  test.each([
    {
      case: 'a wrong update, by what must be consistent',
      sql: 'update stocker.stock set quantity = quantity * 2 where product_id < 100',
      found: 'stock equals its movements: 99, expected 0',
    },
    {
      case: 'old rows that were rewritten, by their content',
      sql: 'update stocker.stock_movement set committed_at = now() where id = 17',
      found: 'stocker.stock_movement: rows up to key 3000 were rewritten',
    },
    {
      case: 'a table that is gone, by name',
      sql: 'drop table stocker.stock',
      found: 'stocker.stock: it is gone',
    },
    {
      case: 'a migration that drops what the application counts on, although it names a new version',
      sql: 'alter table stocker.stock drop column quantity; insert into stocker.schema_migration values (8)',
      found: 'column s.quantity does not exist',
    },
  ])('$case', async ({ sql, found }) => {
    await database.query(sql);
    expect((await look()).verdict).toBe('damaged');
    await look();
    const damage = await extent();
    expect(damage?.found).toContainEqual(expect.stringContaining(found));
    expect(damage).toMatchObject({ after: before, by: '2026-11-22T20:15:00.000Z' });
  });

  const swapKeys = (page: Buffer, block: number) => {
    const [a, b] = [page.readUInt32LE(24 + 40), page.readUInt32LE(24 + 80)];
    page.writeUInt32LE(b, 24 + 40);
    page.writeUInt32LE(a, 24 + 80);
    sealPage(page, block);
  };

  test('an index whose keys are out of order, and goes on seeing it in looks that do not reach it', async () => {
    await database.damage('stocker.stock_movement_pkey', 1, (page) => swapKeys(page, 1));
    expect((await look()).damage).toContainEqual(expect.stringContaining('stocker.stock_movement_pkey'));
    expect(await extent()).toMatchObject({ after: before });
    expect((await look(0)).verdict).toBe('damaged');
    await database.query('reindex index stocker.stock_movement_pkey');
    expect(await look()).toMatchObject({ verdict: 'sound', damage: [] });
  });

  test('every index in turn, however little time a look has', async () => {
    looks.all.length = 0;
    const all = await database.query(
      "select 1 from pg_index join pg_class c on c.oid = indexrelid where relnamespace::regnamespace::text like 'stocker%'",
    );
    // Two seconds pass at every question: a look ends long before it has asked them all.
    const hurried = () => {
      const ticking = Object.assign(new FakeClock(), {
        now: () => {
          clock.advance(2);
          return new Date(clock.now());
        },
      });
      const kept = { looks, baselines, profiles, metrics: new FakeMetrics(), databases: new FakeDatabases() };
      const context = { ...kept, settings, region: 'us-east-1', clock: ticking, control: control(), secrets };
      return lookForDamage({}, { ...context, sessions: database.sessions, lookSeconds: 60 });
    };
    const checked = () =>
      Object.keys(looks.all.at(-1)?.progress.passed ?? {}).filter((key) => key.startsWith('index '));
    await hurried();
    const first = checked().length;
    for (let turn = 0; turn < 12 && checked().length < all.length; turn += 1) await hurried();
    expect(first).toBeLessThan(all.length);
    expect(checked()).toHaveLength(all.length);
  });
});
