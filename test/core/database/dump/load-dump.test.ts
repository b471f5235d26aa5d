/** Dumps as pg_dump made them, loaded into real PostgreSQL: all of it or nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDump } from '../../../../core/database/dump/load-dump.ts';
import { copySessions } from '../../../../lambdas/adapters/postgres/copy-sessions.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../../support/postgres.ts';
import { FakeClock, FakeDumps } from '../../fakes.ts';
import { makePlan } from '../fakes.ts';

const name = 'stocker-db-20261122-020000.sql.gz';
const fixture = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');
/** Of PostgreSQL 15, with oddities; and the statements that made what was dumped. */
const [real, source] = [fixture('stocker.sql'), fixture('stocker-source.sql')];

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database?.close());

let made = 0;
async function emptyDatabase(): Promise<string> {
  made += 1;
  await database.query(`create database target_${made} template template0`);
  return `target_${made}`;
}

/** Rows of a query in another database of the same server. */
async function ask(target: string, sql: string) {
  const session = await database.sessions.open(
    { ...database.candidate, database: target },
    await secrets.credentials('stocker/master'),
    { statementTimeoutMs: 20_000, applicationName: 'test' },
  );
  return session.query(sql).finally(() => session.close());
}

/** Loads a file under the name of the dump into a database. */
async function load(target: string, file: Uint8Array | undefined) {
  const dumps = new FakeDumps();
  if (file) dumps.files.set(name, file);
  const plan = makePlan({ restore: { kind: 'dump', dump: name }, restorePoint: '2026-11-22T02:00:00Z' });
  const candidate = { ...database.candidate, database: target };
  const own = { ...settings, database: { ...settings.database, name: target } };
  const copies = copySessions(() => database.authority);
  return loadDump({ plan, candidate }, { settings: own, clock: new FakeClock(), dumps, secrets, copySessions: copies });
}
const relationsIn = (target: string) =>
  ask(
    target,
    "select relname from pg_class where relnamespace::regnamespace::text !~ '^(pg_|information_schema)' order by 1",
  );

/** Everything that a dump can carry, as text: rows by a hash of their text, and what PostgreSQL says of each object. */
const everything = `
  with schema as (select oid from pg_namespace where nspname = 'stocker')
  select 'relation' as kind, concat_ws(' ', c.relname, c.relkind, obj_description(c.oid)) as what
    from pg_class c where relnamespace = (select oid from schema)
  union all select 'column', concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attidentity, attgenerated,
      attnotnull, col_description(attrelid, attnum), pg_get_expr(adbin, adrelid))
    from pg_attribute join pg_class c on c.oid = attrelid left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relnamespace = (select oid from schema) and attnum > 0
  union all select 'constraint', conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace = (select oid from schema) and contype <> 'n'
  union all select 'index', pg_get_indexdef(indexrelid) from pg_index join pg_class c on c.oid = indexrelid
    where relnamespace = (select oid from schema)
  union all select 'function', pg_get_functiondef(oid) from pg_proc where pronamespace = (select oid from schema)
  union all select 'view', pg_get_viewdef(c.oid) from pg_class c where relkind in ('v', 'm') and relnamespace = (select oid from schema)
  union all select 'trigger', pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all select 'rule', pg_get_ruledef(oid) from pg_rewrite where rulename = 'no_delete'
  union all select 'sequence', schemaname || '.' || sequencename || ' ' || coalesce(last_value, -1) from pg_sequences
    where schemaname = 'stocker'
  union all select 'rows product', md5(string_agg(t::text, ' ' order by t::text)) from stocker.product t
  union all select 'rows movement', md5(string_agg(t::text, ' ' order by t::text)) from stocker.stock_movement t
  union all select 'rows tenant', md5(string_agg(t::text, ' ' order by t::text)) from stocker.tenant t
  union all select 'rows odd', md5(string_agg(t::text, ' ' order by t::text)) from stocker."odd ""table"";" t
  union all select 'rows totals', md5(string_agg(t::text, ' ' order by t::text)) from stocker.totals t
  order by 1, 2`;

describe('a whole dump', () => {
  let target: string;
  let result: Awaited<ReturnType<typeof load>>;
  beforeAll(async () => {
    target = await emptyDatabase();
    result = await load(target, gzipSync(real));
  });

  it('brings back exactly what was dumped: rows, and every object around them', async () => {
    const origin = await emptyDatabase();
    await ask(origin, source);
    const [was, is] = [await ask(origin, everything), await ask(target, everything)];
    expect(is).toEqual(was);
    expect(was.length).toBeGreaterThan(60);
  });
  it('says what it did', () => {
    expect(result.summary).toContain(`246 rows of 5 tables loaded from s3://dumps/backups/${name}`);
    expect(result.facts).toMatchObject({ tables: 5, rows: 246, rolesMade: ['stocker'], settingsSkipped: [] });
  });
  it('finds the application’s roles to grant to, and leaves them without login where it made them', async () => {
    const [grant] = await ask(target, "select has_table_privilege('stocker_app', 'stocker.product', 'insert') as may");
    expect(grant?.may).toBe('t');
    const [role] = await ask(target, "select rolcanlogin as login from pg_roles where rolname = 'stocker'");
    expect(role?.login).toBe('f');
  });
  it('is prepared for the product: the sentinel reads it, the heartbeat beats', async () => {
    const [may] = await ask(
      target,
      `select has_table_privilege('stocker_dr_sentinel', 'stocker.product', 'select') as reads,
         has_table_privilege('stocker_dr_heartbeat', 'stocker_dr.heartbeat', 'insert') as beats`,
    );
    expect(may).toEqual({ reads: 't', beats: 't' });
  });
  it('is loaded once: a repeated step finds it there', async () => {
    const before = await ask(target, everything);
    expect((await load(target, gzipSync(real))).summary).toContain('was loaded before');
    expect(await ask(target, everything)).toEqual(before);
  });
});

