/** The first state of a recovery: refuses what cannot work before anything is touched. It only reads. */
import type { DatabaseInstance, Databases } from '../database/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { ActiveDatabase, Execution, Incident, StartRequest } from './contracts.ts';
import { ActiveDatabaseUnknown, DrillDeferred, DuplicateRequest, RecoveryNotBuilt } from './errors.ts';
import { databaseAlarmPrefix, incidentId, requestKey } from './identifiers.ts';
import { isBefore } from './moments.ts';
import { invalidRequest, parseRequest } from './parse-request.ts';
import type { Alarms, Clock, ControlStore, Executions, IncidentStore } from './ports.ts';
import { recoveryInProgress } from './take-lease.ts';

export interface AcceptRequestContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly incidents: Pick<IncidentStore, 'findByRequest'>;
  readonly alarms: Pick<Alarms, 'ringing'>;
  readonly databases: Pick<Databases, 'find' | 'restoreWindow' | 'findSnapshot'>;
}

/**
 * Returns the incident that the rest of the recovery carries. Throws InvalidRequest, RecoveryNotBuilt, DuplicateRequest,
 * RecoveryInProgress, DrillDeferred or ActiveDatabaseUnknown.
 */
export async function acceptRequest(
  { request: raw, execution }: { request: unknown; execution: Execution },
  context: AcceptRequestContext,
): Promise<{ incident: Incident }> {
  const { settings, here, clock } = context;
  const request = parseRequest(raw, { environment: settings.environment, now: clock.now().toISOString() });
  if (request.mode === 'recovery')
    throw RecoveryNotBuilt('This version rehearses the recovery of a database; it does not recover production yet');

  const key = requestKey(request, execution.arn);
  await refuseRepeated(key, request, execution, context);
  await refuseSecond(execution, context);
  await deferScheduledDrill(request, context);
  const active = await context.control.readActiveDatabase();
  if (!active) throw ActiveDatabaseUnknown(`No active database is registered in ${settings.environment}`);
  const instance = await findTarget(request, active, context);
  await checkRestorePoint(request, instance, context);

  return {
    incident: {
      id: incidentId(request.mode, execution.startedAt, key),
      environment: settings.environment,
      scenario: 'database',
      mode: request.mode,
      reason: request.reason,
      trigger: request.trigger,
      region: here.region,
      executionArn: execution.arn,
      detectedAt: request.trigger.at ?? execution.startedAt,
      target: active.identifier,
      restoreTo: request.restoreTo,
    },
  };
}

async function refuseRepeated(
  key: string,
  { mode, requestId }: StartRequest,
  { startedAt }: Execution,
  { incidents }: AcceptRequestContext,
): Promise<void> {
  const earlier = await incidents.findByRequest(key);
  if (earlier && earlier !== incidentId(mode, startedAt, key))
    throw DuplicateRequest(`requestId = ${JSON.stringify(requestId)} was used before, by incident ${earlier}`);
}

async function refuseSecond({ arn }: Execution, { control, executions }: AcceptRequestContext): Promise<void> {
  const lease = await control.readLease();
  if (lease && lease.executionArn !== arn && (await executions.status(lease.executionArn)) === 'RUNNING')
    throw recoveryInProgress(lease);
}

/** A drill on a schedule gives way to trouble; one that a person starts does not, for they may want to know. */
async function deferScheduledDrill({ mode, trigger }: StartRequest, context: AcceptRequestContext): Promise<void> {
  if (mode !== 'drill' || trigger.kind !== 'schedule') return;
  const ringing = await context.alarms.ringing(databaseAlarmPrefix(context.settings.environment));
  if (ringing.length > 0) throw DrillDeferred(`The scheduled drill gives way to ${ringing.join(', ')} in ALARM`);
}

async function findTarget(
  { target }: StartRequest,
  active: ActiveDatabase,
  { databases, here }: AcceptRequestContext,
): Promise<DatabaseInstance> {
  const field = 'target';
  const identifier = target ?? active.identifier;
  const activeIs = `The active database is ${active.identifier} in ${active.region}`;
  if (active.region !== here.region)
    throw invalidRequest([
      { field, value: target, problem: `is not in ${here.region}`, fix: `${activeIs}: start the state machine there.` },
    ]);
  const instance = await databases.find(identifier);
  const leaveOut = `${activeIs}; leave the field out to mean it.`;
  if (!instance)
    throw invalidRequest([
      {
        field,
        value: identifier,
        problem: `names no database in ${here.region}`,
        fix: identifier === active.identifier ? 'The active-database record names an instance that is gone.' : leaveOut,
      },
    ]);
  if (identifier !== active.identifier)
    throw invalidRequest([{ field, value: identifier, problem: 'is not the active database', fix: leaveOut }]);
  return instance;
}

async function checkRestorePoint(
  { restoreTo }: StartRequest,
  instance: DatabaseInstance,
  { databases }: AcceptRequestContext,
): Promise<void> {
  const refuse = (problem: string, fix: string, value: unknown = restoreTo) =>
    invalidRequest([{ field: 'restoreTo', value, problem, fix }]);
  if (typeof restoreTo === 'object') return checkSnapshot(restoreTo.snapshot, instance, databases);
  const window = await databases.restoreWindow(instance);
  if (!window)
    throw refuse(
      `cannot be reached: ${instance.identifier} has no automated backups`,
      'Give {"snapshot": …}, and set the instance’s backup retention.',
    );
  if (restoreTo === 'latest') return;
  // RDS: RestoreTime must lie before LatestRestorableTime (aws-facts).
  if (isBefore(restoreTo, window.earliest) || !isBefore(restoreTo, window.latest))
    throw refuse(
      `lies outside the restore window of ${instance.identifier}`,
      `Use a time from ${window.earliest} until before ${window.latest}, or "latest".`,
    );
}

async function checkSnapshot(
  name: string,
  instance: DatabaseInstance,
  databases: Pick<Databases, 'findSnapshot'>,
): Promise<void> {
  const refuse = (problem: string, fix: string) =>
    invalidRequest([{ field: 'restoreTo.snapshot', value: name, problem, fix }]);
  const list = `List its snapshots: aws rds describe-db-snapshots --db-instance-identifier ${instance.identifier} --region ${instance.region}`;
  const snapshot = await databases.findSnapshot(name);
  if (!snapshot) throw refuse(`names no snapshot in ${instance.region}`, list);
  const isOfInstance =
    snapshot.instanceIdentifier === instance.identifier &&
    (snapshot.instanceResourceId === undefined || snapshot.instanceResourceId === instance.resourceId);
  if (!isOfInstance)
    throw refuse(
      `is a snapshot of another database, ${snapshot.instanceIdentifier} (${snapshot.instanceResourceId ?? 'resource id unknown'})`,
      list,
    );
  if (snapshot.status !== 'available')
    throw refuse(`is not available but ${snapshot.status}`, `Wait for it, or: ${list}`);
  // Only CopyDBSnapshot changes the key: a restore of this one would be an unencrypted production database.
  if (!snapshot.encrypted && instance.settings.encrypted === true)
    throw refuse(
      `is unencrypted, and ${instance.identifier} is encrypted`,
      'Copy it with a KMS key (aws rds copy-db-snapshot --kms-key-id …) and give the copy.',
    );
}
