import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStocker } from '../../../workload/database/schema.ts';
import { logins, startDatabase, type TestDatabase } from '../../support/postgres.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await startDatabase();
});
afterAll(() => server?.close());

async function connect(database: string): Promise<Client> {
  const { address, port } = server.candidate;
  const master = logins['stocker/master'];
  const client = new Client({
    host: address,
    port,
    database,
    user: master?.username ?? '',
    password: master?.password ?? '',
    ssl: { ca: server.authority },
  });
  await client.connect();
  return client;
}

/** Seeds a new database and returns a hash over every row of every table. */
async function seed(database: string, movements: number): Promise<Record<string, string>> {
  await server.query(`create database ${database}`);
  const client = await connect(database);
  try {
    await createStocker(client, { movements, role: `${database}_app`, password: 'secret' });
    const { rows: tables } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'stocker'::regnamespace and relkind = 'r' order by 1`,
    );
    const hashes: Record<string, string> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<{ hash: string }>(
        `select md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as hash from stocker.${name} t`,
      );
      hashes[name] = rows[0]?.hash ?? '';
    }
    return hashes;
  } finally {
    await client.end();
  }
}

test('two seedings of one size are equal, and one of another size is not (control)', async () => {
  const [first, again, other] = [await seed('first', 500), await seed('again', 500), await seed('other', 600)];
  expect(Object.keys(first)).toHaveLength(8);
  expect(again).toEqual(first);
  expect(other.stock_movement).not.toBe(first.stock_movement);
});

test('stock is the sum of its movements, and new rows find free identifiers', async () => {
  const client = await connect('first');
  try {
    const { rows: wrong } = await client.query(
      `select from stocker.stock s where quantity <> coalesce(
         (select sum(quantity) from stocker.stock_movement m where (m.product_id, m.warehouse_id) = (s.product_id, s.warehouse_id)), 0)`,
    );
    expect(wrong).toHaveLength(0);
    await client.query(
      `insert into stocker.stock_movement (product_id, warehouse_id, quantity, reason) values (1, 1, 1, 'test')`,
    );
  } finally {
    await client.end();
  }
});
