import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookForDamage } from '../../../core/database/look-for-damage.ts';
import { prepareDatabase } from '../../../core/database/prepare-database.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeClock, FakeControl } from '../fakes.ts';
import { FakeBaselines, FakeDatabases, FakeLooks, FakeMetrics, FakeProfiles } from './fakes.ts';

describe('the sentinel', () => {
  let database: TestDatabase;
  const baselines = new FakeBaselines();
  const looks = new FakeLooks();
  const profiles = new FakeProfiles();
  const metrics = new FakeMetrics();
  const control = () => Object.assign(new FakeControl(), { active: database.active });
  const look = (accept?: string, sessions = database.sessions) => {
    const clock = new FakeClock();
    const databases = new FakeDatabases();
    const kept = { baselines, looks, profiles, metrics };
    const context = { settings, clock, control: control(), databases, secrets, sessions, ...kept };
    return lookForDamage({ accept }, { ...context, region: 'us-east-1', lookSeconds: 10 });
  };

  beforeAll(async () => {
    database = await startDatabase();
    await prepareDatabase({ settings, control: control(), secrets, sessions: database.sessions });
  });
  afterAll(() => database.close());

  test('remembers what it saw, and hashes only what is new', async () => {
    expect(await look()).toEqual({ verdict: 'sound', damage: [], unknown: [] });
    await database.query('insert into stocker.stock_movement (product_id, quantity) values (1, 1)');
    await look();
    const [first, second] = baselines.all.map((baseline) => baseline.appendOnly['stocker.stock_movement']);
    expect(first?.rows).toBe('3000');
    const [whole] = await database.query(
      'select count(*) as rows, sum(hash_record_extended(m, 0)::numeric) as hash from stocker.stock_movement m',
    );
    expect({ rows: second?.rows, hash: second?.hash }).toEqual(whole);
  });

  test('leaves keys out that a running transaction could still commit', async () => {
    const login = await secrets.credentials('stocker/app');
    const slow = await database.sessions.open(database.candidate, login, {
      statementTimeoutMs: 20_000,
      applicationName: 'slow',
    });
    await slow.query('begin; insert into stocker.stock_movement (product_id, quantity) values (2, 2)');
    await database.query('insert into stocker.stock_movement (product_id, quantity) values (3, 3)');
    await look();
    expect(baselines.all.at(-1)?.appendOnly['stocker.stock_movement']?.rows).toBe('3001');
    await slow.query('commit');
    await slow.close();
    await look();
    expect(baselines.all.at(-1)?.appendOnly['stocker.stock_movement']?.rows).toBe('3003');
  });

  test('finds rows lost, keeps the last sound look, and takes a deliberate loss when a person accepts it', async () => {
    const sound = baselines.all.length;
    await database.query('truncate stocker.stock; delete from stocker.stock_movement where product_id > 100');
    await database.query('delete from stocker.product where id > 100');
    const both = [expect.stringContaining('stocker.product'), expect.stringContaining('103 rows up to key 3003')];
    expect(await look()).toMatchObject({ verdict: 'damaged', damage: both });
    expect(metrics.values).toMatchObject({ DamageFound: 1, SentinelLooked: 1, ConnectionRefused: 0 });
    expect(baselines.all).toHaveLength(sound);
    expect(await look('cleaned up by request')).toMatchObject({ verdict: 'sound' });
  });

  test('finds a column dropped without a new schema version, and not one dropped with it', async () => {
    await database.query('alter table stocker.product drop column name');
    expect(await look()).toMatchObject({ verdict: 'damaged' });
    await database.query('insert into stocker.schema_migration values (8)');
    expect(await look()).toEqual({ verdict: 'sound', damage: [], unknown: [] });
  });

  test('reports a refused connection as such', async () => {
    const refused = { open: () => Promise.reject(new Error('connect ECONNREFUSED')) };
    expect(await look(undefined, refused)).toMatchObject({ verdict: 'refused' });
    expect(metrics.values.ConnectionRefused).toBe(1);
  });
});
