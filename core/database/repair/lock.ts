/** The tables of a repair, locked against everybody who writes or reads them, or not at all. */
import { TablesLocked } from '../errors.ts';
import type { Session } from '../ports.ts';
import { sqlState } from '../sql.ts';

export interface LockPatience {
  readonly attempts: number;
  readonly pauseSeconds: number;
}

/**
 * Shorter than deadlock_timeout (1 s): who locks in another order waits for this, and is not the one that PostgreSQL ends.
 * Short, too, because everybody queues behind a waiting ACCESS EXCLUSIVE. An autovacuum gives way only to who waits longer
 * than deadlock_timeout, so the later attempts do.
 */
const lockTimeoutMs = { atFirst: 900, later: 2_500 };

/** 55P03 lock_not_available, 40P01 deadlock_detected. */
const notHad = new Set(['55P03', '40P01']);

/** Begins a transaction that holds the locks; throws TablesLocked, with nothing begun, naming who holds them. */
export async function beginLocked(
  session: Session,
  { repaired, dependants }: { readonly repaired: readonly string[]; readonly dependants: readonly string[] },
  { attempts, pauseSeconds }: LockPatience,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await session.query('begin');
    try {
      const timeoutMs = attempt <= attempts / 2 ? lockTimeoutMs.atFirst : lockTimeoutMs.later;
      await session.query(`set local lock_timeout = ${timeoutMs}`);
      if (repaired.length > 0)
        await session.query(`lock table only ${repaired.join(', only ')} in access exclusive mode`);
      if (dependants.length > 0)
        await session.query(`lock table only ${dependants.join(', only ')} in share row exclusive mode`);
      return;
    } catch (cause) {
      await session.query('rollback');
      if (!notHad.has(sqlState(cause) ?? '')) throw cause;
      if (attempt >= attempts) {
        const holders = await holdersOf(session, [...repaired, ...dependants]);
        throw TablesLocked(
          `${[...repaired, ...dependants].join(', ')} could not be locked in ${attempts} attempts. Sessions at work on them: ${holders}.`,
          { cause },
        );
      }
      await session.query('select pg_sleep($1)', [pauseSeconds]);
    }
  }
}

/** No statements: they hold the customer's data. */
async function holdersOf(session: Session, tables: readonly string[]): Promise<string> {
  const rows = await session.query(
    `select distinct format('%s (%s, %s, in its transaction since %s)', a.pid, coalesce(usename, backend_type), state, xact_start) as holder
     from pg_locks l join pg_stat_activity a using (pid)
     where relation = any($1::regclass[]) and granted and pid <> pg_backend_pid() order by 1`,
    [tables],
  );
  return rows.map(({ holder }) => holder).join('; ') || 'none any more';
}
