/** What production can be taken over by in this Region: the read replica that follows it, or its replicated backups. */
import { newestHeartbeatIn } from '../database/heartbeat.ts';
import type { DatabaseInstance, Databases, RestoreWindow, Secrets, Sessions } from '../database/ports.ts';
import { asMoment, withSession } from '../database/sql.ts';
import type { ActiveDatabase, Incident } from '../incident/contracts.ts';
import { incidentTag } from '../incident/identifiers.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import { ReplicaMissing } from './errors.ts';
import { successorIdentifier } from './names.ts';
import type { Replicas } from './ports.ts';

export interface FindStandbyContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'list' | 'backupsOf'>;
  readonly replicas: Pick<Replicas, 'of'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/** Newest of what it holds of production. */
export interface Held {
  /** Newest heartbeat that it has replayed. */
  readonly heartbeat: string | undefined;
  /** Up to when it holds what was committed: the last transaction that it has replayed, or the end of the restore window. */
  readonly upTo: string | undefined;
}

export type StandbyDatabase =
  | {
      readonly kind: 'replica';
      readonly replica: DatabaseInstance;
      /** By an earlier execution of this incident. */
      readonly isPromoted: boolean;
      readonly held: Held;
    }
  | {
      readonly kind: 'backups';
      /** ARN of the automated backups that are replicated to this Region. */
      readonly arn: string;
      readonly window: RestoreWindow;
      readonly held: Held;
    };

/** Throws ReplicaMissing where there is nothing to take over with. */
export async function findStandby(
  incident: Incident,
  active: ActiveDatabase,
  context: FindStandbyContext,
): Promise<StandbyDatabase> {
  const { settings, here, databases, replicas } = context;
  const promoted = await findPromoted(incident, context);
  const found = promoted ?? (await replicas.of(active));
  if (found === undefined && settings.backup.regionProtection === 'automated-backups') {
    const backups = await databases.backupsOf(active);
    if (backups?.window === undefined)
      throw ReplicaMissing(
        `RDS in ${here.region} has no automated backups of ${active.identifier} that can be restored here.`,
      );
    const { arn, window } = backups;
    return { kind: 'backups', arn, window, held: { heartbeat: undefined, upTo: window.latest } };
  }
  if (found === undefined)
    throw ReplicaMissing(`RDS in ${here.region} has no read replica of ${active.identifier} in ${active.region}.`);
  return { kind: 'replica', replica: found, isPromoted: promoted !== undefined, held: await heldBy(found, context) };
}

/** What this incident has promoted before: the replica is none any more, and bears its tag. */
async function findPromoted(
  { id, mode }: Incident,
  { settings, databases }: FindStandbyContext,
): Promise<DatabaseInstance | undefined> {
  if (mode === 'drill') return undefined;
  const found = await databases.list(settings.database.identifier);
  const restored = successorIdentifier(settings, id, 'restored');
  return found.find(
    ({ identifier, tags, replicaOf }) => tags[incidentTag] === id && replicaOf === undefined && identifier !== restored,
  );
}

async function heldBy({ address, port }: DatabaseInstance, context: FindStandbyContext): Promise<Held> {
  const { settings, secrets, sessions } = context;
  if (address === undefined || port === undefined) return { heartbeat: undefined, upTo: undefined };
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const at = { address, port, database: settings.database.name };
  return withSession(sessions, at, sentinel, async (session) => {
    const heartbeat = await newestHeartbeatIn(session);
    const [row] = await session.query(`select ${asMoment('pg_last_xact_replay_timestamp()')} as replayed`);
    return { heartbeat, upTo: row?.replayed ?? undefined };
  });
}
