/** RestoreDatabase, AwaitAvailable, ConfigureDatabase and AwaitUsable: from a plan to an instance that takes sessions. */
import * as z from 'zod';
import type { Incident } from '../incident/contracts.ts';
import { endOf } from '../incident/end-of.ts';
import { environmentTag, incidentTag, isCopyDeleted } from '../incident/identifiers.ts';
import { formatSeconds, isBefore, secondsBetween } from '../incident/moments.ts';
import type { Clock, Compensations, Executions } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, Restore, RestorePlan } from './contracts.ts';
import {
  CandidateNotOurs,
  DatabaseNotFound,
  DatabaseNotReady,
  LeaseLost,
  RestoreFailed,
  RestorePointUnknown,
} from './errors.ts';
import type { DatabaseInstance, Databases, RestoreSpecification, Secrets, Sessions } from './ports.ts';
import { lostStatuses, usableStatuses } from './source.ts';
import { addressOf, messageOf, withSession } from './sql.ts';

export const closeCandidate = 'close-candidate';
export const CloseCandidate = z.object({ identifier: z.string(), incidentId: z.string() });
export type CloseCandidate = z.infer<typeof CloseCandidate>;

/** aws-facts: RDS stays in these until somebody acts; `deleting` means that somebody else acts. */
export const terminalStatuses = new Set([
  'failed',
  'incompatible-restore',
  'incompatible-network',
  'incompatible-parameters',
  'incompatible-option-group',
  'incompatible-credentials',
  'restore-error',
  'insufficient-capacity',
  'inaccessible-encryption-credentials',
  'storage-full',
  'deleting',
]);

/** What a retry must know of the instance that an earlier execution made. */
export const restorePointTag = 'stocker-dr:restore-point';
export const restoredFromTag = 'stocker-dr:restored-from';
export const lossTag = 'stocker-dr:estimated-loss-seconds';
/** When the promotion of a replica was asked for: RDS may show it as a replica for a while after. */
export const promotionTag = 'stocker-dr:promotion-asked';

/** The restore of a plan that is decided; throws RestorePointUnknown where a person has not chosen yet. */
export function restoreOf({ restore, restorePoint }: RestorePlan): { restore: Restore; restorePoint: string } {
  if (restore !== undefined && restorePoint !== undefined) return { restore, restorePoint };
  throw RestorePointUnknown('The plan has no restore point: nobody has chosen one.');
}

/**
 * The instance whose baselines speak of a copy: RDS restores to a time from the source's own log. A snapshot or a dump may
 * be of a database before it: undefined.
 */
export const lineageOf = ({ restore, source }: RestorePlan): string | undefined =>
  restore?.kind === 'time' ? source.resourceId : undefined;

interface PlanInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface RestoreContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'find' | 'restore' | 'restoreWindow'>;
  readonly secrets: Secrets;
  readonly compensations: Pick<Compensations, 'register'>;
  readonly executions: Pick<Executions, 'status'>;
}

/**
 * Starts the restore. A copy that is kept, and may admit the application's logins as its restore point did, is closed
 * where the recovery does not succeed: registered before the act. One that is stopped meanwhile may have been compensated
 * before the copy was there, so it is registered again.
 */
export async function restoreDatabase(
  { incident, plan }: PlanInput,
  context: RestoreContext,
): Promise<StepResult<{ outcome: 'started' | 'adopted' }>> {
  const { candidate } = plan;
  if (plan.resume !== undefined)
    return {
      output: { outcome: 'adopted' },
      summary: `${candidate} was restored by this incident and is production`,
      facts: { ...reachOf(plan), resume: plan.resume },
    };
  if (isCopyDeleted(incident)) return startRestore({ incident, plan }, context);
  const { compensations, executions } = context;
  const before = await endOf(incident, executions);
  if (before) throw LeaseLost(`${before}: nothing is restored.`);
  const closing: CloseCandidate = { identifier: candidate, incidentId: incident.id };
  await compensations.register(incident.id, closeCandidate, closing);
  const result = await startRestore({ incident, plan }, context);
  const ended = await endOf(incident, executions);
  if (ended === undefined) return result;
  await compensations.register(incident.id, closeCandidate, closing);
  throw LeaseLost(`${ended}, while ${candidate} was being restored: the clean-up closes it once it is up.`);
}

