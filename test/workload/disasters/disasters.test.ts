/** Every disaster really does to a real PostgreSQL what its name says; and nothing of it is there before. */
import { existsSync, mkdirSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createStocker } from '../../../workload/database/schema.ts';
import { disasters } from '../../../workload/disasters/index.ts';
import { startDatabase, type TestDatabase } from '../../support/postgres.ts';

describe('A disaster', () => {
  let database: TestDatabase;
  let master: Client;

  beforeAll(async () => {
    database = await startDatabase();
    await database.query('create database shop');
    const first = await connect(database);
    await createStocker(first, { movements: 5000, role: 'shop_app', password: 'secret' });
    await first.end();
    await database.save();
  });
  beforeEach(async () => {
    master = await connect(database);
  });
  afterEach(async () => {
    await master.end().catch(() => undefined);
    await database.reset();
  });
  afterAll(() => database.close());

  const strike = async (name: string) => {
    const disaster = disasters[name];
    if (!disaster) throw new Error(`no disaster ${name}`);
    const { cluster } = database;
    return disaster.strike({
      master,
      server: { directory: cluster.data, pid: cluster.pid },
    });
  };
  /** The SQLSTATE that a question fails with, or its first value. */
  const ask = async (sql: string): Promise<unknown> => {
    try {
      const result = await master.query({ text: sql, rowMode: 'array' });
      return result.rows[0]?.[0];
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  const cases = [
    { name: 'drop-table', sql: 'select count(*)::int from stocker.order_line', before: 500, after: '42P01' },
    {
      name: 'bad-update',
      sql: `select count(*)::int from stocker.stock s join (select product_id, warehouse_id, sum(quantity) as q
        from stocker.stock_movement group by 1, 2) m using (product_id, warehouse_id) where s.quantity <> m.q`,
      before: 0,
      after: 400,
    },
    {
      name: 'bad-migration',
      sql: "select count(*)::int from stocker.stock_movement where reason = ''",
      before: 0,
      after: '42703',
    },
    {
      name: 'page-corruption',
      sql: 'select count(reason)::int from stocker.stock_movement',
      before: 5000,
      after: 'XX001',
    },
  ];
  test.each(cases)('of $name is not there before, and is afterwards', async ({ name, sql, before, after }) => {
    expect(await ask(sql)).toBe(before);
    await strike(name);
    expect(await ask(sql)).toBe(after);
  });

  test('of an index is met by an index scan only: the table is whole', async () => {
    const byIndex = 'select count(*)::int from stocker.stock_movement where id < 50';
    expect(await ask(byIndex)).toBe(49);
    await strike('index-corruption');
    expect(await ask(byIndex)).toBe('XX001');
    expect(await ask('select count(reason)::int from stocker.stock_movement')).toBe(5000);
  });

  test('of the disk leaves the application its schema', async () => {
    const before = await ask("select string_agg(extname, ',' order by 1) from pg_extension");
    await strike('page-corruption');
    expect(await ask("select string_agg(extname, ',' order by 1) from pg_extension")).toBe(before);
  });

  test('of the instance ends every process and takes the volume', async () => {
    const { pid, data } = database.cluster;
    await strike('instance-lost');
    await expect.poll(() => database.cluster.pid).toBeUndefined();
    expect(pid).toBeDefined();
    expect(existsSync(data)).toBe(false);
    await expect(connect(database)).rejects.toThrow('ECONNREFUSED');
    mkdirSync(data); // for the reset, which replaces it
  });
});

async function connect({ candidate, authority }: TestDatabase): Promise<Client> {
  const client = new Client({
    host: candidate.address,
    port: candidate.port,
    database: 'shop',
    user: 'postgres',
    password: 'master secret',
    ssl: { ca: authority },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
