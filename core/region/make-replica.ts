/** MakeReplica, AwaitFollowing and AwaitReplicaThere: replicas of production in another Region: to come home by, and to be safe again. */
import type { RestorePlan } from '../database/contracts.ts';
import { CandidateNotOurs, DatabaseNotFound, DatabaseNotReady } from '../database/errors.ts';
import { newestHeartbeatIn } from '../database/heartbeat.ts';
import type { Databases, Secrets, Sessions } from '../database/ports.ts';
import { findAvailable } from '../database/restore-database.ts';
import { addressOf, withSession } from '../database/sql.ts';
import type { Incident } from '../incident/contracts.ts';
import { environmentTag, incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import { otherRegion, type RegionSettings, type Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Equipping, equipReplica } from './equip-replica.ts';
import { ReplicaBehind } from './errors.ts';
import { successorIdentifier } from './names.ts';
import type { Replicas } from './ports.ts';

interface PlanInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface MakeContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'find'>;
  readonly databasesThere: Pick<Databases, 'find' | 'failures'>;
  readonly replicas: Pick<Replicas, 'create'>;
  readonly replicasThere: Pick<Replicas, 'create'>;
}

/** Of production, here, under a new identifier: nothing that is here is touched. */
export async function makeHomeReplica(
  { incident, plan }: PlanInput,
  { settings, here, databases, databasesThere, replicas }: MakeContext,
): Promise<StepResult<Record<string, never>>> {
  const there = otherRegion(settings, here);
  const { identifier } = plan.source;
  const source = await databasesThere.find(identifier);
  if (source === undefined) throw DatabaseNotFound(`RDS in ${there.region} has no instance ${identifier}.`);
  const outcome = await replicas.create({
    identifier: plan.candidate,
    sourceArn: source.arn,
    subnetGroup: here.databaseSubnetGroup,
    securityGroupIds: here.databaseSecurityGroupIds,
    keyId: here.backupKeyAlias,
    like: source,
    tags: tagsOf(incident, settings),
  });
  const owner = outcome === 'exists' ? (await databases.find(plan.candidate))?.tags[incidentTag] : incident.id;
  if (owner !== incident.id)
    throw CandidateNotOurs(
      `${plan.candidate} exists and was made by ${owner ?? 'no incident'}, not by ${incident.id}.`,
    );
  return {
    output: {},
    summary: `${plan.candidate} is being made in ${here.region}, a replica of ${identifier}`,
    facts: { outcome, source: source.arn },
  };
}

/** Of the new production, in the Region that it came from: the next loss is survived as this one was. */
export async function makeNextReplica(
  { incident, plan }: PlanInput,
  { settings, here, databases, replicasThere }: MakeContext,
): Promise<StepResult<{ identifier: string }>> {
  const there = otherRegion(settings, here);
  const source = await databases.find(plan.candidate);
  if (source === undefined) throw DatabaseNotFound(`RDS in ${here.region} has no instance ${plan.candidate}.`);
  const identifier = successorIdentifier(settings, incident.id, 'replica');
  const outcome = await replicasThere.create({
    identifier,
    sourceArn: source.arn,
    subnetGroup: there.databaseSubnetGroup,
    securityGroupIds: there.databaseSecurityGroupIds,
    keyId: there.backupKeyAlias,
    like: source,
    // Not the incident's: it stays, and a later one promotes it as its own.
    tags: { [environmentTag]: settings.environment },
  });
  return {
    output: { identifier },
    summary: `${identifier} is being made in ${there.region}, a replica of ${plan.candidate}`,
    facts: { identifier, outcome },
  };
}

export type AwaitNextContext = Pick<MakeContext, 'settings' | 'here' | 'databasesThere'> & {
  readonly replicasThere: Pick<Replicas, 'backUp'> & Equipping;
};

/** Throws the retryable DatabaseNotReady until it is there, has its Region's parameters, and is backed up. */
export async function awaitNextReplica(
  { next }: { readonly next: { readonly identifier: string } },
  { settings, here, databasesThere, replicasThere }: AwaitNextContext,
): Promise<StepResult<Record<string, never>>> {
  const { instance } = await findAvailable(next.identifier, settings, databasesThere);
  await equipReplica(instance, otherRegion(settings, here).databaseParameterGroup, replicasThere);
  if (!(Number(instance.settings.backupRetentionDays) > 0)) {
    await replicasThere.backUp(next.identifier, settings.backup.automatedRetentionDays);
    throw DatabaseNotReady(`${next.identifier} is being given automated backups, so that drills can copy it.`);
  }
  return {
    output: {},
    summary: `${next.identifier} in ${instance.region} is available and follows production`,
    facts: { identifier: next.identifier },
  };
}

const tagsOf = ({ id }: Incident, { environment }: Settings) => ({
  [incidentTag]: id,
  [environmentTag]: environment,
});

export interface FollowingContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly databases: Pick<Databases, 'find' | 'failures'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/** Close behind: what is left is replayed while nobody can write, so it is made little first. */
export async function awaitFollowing(
  { plan }: PlanInput,
  { settings, clock, databases, secrets, sessions }: FollowingContext,
): Promise<StepResult<Record<string, never>>> {
  const { candidate } = await findAvailable(plan.candidate, settings, databases);
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  const beat = await withSession(sessions, addressOf(candidate), sentinel, newestHeartbeatIn);
  const behind = beat === undefined ? Number.POSITIVE_INFINITY : secondsBetween(beat, clock.now().toISOString());
  // A heartbeat is a minute old before the next one is due.
  const limit = settings.region.gracefulLagSeconds + 60;
  if (behind > limit) throw ReplicaBehind(`The newest heartbeat of ${plan.candidate} is ${formatSeconds(behind)} old.`);
  return {
    output: {},
    summary: `${plan.candidate} follows: its newest heartbeat is ${formatSeconds(behind)} old`,
    facts: { newestHeartbeat: beat, behindSeconds: behind },
  };
}