/**
 * With everything that RDS would otherwise default (aws-facts). A repeated step, or one whose answer was lost, finds the
 * instance there and adopts it only if it bears this incident's tag.
 */
async function startRestore(
  { incident, plan }: PlanInput,
  { settings, here, databases, secrets }: RestoreContext,
): Promise<StepResult<{ outcome: 'started' | 'adopted' }>> {
  const { restore } = restoreOf(plan);
  const source = await databases.find(plan.source.identifier);
  const isThere = source?.resourceId === plan.source.resourceId;
  if (plan.seen === undefined && !isThere) throw sourceGone(plan);
  const like = likeOf(plan, source);
  const { from, reach } = await originOf(restore, plan, isThere ? source : undefined, like, {
    settings,
    databases,
    secrets,
  });
  const { restorePoint } = reach;
  const outcome = await databases.restore({
    targetIdentifier: plan.candidate,
    from,
    like,
    subnetGroup: here.databaseSubnetGroup,
    parameterGroup: here.databaseParameterGroup,
    securityGroupIds: [here.isolatedSecurityGroupId],
    multiAz: false, // a drill's copy lives an hour; a recovery's is given its standby when the application is back
    tags: {
      ...tagsOf(incident, plan, reach),
      [incidentTag]: incident.id,
      [environmentTag]: settings.environment,
    },
  });
  if (outcome === 'started')
    return {
      output: { outcome },
      summary: `restoring ${plan.candidate} as of ${restorePoint}${whatIsMissing(plan, reach)}`,
      facts: { ...reach },
    };
  const existing = await databases.find(plan.candidate);
  const owner = existing?.tags[incidentTag];
  if (owner !== incident.id)
    throw CandidateNotOurs(
      `${plan.candidate} exists and was made by ${owner ?? 'no incident'}, not by ${incident.id}.`,
    );
  const point = existing?.tags[restorePointTag];
  // The name of a copy that is deleted afterwards says nothing of its restore point.
  if (isCopyDeleted(incident) && point !== undefined && point !== restorePoint)
    throw CandidateNotOurs(
      `${plan.candidate} is a copy as of ${point}, left by an earlier execution of ${incident.id}; this one wants ${restorePoint}. Delete it first.`,
    );
  // As it was begun: the window has moved on since.
  const estimatedLossSeconds = Number(existing?.tags[lossTag] ?? reach.estimatedLossSeconds);
  const facts = { restorePoint: point ?? restorePoint, estimatedLossSeconds };
  return {
    output: { outcome: 'adopted' },
    summary: `${plan.candidate} was already being restored by this incident`,
    facts,
  };
}

/** What a copy holds everything up to, and what of production is lost by that, in seconds. */
type Reach = Readonly<Required<Pick<RestorePlan, 'restorePoint' | 'estimatedLossSeconds'>>>;

/** A source that died behind its fence left less than was planned with. */
function whatIsMissing({ estimatedLossSeconds }: RestorePlan, reach: Reach): string {
  const missing = reach.estimatedLossSeconds - estimatedLossSeconds;
  return missing > 0 ? `, where its log ends: ${formatSeconds(missing)} more are lost than was planned` : '';
}

const reachOf = (plan: RestorePlan): Reach => ({
  restorePoint: restoreOf(plan).restorePoint,
  estimatedLossSeconds: plan.estimatedLossSeconds,
});

interface Origin {
  readonly from: RestoreSpecification['from'];
  readonly reach: Reach;
}

