/** What is left of production: alive, gone, or unknown. Unknown is never gone, for it may take writes again. */
import { RecoveryError } from '../errors.ts';
import type { ActiveDatabase } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { SeenInstance } from './contracts.ts';
import { heartbeatBefore, newestHeartbeat } from './heartbeat.ts';
import type { DatabaseAddress, DatabaseInstance, Secrets, Sessions } from './ports.ts';
import { isAnswered, messageOf, sqlState, withSession } from './sql.ts';

/** aws-facts: RDS brings an instance back from none of these by itself. */
export const lostStatuses: ReadonlySet<string> = new Set([
  'failed',
  'deleting',
  'incompatible-restore',
  'incompatible-network',
  'incompatible-parameters',
  'incompatible-option-group',
  'restore-error',
  'inaccessible-encryption-credentials',
  'storage-full',
]);

/**
 * Whole, and open to whoever is admitted. After a change of storage RDS goes on optimizing it, for hours: the instance is
 * operational meanwhile, and nobody has to wait for `available` (re:Post, "rds-stuck-in-storage-optimization").
 */
export const usableStatuses: ReadonlySet<string> = new Set(['available', 'storage-optimization']);

/** Nobody listens there: a closed port, or a name that RDS has taken back. A timeout says neither. */
const refusals = new Set(['ECONNREFUSED', 'ENOTFOUND']);

export type Answer =
  | { readonly kind: 'answers'; readonly newestHeartbeat?: string }
  | { readonly kind: 'refuses' | 'silent'; readonly why: string };

/** What an attempt to connect says about the server. */
export function answerOf(thrown: unknown): Answer {
  // `withSession` says DatabaseNotReady of what it met.
  const error = thrown instanceof RecoveryError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (isAnswered(error)) return { kind: 'answers' };
  const kind = refusals.has(sqlState(error) ?? '') ? 'refuses' : 'silent';
  return { kind, why: messageOf(error) };
}

/** `instance` undefined: RDS lists none of that name. */
export function judgeSource(instance: Pick<DatabaseInstance, 'status'> | undefined, answer: Answer): SourceState {
  if (answer.kind === 'answers') return 'alive';
  const lost = instance === undefined || lostStatuses.has(instance.status);
  return lost && answer.kind === 'refuses' ? 'gone' : 'unknown';
}
export type SourceState = 'alive' | 'gone' | 'unknown';

export const endpointOfActive = (active: Pick<ActiveDatabase, 'address' | 'port'>, { database }: Settings) => ({
  address: active.address,
  port: active.port,
  database: database.name,
});

/** As the sentinel, who may log in to a fenced database, too. */
export async function probeSource(
  address: DatabaseAddress,
  { settings, secrets, sessions }: { settings: Settings; secrets: Secrets; sessions: Sessions },
): Promise<Answer> {
  const credentials = await secrets.credentials(settings.database.sentinelRole.secretName);
  try {
    const beat = await newestHeartbeat(sessions, address, credentials);
    return { kind: 'answers', ...(beat === undefined ? {} : { newestHeartbeat: beat }) };
  } catch (error) {
    return answerOf(error);
  }
}

/**
 * What a copy as of `restorePoint` must hold; undefined where the source cannot say. A heartbeat of the last seconds may
 * bear a time before that point and have been committed after it.
 */
export async function heartbeatDue(
  address: DatabaseAddress,
  restorePoint: string,
  { settings, secrets, sessions }: { settings: Settings; secrets: Secrets; sessions: Sessions },
): Promise<string | undefined> {
  const before = new Date(Date.parse(restorePoint) - 5000).toISOString();
  const credentials = await secrets.credentials(settings.database.sentinelRole.secretName);
  return withSession(sessions, address, credentials, (session) => heartbeatBefore(session, before)).catch(
    () => undefined,
  );
}

export function seenOf({ engine, engineVersion, settings, tags }: DatabaseInstance): SeenInstance {
  const known = Object.entries(settings).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, typeof value === 'object' ? [...value] : value] as const];
  });
  return { engine, engineVersion, settings: Object.fromEntries(known), tags: { ...tags } };
}
