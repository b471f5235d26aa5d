/** RestoreDatabase, AwaitAvailable, ConfigureDatabase and AwaitUsable: from a plan to an instance that takes sessions. */
import type { Incident } from '../incident/contracts.ts';
import { environmentTag, incidentTag } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { Candidate, RestorePlan } from './contracts.ts';
import { CandidateNotOurs, DatabaseNotFound, DatabaseNotReady, NotImplemented, RestoreFailed } from './errors.ts';
import type { DatabaseInstance, Databases, Secrets, Sessions } from './ports.ts';
import { addressOf, messageOf, withSession } from './sql.ts';

/** aws-facts: RDS stays in these until somebody acts; `deleting` means that somebody else acts. */
const terminalStatuses = new Set([
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

/** Steps that touch instances know drills only, until the recovery of production is added. */
export function requireDrill(incident: Incident): void {
  if (incident.mode !== 'drill') throw NotImplemented(`database-recovery in mode ${incident.mode} is not implemented.`);
}

interface PlanInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface RestoreContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly databases: Pick<Databases, 'find' | 'restore'>;
}

/**
 * Starts the restore with everything that RDS would otherwise default (aws-facts). A repeated step, or one whose answer
 * was lost, finds the instance there and adopts it only if it bears this incident's tag.
 */
export async function restoreDatabase(
  { incident, plan }: PlanInput,
  { settings, here, databases }: RestoreContext,
): Promise<StepResult<{ outcome: 'started' | 'adopted' }>> {
  requireDrill(incident);
  const source = await findSource(plan, databases);
  const outcome = await databases.restore({
    targetIdentifier: plan.candidate,
    from:
      plan.restore.kind === 'snapshot'
        ? { kind: 'snapshot', snapshotIdentifier: plan.restore.snapshot }
        : { kind: 'time', sourceIdentifier: source.identifier, at: plan.restore.at },
    like: source,
    subnetGroup: here.databaseSubnetGroup,
    parameterGroup: here.databaseParameterGroup,
    securityGroupIds: [here.isolatedSecurityGroupId],
    multiAz: false, // a copy that lives an hour; parity lists it as expected
    tags: { [incidentTag]: incident.id, [environmentTag]: settings.environment },
  });
  if (outcome === 'started')
    return { output: { outcome }, summary: `restoring ${plan.candidate} as of ${plan.restorePoint}` };
  const existing = await databases.find(plan.candidate);
  const owner = existing?.tags[incidentTag];
  if (owner !== incident.id)
    throw CandidateNotOurs(
      `${plan.candidate} exists and was made by ${owner ?? 'no incident'}, not by ${incident.id}.`,
    );
  return { output: { outcome: 'adopted' }, summary: `${plan.candidate} was already being restored by this incident` };
}

export interface AwaitAvailableContext {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find'>;
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
  { plan }: PlanInput,
  { settings, databases, secrets }: ConfigureContext,
): Promise<StepResult<Record<string, never>>> {
  const [source, master] = await Promise.all([
    findSource(plan, databases),
    secrets.credentials(settings.database.masterSecretName),
  ]);
  await databases.configure(plan.candidate, source, master.password);
  return { output: {}, summary: `${plan.candidate} takes the settings of ${source.identifier} that a restore cannot` };
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

async function findSource(plan: RestorePlan, databases: Pick<Databases, 'find'>): Promise<DatabaseInstance> {
  const source = await databases.find(plan.source.identifier);
  if (source?.resourceId === plan.source.resourceId) return source;
  throw DatabaseNotFound(`${plan.source.identifier} (${plan.source.resourceId}) is gone since the plan was made.`);
}

async function findAvailable(identifier: string, settings: Settings, databases: Pick<Databases, 'find'>) {
  const instance = await databases.find(identifier);
  if (instance === undefined) throw DatabaseNotReady(`RDS does not list ${identifier} yet.`);
  if (terminalStatuses.has(instance.status)) throw RestoreFailed(`${identifier} is ${instance.status}.`);
  const { address, port } = instance;
  if (instance.status !== 'available' || address === undefined || port === undefined)
    throw DatabaseNotReady(`${identifier} is ${instance.status}.`, { details: { status: instance.status } });
  const { resourceId } = instance;
  return { instance, candidate: { identifier, resourceId, address, port, database: settings.database.name } };
}
