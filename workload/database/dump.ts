/**
 * What STOCKER Pro's nightly CronJob makes: the plan's logical dump. The CronJob runs pg_dump; here are no client tools,
 * so this writes the same plain format through SQL and COPY, for what STOCKER's schema is made of. It refuses the rest.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import type { Client } from 'pg';
import { to } from 'pg-copy-streams';

export interface Dump {
  /** `stocker-db-20261122-020000.sql.gz`, as the plan names it: UTC, when the dump began. */
  readonly name: string;
  readonly file: Buffer;
}

/** Dumps the database of the session in one snapshot. */
export async function makeDump(client: Client): Promise<Dump> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    // Names come out qualified, and moments in one form.
    await client.query("SET LOCAL search_path = ''; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'");
    const [at] = await column(client, "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD-HH24MISS')");
    await refuseUnknown(client);
    const file = await buffer(Readable.from(textOf(client)).pipe(createGzip()));
    return { name: `stocker-db-${at}.sql.gz`, file };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** The first column of a query. */
async function column(client: Client, sql: string): Promise<string[]> {
  const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' });
  return rows.map(([value]) => value);
}

const ours = `nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'rds_tools')`;
const notOfExtension = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_catalog.${catalog}'::regclass AND objid = ${oid} AND deptype = 'e')`;
const relations = `pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  WHERE ${ours} AND ${notOfExtension('pg_class', 'c.oid')}`;
const table = `pg_catalog.format('%I.%I', nspname, relname)`;

async function refuseUnknown(client: Client): Promise<void> {
  const unknown = await column(
    client,
    `SELECT ${table} FROM ${relations} AND relkind NOT IN ('r', 'i', 'S')
     UNION ALL SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = pronamespace
       WHERE ${ours} AND ${notOfExtension('pg_proc', 'p.oid')}
     UNION ALL SELECT tgname::text FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
     UNION ALL SELECT t.oid::regtype::text FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = typnamespace
       WHERE ${ours} AND typtype NOT IN ('c', 'b')
     UNION ALL SELECT ${table} FROM ${relations} AND relkind = 'S' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
       WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid AND deptype = 'i')`,
  );
  if (unknown.length > 0) throw new Error(`This stand-in of pg_dump cannot dump ${unknown.join(', ')}`);
}

/** In pg_dump's order: what rows need, the rows, what needs the rows, who may use it. */
async function* textOf(client: Client): AsyncGenerator<string | Buffer> {
  const statements = async function* (sql: string) {
    for (const statement of await column(client, sql)) yield `${statement}\n\n`;
  };
  yield header;
  yield* statements(`SELECT format('CREATE SCHEMA %I;', nspname) FROM pg_catalog.pg_namespace n
    WHERE ${ours} AND nspname <> 'public' ORDER BY 1`);
  yield* statements(`SELECT format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I;', extname, nspname)
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY 1`);
  yield* statements(tablesSql);
  yield* statements(identitiesSql);
  const copies = `SELECT ${table} || (SELECT ' (' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) || ')'
      FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
    FROM ${relations} AND relkind = 'r' ORDER BY 1`;
  for (const what of await column(client, copies)) {
    yield `COPY ${what} FROM stdin;\n`;
    yield* client.query(to(`COPY ${what} TO STDOUT`));
    yield '\\.\n\n\n';
  }
  yield* sequenceValues(client);
  yield* statements(constraintsSql("contype IN ('p', 'u', 'x', 'c')"));
  yield* statements(`SELECT pg_get_indexdef(indexrelid) || ';' FROM pg_catalog.pg_index JOIN ${relations.replace('WHERE', 'ON c.oid = indexrelid WHERE')}
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = indexrelid) ORDER BY 1`);
  yield* statements(constraintsSql("contype = 'f'"));
  yield* statements(grantsSql);
  yield* statements(defaultGrantsSql);
  yield trailer;
}

const header = `--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET client_min_messages = warning;
SET row_security = off;

`;
const trailer = `--
-- PostgreSQL database dump complete
--

`;

const tablesSql = `SELECT format(E'CREATE TABLE %s (\\n%s\\n);', ${table}, (
    SELECT string_agg(concat_ws(' ', '    ' || quote_ident(attname), format_type(atttypid, atttypmod),
      CASE WHEN attgenerated = 's' THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(adbin, adrelid))
           WHEN adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(adbin, adrelid) END,
      CASE WHEN attnotnull THEN 'NOT NULL' END), E',\\n' ORDER BY attnum)
    FROM pg_catalog.pg_attribute LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
  FROM ${relations} AND relkind = 'r' ORDER BY 1`;

const identitiesSql = `SELECT format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s INCREMENT BY %s CACHE %s);',
    ${table}, attname, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, seqrelid::regclass, seqstart, seqincrement, seqcache)
  FROM pg_catalog.pg_attribute a JOIN ${relations.replace('WHERE', 'ON c.oid = attrelid JOIN pg_catalog.pg_depend d ON refobjid = c.oid AND refobjsubid = attnum JOIN pg_catalog.pg_sequence ON seqrelid = objid WHERE')}
    AND attidentity <> '' AND deptype = 'i' ORDER BY 1`;

const constraintsSql = (
  kind: string,
) => `SELECT format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s;', ${table}, conname, pg_get_constraintdef(k.oid))
  FROM pg_catalog.pg_constraint k JOIN ${relations.replace('WHERE', 'ON c.oid = conrelid WHERE')} AND ${kind} ORDER BY 1`;

const grant = (on: string) => `format('GRANT %s ON ${on} TO %s%s;'`;
const toWhom = `CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END`;
const privileges = `string_agg(privilege_type, ', ' ORDER BY privilege_type)`;
const grantsSql = `SELECT ${grant('SCHEMA %I')}, ${privileges}, nspname, ${toWhom})
    FROM pg_catalog.pg_namespace, aclexplode(nspacl) WHERE ${ours} AND nspname <> 'public' AND grantee <> nspowner GROUP BY nspname, grantee, is_grantable
  UNION ALL SELECT ${grant('%s %s')}, ${privileges}, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, ${table}, ${toWhom})
    FROM ${relations.replace('WHERE', 'CROSS JOIN aclexplode(relacl) WHERE')} AND grantee <> relowner GROUP BY relkind, nspname, relname, grantee, is_grantable
  ORDER BY 1`;
const defaultGrantsSql = `SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %I ', defaclrole::regrole, nspname)
    || ${grant('%s')}, ${privileges}, CASE defaclobjtype WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END, ${toWhom})
  FROM pg_catalog.pg_default_acl JOIN pg_catalog.pg_namespace n ON n.oid = defaclnamespace, aclexplode(defaclacl)
  WHERE defaclobjtype IN ('r', 'S') AND grantee <> defaclrole GROUP BY defaclrole, nspname, defaclobjtype, grantee, is_grantable ORDER BY 1`;

/** A sequence's own row says whether its last value was handed out; a snapshot does not bind it, in pg_dump neither. */
async function* sequenceValues(client: Client): AsyncGenerator<string> {
  for (const name of await column(client, `SELECT ${table} FROM ${relations} AND relkind = 'S' ORDER BY 1`))
    yield* await column(
      client,
      `SELECT format(E'SELECT pg_catalog.setval(%L, %s, %s);\\n\\n', ${client.escapeLiteral(name)}, last_value, is_called::text) FROM ${name}`,
    );
}