async function originOf(
  restore: Restore,
  plan: RestorePlan,
  source: DatabaseInstance | undefined,
  { engine, engineVersion }: LikeEngine,
  { settings, databases, secrets }: Pick<RestoreContext, 'settings' | 'databases' | 'secrets'>,
): Promise<Origin> {
  const reach = reachOf(plan);
  if (restore.kind === 'snapshot') return { from: { kind: 'snapshot', snapshotIdentifier: restore.snapshot }, reach };
  if (restore.kind === 'time') {
    const { at, ...reached } = await restorableTime(restore.at, plan, source, databases);
    const backups = restore.backups === undefined ? {} : { backupsArn: restore.backups };
    const sourceIdentifier = source?.identifier;
    const sourceResourceId = plan.source.resourceId;
    return { from: { kind: 'time', sourceIdentifier, sourceResourceId, ...backups, at }, reach: reached };
  }
  const { name: databaseName, masterSecretName } = settings.database;
  const master = await secrets.credentials(masterSecretName);
  return { from: { kind: 'nothing', engine, engineVersion, databaseName, master }, reach };
}

/** A recovery's candidate stays: it bears production's tags, except those that AWS keeps to itself. */
function tagsOf(
  { mode, scope }: Incident,
  { seen, source }: RestorePlan,
  { restorePoint, estimatedLossSeconds }: Reach,
): Record<string, string> {
  if (mode === 'drill') return {};
  if (scope !== undefined) return { [restorePointTag]: restorePoint };
  const inherited = Object.entries(seen?.tags ?? {}).filter(([name]) => !name.startsWith('aws:'));
  return {
    ...Object.fromEntries(inherited),
    [restorePointTag]: restorePoint,
    [restoredFromTag]: source.resourceId,
    [lossTag]: String(estimatedLossSeconds),
  };
}

/**
 * RDS uploads logs every five minutes, so the end of the window may lie before a restore point that has passed: a living
 * source will reach it. What a dead one left ends before it, and so is the newest that is as good. The latest that a
 * fenced source holds is what it held when it was fenced: waiting for that log loses nothing. Only one that RDS has given
 * up, or that is stopped, uploads none any more: one whose storage is optimized does so for hours, and takes writes.
 */
async function restorableTime(
  at: string,
  plan: RestorePlan,
  source: DatabaseInstance | undefined,
  databases: RestoreContext['databases'],
): Promise<Reach & { at: string }> {
  const planned = { at, ...reachOf(plan) };
  const wanted = at === 'latest' ? plan.fencedAt : at;
  if (wanted === undefined || plan.seen === undefined) return planned;
  const window = await databases.restoreWindow(plan.source);
  if (window === undefined) return planned;
  if (isBefore(wanted, window.latest)) return { ...planned, restorePoint: wanted };
  if (source !== undefined && !lostStatuses.has(source.status) && source.status !== 'stopped')
    throw DatabaseNotReady(
      `${plan.source.identifier} can be restored up to ${window.latest}, not yet to ${wanted}; a retry with that time as restoreTo gives up what was written in between.`,
    );
  const missing = Math.max(0, secondsBetween(window.latest, wanted));
  return { at: 'latest', restorePoint: window.latest, estimatedLossSeconds: plan.estimatedLossSeconds + missing };
}

export interface AwaitAvailableContext {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'failures'>;
}

export async function awaitAvailable(
  { incident, plan }: PlanInput,
  { clock, settings, databases }: AwaitAvailableContext,
): Promise<StepResult<Candidate>> {
  const { candidate } = await findAvailable(plan.candidate, settings, databases);
  const elapsed = secondsBetween(incident.detectedAt, clock.now().toISOString());
  return {
    output: candidate,
    summary: `${plan.candidate} is available ${formatSeconds(elapsed)} after detection`,
    facts: { ...candidate, availableAfterSeconds: elapsed },
  };
}

export interface ConfigureContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'configure'>;
  readonly secrets: Secrets;
}

