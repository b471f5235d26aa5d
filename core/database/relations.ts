/** Rows, hashes and schema of the application's tables, asked the same way by the sentinel and by validation. */
import { createHash } from 'node:crypto';
import type { Session } from './ports.ts';
import { quoteIdentifier } from './sql.ts';

/** What a session has resolved: a name means the same in it until it ends. */
const resolved = new WeakMap<Session, Map<string, string>>();

/** The table as one safe SQL name; PostgreSQL itself reads the text, so `stocker."order"` means what it means there. */
export async function resolveRelation(session: Session, name: string): Promise<string> {
  const known = resolved.get(session) ?? new Map<string, string>();
  resolved.set(session, known);
  const before = known.get(name);
  if (before !== undefined) return before;
  const [row] = await session.query(
    `select nspname as schema, relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = $1::regclass`,
    [name],
  );
  const relation = `${quoteIdentifier(row?.schema ?? '')}.${quoteIdentifier(row?.name ?? '')}`;
  known.set(name, relation);
  return relation;
}

export async function countRows(session: Session, table: string): Promise<string> {
  const [row] = await session.query(`select count(*) as rows from ${await resolveRelation(session, table)}`);
  return row?.rows ?? '0';
}

export interface ContentHash {
  readonly rows: string;
  readonly hash: string;
}

/**
 * Rows and content hash of an append-only table above `after` (exclusive; from the start where undefined) up to
 * `upTo`. A sum over rows, so two neighbouring ranges add up to their union.
 */
export async function hashRows(
  session: Session,
  table: string,
  keyColumn: string,
  range: { after: string | undefined; upTo: string },
): Promise<ContentHash> {
  const key = quoteIdentifier(keyColumn);
  const [row] = await session.query(
    `select count(*) as rows, coalesce(sum(hash_record_extended(t, 0)::numeric), 0) as hash
     from ${await resolveRelation(session, table)} t where t.${key} <= $1 ${range.after === undefined ? '' : `and t.${key} > $2`}`,
    range.after === undefined ? [range.upTo] : [range.upTo, range.after],
  );
  return { rows: row?.rows ?? '0', hash: row?.hash ?? '0' };
}

/** The key that ends a slice of about `rows` rows above `after`, up to `upTo`. */
export async function endOfSlice(
  session: Session,
  table: string,
  keyColumn: string,
  { after, upTo, rows }: { after: string | undefined; upTo: string; rows: number },
): Promise<string> {
  const key = quoteIdentifier(keyColumn);
  const [row] = await session.query(
    `select t.${key} as key from ${await resolveRelation(session, table)} t
     where t.${key} <= $1 ${after === undefined ? '' : `and t.${key} > $2`} order by t.${key} offset ${rows - 1} limit 1`,
    after === undefined ? [upTo] : [upTo, after],
  );
  return row?.key ?? upTo;
}

/** Columns, constraints and indexes of everything that is neither PostgreSQL's, nor the product's, nor temporary. */
const relationHashesSql = `
  with relation as (
    select c.oid, format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where relkind in ('r', 'p', 'v', 'm') and relpersistence <> 't'
        and nspname !~ '^pg_' and nspname not in ('information_schema', 'stocker_dr'))
  select name, left(md5(string_agg(line, E'\\n' order by line collate "C")), 16) as hash from (
    select name, '' as line from relation
    union all select name, format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull)
      from relation join pg_attribute on attrelid = relation.oid where attnum > 0 and not attisdropped
    union all select name, format('%s %s', conname, pg_get_constraintdef(c.oid))
      from relation join pg_constraint c on conrelid = relation.oid
    union all select name, pg_get_indexdef(indexrelid) from relation join pg_index on indrelid = relation.oid) part
  group by name`;

/** Relation → hash of its definition. */
export async function relationHashes(session: Session): Promise<Readonly<Record<string, string>>> {
  const rows = await session.query(relationHashesSql);
  return Object.fromEntries(rows.map((row) => [row.name ?? '', row.hash ?? '']));
}

/** One hash of all definitions. */
export const schemaHashOf = (relations: Readonly<Record<string, string>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(relations).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 32);

/** The application's version of its own schema, by the statement of the settings. */
export async function schemaVersion(session: Session, sql: string): Promise<string> {
  const [row] = await session.query(sql);
  return Object.values(row ?? {})[0] ?? '';
}
