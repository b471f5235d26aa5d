/** The checks that find damage (postgres-facts: which finds which). Each looks at one item and says what it found. */
import type { Baseline } from '../database/contracts.ts';
import type { Session } from '../database/ports.ts';
import { hashRows, resolveRelation } from '../database/relations.ts';
import { quoteIdentifier } from '../database/sql.ts';
import type { Item, Tier } from './contracts.ts';
import { type Finding, failed, passed, unknown } from './findings.ts';

/** Looks at the blocks [from, to) of a heap; undefined: nothing wrong. */
export type RangeCheck = (session: Session, subject: string, from: number, to: number) => Promise<string | undefined>;

/**
 * Reads every column of every row: checksums, line pointers that lead nowhere, broken TOAST, text that is none. The
 * planner would rather read a small table whole, so sequential scans are off: a TID range scan reads only the range.
 */
export const scanHeap: RangeCheck = async (session, subject, from, to) => {
  const relation = await resolveRelation(session, subject);
  await session.query('set enable_seqscan = off');
  await session.query(
    `select count(dr_whole_row::text) from ${relation} as dr_whole_row where ctid >= $1::tid and ctid < $2::tid`,
    [`(${from},0)`, `(${to},0)`],
  );
  return undefined;
};

/** amcheck on heap pages: finds what has a valid checksum and no sense. The table may have shrunk since it was planned. */
export const verifyHeap: RangeCheck = async (session, subject, from, to) => {
  const [size] = await session.query(
    "select pg_relation_size($1::regclass) / current_setting('block_size')::bigint as blocks",
    [subject],
  );
  const end = Math.min(to, Number(size?.blocks));
  if (from >= end) return undefined;
  const rows = await session.query(
    `select blkno, offnum, msg from verify_heapam($1::regclass, check_toast => true, startblock => $2::bigint,
       endblock => $3::bigint) limit 5`,
    [subject, from, end - 1],
  );
  const found = rows.map((row) => `block ${row.blkno} item ${row.offnum}: ${row.msg}`);
  return found.length > 0 ? found.join('; ') : undefined;
};

/**
 * amcheck on an index. Deep: the parent check, which also descends from the root; it locks writers out and is refused on a
 * standby. `checkunique` came with amcheck 1.4.
 */
export async function verifyIndex(session: Session, { subject }: Item, tier: Tier): Promise<Finding> {
  const [amcheck] = await session.query("select extversion as version from pg_extension where extname = 'amcheck'");
  const [major = 0, minor = 0] = (amcheck?.version ?? '').split('.').map(Number);
  const unique = major > 1 || minor >= 4 ? ', checkunique => true' : '';
  const call =
    tier === 'deep'
      ? `bt_index_parent_check($1::regclass, heapallindexed => true, rootdescend => true${unique})`
      : `bt_index_check($1::regclass, heapallindexed => true${unique})`;
  await session.query(`select ${call}`, [subject]);
  return passed('structure and heap agree');
}

/**
 * Rows by the heap against rows by an index. A page that became zeros holds no rows and raises no error; the index, and
 * the visibility map that lets it answer alone, still count them.
 */
export async function crossCount(session: Session, { subject }: Item): Promise<Finding> {
  const relation = await resolveRelation(session, subject);
  const count = `select count(*) as rows from ${relation}`;
  await session.query('begin transaction isolation level repeatable read, read only');
  try {
    await session.query(
      'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off',
    );
    const [heap] = await session.query(count);
    await session.query(
      'set local enable_seqscan = off; set local enable_indexscan = on; set local enable_indexonlyscan = on',
    );
    const plan = await session.query(`explain (costs off) ${count}`);
    if (!plan.some((row) => Object.values(row).some((line) => line?.includes('Index'))))
      return unknown('PostgreSQL has no index to count by');
    const [index] = await session.query(count);
    const [heapRows, indexRows] = [heap?.rows ?? '', index?.rows ?? ''];
    if (heapRows !== indexRows) return failed(`the heap holds ${heapRows} rows, its index ${indexRows}`);
    return passed(`${heapRows} rows both ways`, { rows: heapRows });
  } finally {
    await session.query('rollback');
  }
}

