/** MakeReplica, AwaitCaughtUp, PromoteReplica and AwaitPromoted: from a read replica to an instance that takes sessions. */
import type { Candidate, RestorePlan } from '../database/contracts.ts';
import { CandidateNotOurs, DatabaseNotFound, DatabaseNotReady, LeaseLost } from '../database/errors.ts';
import type { Databases, Secrets, Sessions } from '../database/ports.ts';
import {
  closeCandidate,
  findAvailable,
  promotionTag,
  restoredFromTag,
  restorePointTag,
  terminalStatuses,
  whyGivenUp,
} from '../database/restore-database.ts';
import { usableStatuses } from '../database/source.ts';
import { addressOf, messageOf, withSession } from '../database/sql.ts';
import type { Incident } from '../incident/contracts.ts';
import { endOf } from '../incident/end-of.ts';
import { environmentTag, incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock, Compensations, Executions } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Equipping, equipReplica } from './equip-replica.ts';
import { PromotionFailed, ReplicaBehind, ReplicaMissing } from './errors.ts';
import type { Replicas } from './ports.ts';

interface PlanInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface MakeReplicaContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'find'>;
  readonly replicas: Pick<Replicas, 'create'>;
}

/** A drill's own: a replica of the replica, isolated, so that the one that would be needed goes on following. */
export async function makeDrillReplica(
  { incident, plan }: PlanInput,
  { settings, here, databases, replicas }: MakeReplicaContext,
): Promise<StepResult<Record<string, never>>> {
  const source = replicaOf(plan);
  const like = await databases.find(source);
  if (like === undefined) throw DatabaseNotFound(`RDS in ${here.region} has no instance ${source}.`);
  if (like.settings.backupRetentionDays === 0)
    throw ReplicaMissing(
      `${source} has no automated backups: RDS makes no replica of it. Give it a retention in Terraform.`,
    );
  const outcome = await replicas.create({
    identifier: plan.candidate,
    sourceArn: like.arn,
    subnetGroup: here.databaseSubnetGroup,
    securityGroupIds: [here.isolatedSecurityGroupId],
    keyId: undefined,
    like,
    tags: { [incidentTag]: incident.id, [environmentTag]: settings.environment },
  });
  if (outcome === 'exists') await requireOwn(incident, plan.candidate, databases);
  return { output: {}, summary: `${plan.candidate} is being made, a replica of ${source}`, facts: { source, outcome } };
}

async function requireOwn({ id }: Incident, identifier: string, databases: Pick<Databases, 'find'>): Promise<void> {
  const owner = (await databases.find(identifier))?.tags[incidentTag];
  if (owner !== id)
    throw CandidateNotOurs(`${identifier} exists and was made by ${owner ?? 'no incident'}, not by ${id}.`);
}

export interface AwaitReplicaContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'find' | 'failures'>;
  readonly replicas: Equipping;
}

/** A drill's has the parameters of its source, which is beside it; to mend them would hide what the source lacks. */
export async function awaitReplica(
  { incident, plan }: PlanInput,
  { settings, here, databases, replicas }: AwaitReplicaContext,
): Promise<StepResult<Candidate>> {
  const { candidate, instance } = await findAvailable(plan.candidate, settings, databases);
  if (incident.mode === 'recovery') await equipReplica(instance, here.databaseParameterGroup, replicas);
  return { output: candidate, summary: `${plan.candidate} is available and follows`, facts: { ...candidate } };
}

export interface CaughtUpContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'failures'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/**
 * The replica has replayed everything that the fenced source wrote. Compared are positions in the log, because a lag in
 * seconds is that of the last write, and RDS's own metric is minutes off on an idle primary (aws-facts).
 */
export async function awaitCaughtUp(
  { plan }: PlanInput,
  { settings, databases, secrets, sessions }: CaughtUpContext,
): Promise<StepResult<{ lsn: string }>> {
  const { source } = plan;
  const replica = replicaOf(plan);
  if (source.address === undefined || source.port === undefined)
    throw DatabaseNotFound(`The plan does not say where ${source.identifier} is.`);
  const { name: database, masterSecretName } = settings.database;
  const master = await secrets.credentials(masterSecretName);
  const { candidate } = await findAvailable(replica, settings, databases);
  const at = { address: source.address, port: source.port, database };
  const written = await withSession(sessions, at, master, async (session) => {
    const [row] = await session.query('select pg_current_wal_flush_lsn()::text as lsn');
    return row?.lsn ?? '';
  });
  const [behind] = await withSession(sessions, addressOf(candidate), master, (session) =>
    session.query(
      'select pg_last_wal_replay_lsn()::text as lsn, pg_wal_lsn_diff($1, pg_last_wal_replay_lsn())::bigint as bytes',
      [written],
    ),
  );
  if (Number(behind?.bytes ?? Number.NaN) > 0 || behind?.lsn == null)
    throw ReplicaBehind(`${replica} is ${behind?.bytes ?? 'an unknown number of'} bytes behind ${written}.`);
  return {
    output: { lsn: written },
    summary: `${replica} has replayed all that ${source.identifier} wrote, up to ${written}: nothing is lost`,
    facts: { written, replayed: behind.lsn, rpoSeconds: 0 },
  };
}

