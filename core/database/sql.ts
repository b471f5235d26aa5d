/** Safe SQL text, and what PostgreSQL's error codes mean to a recovery. */
import { RecoveryError } from '../errors.ts';
import type { Candidate } from './contracts.ts';
import { DatabaseNotReady } from './errors.ts';
import type { Credentials, DatabaseAddress, Session, Sessions } from './ports.ts';

/** A name as one SQL identifier, whatever it holds. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as one SQL literal; the E form keeps its meaning under any standard_conforming_strings. */
export const quoteLiteral = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** Yields a timestamptz as a moment: UTC, microseconds kept. */
export const asMoment = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export const sqlState = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Class XX: a checksum, a page or an index is wrong (XX001, XX002), or PostgreSQL met what it says cannot be (XX000). */
export const isDamage = (error: unknown): boolean => /^XX\d/.test(sqlState(error) ?? '');

/** statement_timeout or a cancel. */
export const isTimeout = (error: unknown): boolean => sqlState(error) === '57014';

/** The statement itself was judged by PostgreSQL; anything else is a lost, refused or ending connection. */
export const isAnswered = (error: unknown): boolean => {
  const code = sqlState(error);
  // Network errors have codes such as ECONNREFUSED; class 08 and 57P are the connection's and the server's end.
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|53)/.test(code);
};

/** The connection failed for now: not PostgreSQL's answer, not an untrusted certificate, not a mistake of ours. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof RecoveryError || isAnswered(error)) return false;
  const code = sqlState(error);
  // `pg` names no code where a socket ends under a statement, or where it gives up waiting.
  return code === undefined ? /connection|timeout|not queryable/i.test(error.message) : !/CERT|TLS|SSL/.test(code);
}

export const addressOf = (candidate: Candidate): DatabaseAddress => ({
  address: candidate.address,
  port: candidate.port,
  database: candidate.database,
});

/** Statements of the steps are short: what takes longer hangs. */
export const stepTimeouts = { statementTimeoutMs: 20_000, connectTimeoutMs: 5_000, applicationName: 'stocker-dr' };

/** Throws the retryable DatabaseNotReady where the connection is lost: an instance restarts now and then, and every step may be repeated. */
export async function whileConnected<T>(
  { address }: Pick<DatabaseAddress, 'address'>,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (!isConnectionLost(cause)) throw cause;
    throw DatabaseNotReady(`The connection to ${address} is lost: ${messageOf(cause)}`, { cause });
  }
}

/** Opens a session, uses it and closes it on every path. Throws as `whileConnected`. */
export async function withSession<T>(
  sessions: Sessions,
  address: DatabaseAddress,
  credentials: Credentials,
  use: (session: Session) => Promise<T>,
  options: Parameters<Sessions['open']>[2] = stepTimeouts,
): Promise<T> {
  return whileConnected(address, async () => {
    const session = await sessions.open(address, credentials, options);
    try {
      return await use(session);
    } finally {
      await session.close();
    }
  });
}