/** Rows that no application rewrites must hash as the sentinel saw them: finds changed bytes under a valid checksum. */
export async function compareHash(
  session: Session,
  { subject }: Item,
  keyColumn: string | undefined,
  baseline: Baseline | undefined,
): Promise<Finding> {
  const known = baseline?.appendOnly[subject];
  if (keyColumn === undefined || baseline === undefined || known === undefined)
    return unknown('no baseline at or before the restore point holds a hash');
  const seen = await hashRows(session, subject, keyColumn, { after: undefined, upTo: known.key });
  const facts = { upTo: known.key, baselineAt: baseline.at, rows: seen.rows };
  if (seen.rows !== known.rows)
    return failed(`${seen.rows} rows up to key ${known.key}; the baseline has ${known.rows}`, facts);
  if (seen.hash !== known.hash) return failed(`the content up to key ${known.key} is not what the baseline saw`, facts);
  return passed(`${seen.rows} rows up to key ${known.key} hash as at ${baseline.at}`, facts);
}

/** By anti-join: `validate constraint` does nothing on a valid constraint (postgres-facts). */
export async function findOrphans(session: Session, { subject, part = '' }: Item): Promise<Finding> {
  const columns = await session.query(
    `select child.attname as child, parent.attname as parent, format('%I.%I', nspname, relname) as parent_table
     from pg_constraint c cross join unnest(conkey, confkey) as pair(child, parent)
     join pg_attribute child on child.attrelid = conrelid and child.attnum = pair.child
     join pg_attribute parent on parent.attrelid = confrelid and parent.attnum = pair.parent
     join pg_class on pg_class.oid = confrelid join pg_namespace n on n.oid = relnamespace
     where conrelid = $1::regclass and conname = $2`,
    [subject, part],
  );
  if (columns.length === 0) return failed(`the constraint ${part} is gone`);
  const relation = await resolveRelation(session, subject);
  const names = columns.map((row) => ({
    child: `child.${quoteIdentifier(row.child ?? '')}`,
    parent: `parent.${quoteIdentifier(row.parent ?? '')}`,
  }));
  // MATCH SIMPLE: a row with any null among its columns refers to nothing.
  const [row] = await session.query(
    `select count(*) as orphans from ${relation} child where ${names.map(({ child }) => `${child} is not null`).join(' and ')}
     and not exists (select from ${columns[0]?.parent_table} parent
       where ${names.map(({ child, parent }) => `${parent} = ${child}`).join(' and ')})`,
  );
  if (row?.orphans !== '0') return failed(`${row?.orphans} rows refer to nothing by ${part}`);
  return passed(`every row finds its ${part}`);
}

/** A sequence behind its column hands out keys that exist. WAL carries sequences ahead, never behind. */
export async function compareSequence(session: Session, { subject, part = '' }: Item): Promise<Finding> {
  const [owned] = await session.query(
    `select pg_get_serial_sequence($1, $2) as name, seqincrement > 0 as ascending
     from pg_sequence where seqrelid = pg_get_serial_sequence($1, $2)::regclass`,
    [subject, part],
  );
  if (owned?.name == null) return failed(`${part} has lost its sequence`);
  const furthest = owned.ascending === 't' ? 'max' : 'min';
  const beyond = owned.ascending === 't' ? '>' : '<';
  const relation = await resolveRelation(session, subject);
  const sequence = await resolveRelation(session, owned.name);
  const [row] = await session.query(
    `select furthest, last_value, coalesce(furthest ${beyond} last_value or (furthest = last_value and not is_called), false)
       as behind
     from ${sequence}, (select ${furthest}(${quoteIdentifier(part)}) as furthest from ${relation}) as used`,
  );
  if (row?.behind !== 'f') return failed(`${part} reaches ${row?.furthest}, its sequence is at ${row?.last_value}`);
  return passed(`${part}: sequence at ${row.last_value}, column at ${row.furthest ?? 'nothing'}`);
}