describe('a dump that cannot be restored', () => {
  const whole = gzipSync(real);
  const flipped = (at: number) => {
    const copy = Buffer.from(whole);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy;
  };
  /** The text with one of its statements changed. */
  const changed = (from: string | RegExp, to: string) => {
    const text = real.replace(from, to);
    expect(text).not.toBe(real);
    return gzipSync(text);
  };
  const cases: { case: string; file: () => Uint8Array | undefined; says: string | RegExp }[] = [
    { case: 'is gone', file: () => undefined, says: `The dump ${name} is gone` },
    { case: 'is empty', file: () => new Uint8Array(), says: /cut off/ },
    {
      case: 'ends early',
      file: () => whole.subarray(0, whole.length - 1),
      says: /damaged or cut off: gzip says "unexpected end/,
    },
    {
      case: 'ends half-way',
      file: () => whole.subarray(0, whole.length / 2),
      says: /damaged or cut off|no whole dump/,
    },
    { case: 'has another checksum', file: () => flipped(whole.length - 6), says: /gzip says "incorrect data check"/ },
    {
      case: 'has a flipped bit within',
      file: () => flipped(whole.length >> 1),
      says: new RegExp(`^s3://dumps/backups/${name}`),
    },
    { case: 'is no gzip', file: () => Buffer.from(real), says: /gzip says "incorrect header check"/ },
    {
      case: 'was cut off before it was compressed',
      file: () => gzipSync(real.slice(0, 20_000)),
      says: /is no whole dump: line \d+: it ends within/,
    },
    {
      case: 'has a command of psql',
      file: () => changed('CREATE SCHEMA stocker;', '\\! true'),
      says: /line \d+: a psql command/,
    },
    {
      case: 'has a statement that PostgreSQL refuses',
      file: () => changed('CREATE TABLE stocker.empty (', 'CREATE TABLE stocker.empty (oops'),
      says: /, line \d+: syntax error .*Statement: CREATE TABLE stocker\.empty \(oops$/,
    },
    {
      case: 'has a row that PostgreSQL refuses',
      file: () => changed('1\tsynthetic-dr', 'one\tsynthetic-dr'),
      says: /, line \d+: invalid input syntax for type bigint: "one".*Statement: COPY stocker\.tenant/,
    },
    {
      case: 'has such a row early among very many',
      file: () => changed('1\tsynthetic-dr', `one\tsynthetic-dr\n${'9\tanother tenant\n'.repeat(100_000)}2\tlast`),
      says: /invalid input syntax for type bigint: "one"/,
    },
    {
      case: 'violates a constraint at its end',
      file: () => changed(/^1\t2\tSKU-0001/m, '1\t9\tSKU-0001'),
      says: /violates foreign key constraint/,
    },
    {
      case: 'has another encoding',
      file: () => changed("client_encoding = 'UTF8'", "client_encoding = 'LATIN1'"),
      says: /LATIN1.*--encoding=UTF8/,
    },
  ];
  it.each(cases)('case: nothing of it stays, and the message says where', async ({ file, says }) => {
    const target = await emptyDatabase();
    await expect(load(target, file())).rejects.toMatchObject({
      name: 'DumpUnusable',
      retryable: false,
      message: expect.stringMatching(says),
    });
    expect(await relationsIn(target)).toEqual([]);
  });

  it('is not blamed where the bucket fails for now', async () => {
    const target = await emptyDatabase();
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    class Failing extends FakeDumps {
      override async *read() {
        yield whole.subarray(0, 5000);
        throw reset;
      }
    }
    const dumps = new Failing();
    dumps.files.set(name, whole);
    const plan = makePlan({ restore: { kind: 'dump', dump: name }, restorePoint: '2026-11-22T02:00:00Z' });
    const context = {
      settings,
      clock: new FakeClock(),
      dumps,
      secrets,
      copySessions: copySessions(() => database.authority),
    };
    const loading = loadDump({ plan, candidate: { ...database.candidate, database: target } }, context);
    await expect(loading).rejects.toMatchObject({ name: 'DatabaseNotReady', retryable: true });
    expect(await relationsIn(target)).toEqual([]);
  });
});

describe('a dump of another installation', () => {
  it('is loaded without what this server does not know, which is told', async () => {
    const newer = real
      .replace('SET lock_timeout = 0;', 'SET lock_timeout = 0;\nSET setting_of_tomorrow = 0;')
      .replaceAll('stocker_app', 'somebody_else');
    const target = await emptyDatabase();
    const { facts } = await load(target, gzipSync(newer));
    expect(facts).toMatchObject({ rolesMade: ['somebody_else'], settingsSkipped: ['SET setting_of_tomorrow = 0;'] });
  });
});
