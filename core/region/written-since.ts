/**
 * Rows that a database took after a moment, by table: what nobody else has, where another one had become production. By the
 * time of the commit, which PostgreSQL keeps where `track_commit_timestamp` is on; rows that were deleted leave no trace.
 */
import type { Session } from '../database/ports.ts';

/** A row as JSON, a line each. */
export interface WrittenRows {
  readonly counts: Readonly<Record<string, number>>;
  readonly lines: readonly string[];
}

/** What is kept of one table; more are counted. */
const keptOfTable = 5_000;

const tablesSql = `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace
  where relkind in ('r', 'p') and relpersistence = 'p' and not relispartition
    and nspname !~ '^pg_' and nspname not in ('information_schema', 'stocker_dr', 'cron') order by 1`;

/** `session` is the master's. */
export async function writtenSince(session: Session, moment: string): Promise<WrittenRows> {
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  for (const { name } of await session.query(tablesSql)) {
    if (name == null) continue;
    // The name comes from format(%I): it is quoted as SQL wants it.
    const rows = await session.query(
      `select to_jsonb(t)::text as row, to_char(pg_xact_commit_timestamp(t.xmin) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
         count(*) over () as total
       from ${name} t where t.xmin::text::bigint > 2 and pg_xact_commit_timestamp(t.xmin) > $1::timestamptz
       order by pg_xact_commit_timestamp(t.xmin) limit ${keptOfTable}`,
      [moment],
    );
    if (rows.length === 0) continue;
    counts[name] = Number(rows[0]?.total);
    lines.push(
      ...rows.map(({ row, at }) => JSON.stringify({ table: name, committedAt: at, row: JSON.parse(row ?? 'null') })),
    );
  }
  return { counts, lines };
}

export const totalOf = (counts: WrittenRows['counts']): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
