/** What a check says about one item, and what an error of PostgreSQL means to it. */
import { isAnswered, isDamage, isTimeout, messageOf, sqlState } from '../database/sql.ts';
import type { Verdict } from './contracts.ts';
import { CheckInterrupted } from './errors.ts';

export interface Finding {
  readonly verdict: Verdict;
  readonly reason: string;
  /** For the report: what was counted, hashed, compared. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

type Facts = Finding['facts'];
export const passed = (reason: string, facts: Facts = {}): Finding => ({ verdict: 'passed', reason, facts });
export const failed = (reason: string, facts: Facts = {}): Finding => ({ verdict: 'failed', reason, facts });
export const unknown = (reason: string, facts: Facts = {}): Finding => ({ verdict: 'unknown', reason, facts });

/** 42P01 no such table, 3F000 no such schema, 42703 no such column: what should be there is not. */
const absent = new Set(['42P01', '3F000', '42703']);

/**
 * Damage and bad data fail; what PostgreSQL would not do (a permission, a type without a hash function) is unknown;
 * `timeout` is the caller's. A lost connection throws CheckInterrupted: the same piece may be run again.
 */
export function findingOf(error: unknown): Finding | 'timeout' {
  const message = `${sqlState(error) ?? ''} ${messageOf(error)}`.trim();
  if (isTimeout(error)) return 'timeout';
  if (!isAnswered(error))
    throw CheckInterrupted(`The restored database stopped answering: ${message}`, { cause: error });
  if (isDamage(error) || absent.has(sqlState(error) ?? '')) return failed(message);
  // Class 42: the statement cannot be run here. Everything else came out of the rows.
  return sqlState(error)?.startsWith('42') ? unknown(`cannot be checked: ${message}`) : failed(message);
}
