/**
 * Rows that a database took after a moment, by table: what nobody else has, where another one had become production. By the
 * time of the commit, which PostgreSQL keeps where `track_commit_timestamp` is on; rows that were deleted leave no trace.
 */
import type { Session } from '../database/ports.ts';
import { isTimeout } from '../database/sql.ts';
import { secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';

export interface WrittenRows {
  /** Every row, by table. */
  readonly counts: Readonly<Record<string, number>>;
  /** A row as JSON, a line each: the first ones of every table. */
  readonly lines: readonly string[];
  /** Tables that were not read in time: what they took is in no count. */
  readonly unread: readonly string[];
}

/** What is kept of one table; more are counted. */
export const keptOfTable = 5_000;

const tablesSql = `select format('%I.%I', nspname, relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace
  where relkind in ('r', 'p') and relpersistence = 'p' and not relispartition
    and nspname !~ '^pg_' and nspname not in ('information_schema', 'stocker_dr', 'cron') order by 1`;

/** `session` is the master's; its statement timeout bounds each table. No table is begun once `isOver`. */
export async function writtenSince(session: Session, moment: string, isOver: () => boolean): Promise<WrittenRows> {
  const counts: Record<string, number> = {};
  const lines: string[] = [];
  const unread: string[] = [];
  for (const { name } of await session.query(tablesSql)) {
    if (name == null) continue;
    const rows = isOver() ? undefined : await rowsOf(session, name, moment);
    if (rows === undefined) unread.push(name);
    if (rows === undefined || rows.length === 0) continue;
    counts[name] = Number(rows[0]?.total);
    lines.push(
      ...rows.map(({ row, at }) => JSON.stringify({ table: name, committedAt: at, row: JSON.parse(row ?? 'null') })),
    );
  }
  return { counts, lines, unread };
}

/** Undefined: not in time. `name` comes from format(%I): it is quoted as SQL wants it. */
const rowsOf = (session: Session, name: string, moment: string) =>
  session
    .query(
      `select to_jsonb(t)::text as row, to_char(pg_xact_commit_timestamp(t.xmin) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
         count(*) over () as total
       from ${name} t where t.xmin::text::bigint > 2 and pg_xact_commit_timestamp(t.xmin) > $1::timestamptz
       order by pg_xact_commit_timestamp(t.xmin) limit ${keptOfTable}`,
      [moment],
    )
    .catch((error: unknown) => {
      if (isTimeout(error)) return undefined;
      throw error;
    });

/** Whether so many seconds have passed since now. */
export function isOverAfter(seconds: number, clock: Clock): () => boolean {
  const begunAt = clock.now().toISOString();
  return () => secondsBetween(begunAt, clock.now().toISOString()) >= seconds;
}

export const totalOf = (counts: WrittenRows['counts']): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/**
 * How many of these rows are kept where, and which only `elsewhere`, in words that nobody can delete a database on. Without
 * `location` nothing was kept.
 */
export function keptInWords(
  { counts, lines, unread }: WrittenRows,
  location: string | undefined,
  elsewhere: string,
): string[] {
  const total = totalOf(counts);
  const kept = location === undefined ? 0 : lines.length;
  const rest = total - kept;
  return [
    ...(kept > 0 ? [`${rest === 0 ? 'all' : kept} of these rows are kept in ${location}`] : []),
    ...(rest > 0
      ? [`${rest} of these rows are in ${elsewhere} alone${kept > 0 ? `: ${keptOfTable} of a table are kept` : ''}`]
      : []),
    ...(unread.length > 0
      ? [`${unread.join(', ')}: not read in time, and in no count; what was written there is in ${elsewhere} alone`]
      : []),
  ];
}
