import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DumpBroken, readDump } from '../../../../core/database/dump/read-dump.ts';

const real = readFileSync(join(import.meta.dirname, 'stocker.sql'));
const trailer = '--\n-- PostgreSQL database dump complete\n--\n';

/** The text in pieces of that many bytes, as a stream would bring it. */
async function* pieces(text: string | Buffer, bytes = 1 << 16) {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes);
}

async function read(text: string | Buffer, bytes?: number) {
  const items: { sql: string; line: number; rows?: string }[] = [];
  for await (const item of readDump(pieces(text, bytes))) {
    const { sql, line } = item;
    if (item.kind === 'statement') items.push({ sql, line });
    else {
      const rows: Uint8Array[] = [];
      for await (const piece of item.rows) rows.push(piece);
      items.push({ sql, line, rows: Buffer.concat(rows).toString() });
    }
  }
  return items;
}
const statements = async (text: string) => (await read(text + trailer)).map(({ sql }) => sql);

describe('a real pg_dump', () => {
  it('comes apart into the same items however it is cut', async () => {
    const whole = await read(real);
    expect(whole.length).toBeGreaterThan(60);
    for (const bytes of [1, 7, 1000]) expect(await read(real, bytes)).toEqual(whole);
  });
  it('yields the rows of every table as they are, and the lines at which items begin', async () => {
    const lines = real.toString().split('\n');
    const items = await read(real);
    for (const { sql, line } of items) expect(lines[line - 1]).toBe(sql.split('\n')[0]);
    const rows = items.flatMap((item) => (item.rows === undefined ? [] : [item]));
    expect(rows.map(({ sql }) => /COPY (.+) \(/.exec(sql)?.[1])).toEqual([
      'stocker.empty',
      'stocker."odd ""table"";"',
      'stocker.product',
      'stocker.stock_movement',
      'stocker.tenant',
    ]);
    expect(rows.map((each) => each.rows?.split('\n').length)).toEqual([1, 4, 41, 201, 4]);
  });
  it('keeps functions whole: dollar quotes, SQL-standard bodies', async () => {
    const made = (await read(real)).filter(({ sql }) => /^CREATE (FUNCTION|PROCEDURE)/.test(sql));
    for (const { sql } of made) expect(sql).toMatch(/(END;|\$;)$/);
    expect(made).toHaveLength(4);
  });
  it('without any one of its lines in the last third is no whole dump, or another one', async () => {
    const whole = await read(real);
    const lines = real.toString().split('\n');
    for (let cut = Math.floor((lines.length * 2) / 3); cut < lines.length - 8; cut += 1) {
      const got = await read(lines.slice(0, cut).join('\n')).catch((error: unknown) => error);
      expect(got).toBeInstanceOf(DumpBroken);
    }
    expect(whole).toEqual(await read(lines.join('\n')));
  });
});

describe('the end of a statement', () => {
  it.each([
    { case: 'strings', sql: "SELECT 'a;b''c;', E'it\\'s;', e'\\\\', U&'d;';" },
    { case: 'names', sql: 'SELECT "a;b""c;" FROM "odd;";' },
    { case: 'dollar quotes', sql: "SELECT $$a;'$$, $tag$b;$$;$tag$, a$b, $1;" },
    { case: 'comments', sql: 'SELECT 1 -- not; the end\n  /* nor; /* here; */ nor ; */ + 2;' },
    { case: 'parentheses', sql: 'CREATE RULE r AS ON DELETE TO t DO INSTEAD (SELECT 1; SELECT 2);' },
    {
      case: 'SQL-standard bodies',
      sql: 'CREATE OR REPLACE FUNCTION f() RETURNS int\n BEGIN ATOMIC\n SELECT CASE WHEN a THEN 1 END;\n SELECT 2;\nEND;',
    },
    { case: 'escape strings over lines', sql: "COMMENT ON TABLE t IS E'first\\\n; ''second'' \\';\nthird';" },
  ])('is not within $case', async ({ sql }) => {
    expect(await statements(`${sql}\nSELECT 'next';\n`)).toEqual([sql, "SELECT 'next';"]);
  });
  it('is at each semicolon outside of them, several in a line', async () => {
    expect(await statements("SELECT 1; SELECT ';' ;SELECT 3;\n")).toEqual(['SELECT 1;', "SELECT ';' ;", 'SELECT 3;']);
  });
  it('counts BEGIN and END in no other statement', async () => {
    const sql = ['BEGIN;', 'CREATE TABLE function_begin (begin int);', 'SELECT begin FROM t;', 'COMMIT;'];
    expect(await statements(sql.join('\n').concat('\n'))).toEqual(sql);
  });
});

describe('what is no whole dump', () => {
  const copy = 'COPY t (a) FROM stdin;\n1\n2\n';
  it.each([
    { case: 'without its last line', text: 'SELECT 1;\n', line: 1, why: 'dump complete' },
    { case: 'empty', text: '', line: 0, why: 'dump complete' },
    {
      case: 'cut off within a statement',
      text: `${trailer}CREATE TABLE t (\n  a int`,
      line: 5,
      why: 'within a statement: CREATE TABLE t (',
    },
    { case: 'cut off within a string', text: `${trailer}SELECT 'a;\n`, line: 4, why: 'within a statement' },
    { case: 'cut off within rows', text: `${trailer}${copy}3\n`, line: 7, why: 'rows that begin in line 4' },
    { case: 'cut off before the end of rows', text: `${trailer}${copy}\\.`, line: 6, why: 'rows that begin in line 4' },
    {
      case: 'a psql command between statements',
      text: `\\connect other\n${trailer}`,
      line: 1,
      why: 'psql command: \\connect',
    },
    { case: 'a psql command after a statement', text: `SELECT 1; \\! rm\n${trailer}`, line: 1, why: 'psql command' },
    { case: 'a custom-format dump', text: 'PGDMP\u0001\u000e', line: 1, why: 'within a statement' },
  ])('is refused: $case', async ({ text, line, why }) => {
    await expect(read(text)).rejects.toMatchObject({ name: 'DumpBroken', line, message: expect.stringContaining(why) });
  });
  it('(control) the same with its ends is read', async () => {
    expect(await read(`${copy}3\n\\.\n${trailer}`)).toEqual([
      { sql: 'COPY t (a) FROM stdin;', line: 1, rows: '1\n2\n3\n' },
    ]);
  });
  it('knows the end of rows from a value that looks like it', async () => {
    const rows = '\\\\.\nx\\.\n\\.x\n';
    expect((await read(`COPY t (a) FROM stdin;\n${rows}\\.\n${trailer}`, 3))[0]?.rows).toBe(rows);
  });
});
