/** The stand-in of pg_dump: what it writes brings the database back, and it says so where it cannot. */
import { gunzipSync } from 'node:zlib';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { momentOfDump } from '../../../core/database/dump/names.ts';
import { readDump } from '../../../core/database/dump/read-dump.ts';
import { copySessions } from '../../../lambdas/adapters/postgres/copy-sessions.ts';
import { makeDump } from '../../../workload/database/dump.ts';
import { createStocker } from '../../../workload/database/schema.ts';
import { logins, secrets, startDatabase, type TestDatabase } from '../../support/postgres.ts';

let server: TestDatabase;
let source: Client;
beforeAll(async () => {
  server = await startDatabase();
  await server.query('create database source');
  source = await connect('source');
  await createStocker(source, { movements: 300, role: 'source_app', password: 'secret' });
  await source.query(`create extension amcheck; create schema "Odd ""one""";
    create table "Odd ""one""".t (id int generated always as identity (start with 7) primary key, "a;b" text default E'x\\\\;''y',
      twice int generated always as (3 * 2) stored, check ("a;b" <> ';'));
    insert into "Odd ""one""".t ("a;b") values (E'tab\\t, newline\\n, \\\\. 🚚'), (null), ('');
    alter default privileges in schema stocker grant select on tables to source_app with grant option`);
});
afterAll(async () => {
  await source?.end();
  await server?.close();
});

async function connect(database: string): Promise<Client> {
  const { address, port } = server.candidate;
  const { username = '', password = '' } = logins['stocker/master'] ?? {};
  const client = new Client({ host: address, port, database, user: username, password, ssl: { ca: server.authority } });
  await client.connect();
  return client;
}

async function load(database: string, text: Buffer): Promise<void> {
  const master = await secrets.credentials('stocker/master');
  const options = { statementTimeoutMs: 20_000, applicationName: 'test' };
  const session = await copySessions(() => server.authority).open({ ...server.candidate, database }, master, options);
  try {
    for await (const item of readDump(pieces(text)))
      if (item.kind === 'statement') await session.query(item.sql);
      else await session.copyIn(item.sql, item.rows);
  } finally {
    await session.close();
  }
}
async function* pieces(text: Buffer) {
  yield text;
}
/** Without the part of a name that says when. */
const textOf = async (client: Client) => gunzipSync((await makeDump(client)).file);

test('a dump of a database restored from a dump is the same dump', async () => {
  const dump = await makeDump(source);
  await server.query('create database target template template0');
  await load('target', gunzipSync(dump.file));
  const target = await connect('target');
  try {
    expect((await textOf(target)).toString()).toBe(gunzipSync(dump.file).toString());
  } finally {
    await target.end();
  }
  expect(Math.abs(Date.parse(momentOfDump(dump.name) ?? '') - Date.now())).toBeLessThan(60_000);
});

test('(control) another row makes another dump', async () => {
  const before = await textOf(source);
  await source.query("insert into stocker.tenant (name) values ('initech')");
  expect((await textOf(source)).equals(before)).toBe(false);
});

test.each([
  { case: 'a view', sql: 'create view stocker.v as select 1 as one' },
  { case: 'a function', sql: "create function stocker.f() returns int language sql as 'select 1'" },
  { case: 'a type', sql: "create type stocker.mood as enum ('calm')" },
  { case: 'a sequence of its own', sql: 'create sequence stocker.counter' },
])('refuses $case, which it cannot write', async ({ sql }) => {
  await source.query('begin');
  await source.query(sql);
  await source.query('commit');
  const [, kind = '', name = ''] = /create (\w+) ([\w.]+)/.exec(sql) ?? [];
  try {
    await expect(makeDump(source)).rejects.toThrow(`cannot dump ${name}`);
  } finally {
    await source.query(`drop ${kind} ${name}`);
  }
});