export interface PromoteContext {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'failures'>;
  readonly replicas: Pick<Replicas, 'promote' | 'tag'>;
  readonly compensations: Pick<Compensations, 'register'>;
  readonly executions: Pick<Executions, 'status'>;
}

/** Retention is given here, for RDS would make it one day (aws-facts). The tag comes first: a retry knows its own by it. */
export async function promoteReplica(
  { incident, plan }: PlanInput,
  { clock, settings, databases, replicas, compensations, executions }: PromoteContext,
): Promise<StepResult<{ outcome: 'started' | 'promoted' }>> {
  const { candidate, seen } = plan;
  const instance = await databases.find(candidate);
  if (instance === undefined) throw DatabaseNotFound(`RDS has no instance ${candidate}.`);
  const ended = await endOf(incident, executions);
  if (ended) throw LeaseLost(`${ended}: ${candidate} is not promoted.`);
  if (incident.mode === 'recovery') {
    await compensations.register(incident.id, closeCandidate, { identifier: candidate, incidentId: incident.id });
    await replicas.tag(instance.arn, {
      [incidentTag]: incident.id,
      [environmentTag]: settings.environment,
      [promotionTag]: clock.now().toISOString(),
      // What comes home must know what the former production holds alone.
      [restorePointTag]: plan.restorePoint ?? '',
      [restoredFromTag]: plan.source.resourceId,
    });
  }
  if (instance.replicaOf === undefined)
    return { output: { outcome: 'promoted' }, summary: `${candidate} is promoted already` };
  const { backupRetentionDays, backupWindow } = seen?.settings ?? {};
  const isDrill = incident.mode === 'drill';
  const outcome = await replicas.promote(candidate, {
    retentionDays: isDrill ? 0 : Number(backupRetentionDays ?? settings.backup.automatedRetentionDays),
    window: !isDrill && typeof backupWindow === 'string' ? backupWindow : undefined,
  });
  return { output: { outcome }, summary: `${candidate} is being promoted`, facts: { candidate, outcome } };
}

export interface AwaitPromotedContext extends CaughtUpContext {
  readonly clock: Clock;
}

/** RDS may still say `available` right after the call: promoted is what follows nobody and is out of recovery (aws-facts). */
export async function awaitPromoted(
  { incident, plan }: PlanInput,
  { clock, settings, databases, secrets, sessions }: AwaitPromotedContext,
): Promise<StepResult<Candidate>> {
  const { candidate: identifier } = plan;
  const instance = await databases.find(identifier);
  if (instance === undefined) throw PromotionFailed(`RDS has no instance ${identifier} any more.`);
  if (terminalStatuses.has(instance.status)) throw PromotionFailed(await whyGivenUp(instance, databases));
  if (instance.replicaOf !== undefined)
    throw DatabaseNotReady(
      `${identifier} still follows ${instance.replicaOf}, whatever its status: ${instance.status}.`,
    );
  const { address, port, resourceId, status } = instance;
  // A first backup is taken of what has been promoted: it takes sessions meanwhile.
  if (address === undefined || port === undefined || !(usableStatuses.has(status) || status === 'backing-up'))
    throw DatabaseNotReady(`${identifier} is ${status}.`);
  const candidate: Candidate = { identifier, resourceId, address, port, database: settings.database.name };
  const master = await secrets.credentials(settings.database.masterSecretName);
  const [row] = await withSession(sessions, addressOf(candidate), master, (session) =>
    session.query('select pg_is_in_recovery() as recovering'),
  ).catch((cause: unknown) => {
    throw DatabaseNotReady(`${identifier} takes no login of its master yet: ${messageOf(cause)}`, { cause });
  });
  if (row?.recovering !== 'f') throw DatabaseNotReady(`${identifier} is still in recovery.`);
  const elapsed = secondsBetween(incident.detectedAt, clock.now().toISOString());
  return {
    output: candidate,
    summary: `${identifier} is promoted ${formatSeconds(elapsed)} after detection: it follows nobody and takes writes`,
    facts: { ...candidate, usableAfterSeconds: elapsed },
  };
}

export function failoverOf({ failover }: RestorePlan): NonNullable<RestorePlan['failover']> {
  if (failover === undefined) throw new Error('The plan is none of a failover.');
  return failover;
}

function replicaOf(plan: RestorePlan): string {
  const { replica } = failoverOf(plan);
  if (replica === undefined) throw ReplicaMissing('The plan restores from replicated backups: there is no replica.');
  return replica;
}