/** What a restore cannot set, and the current master password: the restored one is as old as the restore point. */
export async function configureDatabase(
  { plan }: Pick<PlanInput, 'plan'>,
  { settings, databases, secrets }: ConfigureContext,
): Promise<StepResult<Record<string, never>>> {
  if (plan.resume !== undefined)
    return { output: {}, summary: `${plan.candidate} is production already: its settings are left as they are` };
  const [source, master] = await Promise.all([
    databases.find(plan.source.identifier),
    secrets.credentials(settings.database.masterSecretName),
  ]);
  await databases.configure(plan.candidate, likeOf(plan, source), master.password);
  return {
    output: {},
    summary: `${plan.candidate} takes the settings of ${plan.source.identifier} that a restore cannot`,
  };
}

export interface AwaitUsableContext extends AwaitAvailableContext {
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

/** Usable: available, nothing pending, the master can log in, and it is no longer in recovery. */
export async function awaitUsable(
  { incident, plan }: PlanInput,
  { clock, settings, databases, secrets, sessions }: AwaitUsableContext,
): Promise<StepResult<Candidate>> {
  const { candidate, instance } = await findAvailable(plan.candidate, settings, databases);
  if (instance.pending.length > 0)
    throw DatabaseNotReady(`${plan.candidate} has modifications pending: ${instance.pending.join(', ')}.`);
  const master = await secrets.credentials(settings.database.masterSecretName);
  const facts = await withSession(sessions, addressOf(candidate), master, async (session) => {
    const [row] = await session.query('select pg_is_in_recovery() as recovering, version() as version');
    return row;
  }).catch((cause: unknown) => {
    throw DatabaseNotReady(`${plan.candidate} takes no login of its master yet: ${messageOf(cause)}`, { cause });
  });
  if (facts?.recovering !== 'f') throw DatabaseNotReady(`${plan.candidate} is still in recovery.`);
  const elapsed = secondsBetween(incident.detectedAt, clock.now().toISOString());
  return {
    output: candidate,
    summary: `${plan.candidate} is usable ${formatSeconds(elapsed)} after detection`,
    facts: { ...candidate, usableAfterSeconds: elapsed, version: facts.version },
  };
}

type LikeEngine = Pick<DatabaseInstance, 'settings' | 'engine' | 'engineVersion'>;

/** What the copy must resemble: in a recovery what the assessment saw, for the source may be gone by now. */
export function likeOf(plan: RestorePlan, source: DatabaseInstance | undefined): LikeEngine {
  if (plan.seen !== undefined) return plan.seen;
  if (source?.resourceId === plan.source.resourceId) return source;
  throw sourceGone(plan);
}

const sourceGone = ({ source }: RestorePlan) =>
  DatabaseNotFound(`${source.identifier} (${source.resourceId}) is gone since the plan was made.`);

export async function findAvailable(
  identifier: string,
  settings: Settings,
  databases: Pick<Databases, 'find' | 'failures'>,
) {
  const instance = await databases.find(identifier);
  if (instance === undefined) throw DatabaseNotReady(`RDS does not list ${identifier} yet.`);
  if (terminalStatuses.has(instance.status)) throw RestoreFailed(await whyGivenUp(instance, databases));
  const { address, port } = instance;
  if (!usableStatuses.has(instance.status) || address === undefined || port === undefined)
    throw DatabaseNotReady(`${identifier} is ${instance.status}.`, { details: { status: instance.status } });
  const { resourceId } = instance;
  return { instance, candidate: { identifier, resourceId, address, port, database: settings.database.name } };
}

/** How RDS leaves an instance that it has given up, and what it tells of it; that it cannot be asked hides nothing. */
export async function whyGivenUp(
  { identifier, status }: Pick<DatabaseInstance, 'identifier' | 'status'>,
  databases: Pick<Databases, 'failures'>,
): Promise<string> {
  const told = await databases.failures(identifier).then(
    (failures) => (failures.length > 0 ? `RDS says: ${failures.join(' ')}` : 'RDS tells no reason in its events.'),
    (error) => `Its events could not be read: ${messageOf(error)}`,
  );
  return `${identifier} is ${status}. ${told}`;
}
