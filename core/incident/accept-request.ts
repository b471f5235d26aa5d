/** The first state of a recovery: refuses what cannot work before anything is touched. It only reads. */
import { dumpExample, momentOfDump } from '../database/dump/names.ts';
import type { Dumps } from '../database/dump/ports.ts';
import type { DatabaseInstance, Databases } from '../database/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { ActiveDatabase, Execution, Incident, RestoreTo, Scope, StartRequest } from './contracts.ts';
import { ActiveDatabaseUnknown, DrillDeferred, DrillElsewhere, DuplicateRequest } from './errors.ts';
import { clusterAlarmPrefix, databaseAlarmPrefix, incidentId, incidentTag, requestKey } from './identifiers.ts';
import { isBefore } from './moments.ts';
import { invalidRequest, parseRequest } from './parse-request.ts';
import type { Alarms, Clock, ControlStore, Executions, IncidentStore } from './ports.ts';
import { findRetried } from './retry.ts';
import { isInTheWay, recoveryInProgress } from './take-lease.ts';

export interface AcceptRequestContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly incidents: Pick<IncidentStore, 'findByRequest' | 'read'>;
  readonly alarms: Pick<Alarms, 'ringing'>;
  readonly databases: Pick<Databases, 'find' | 'restoreWindow' | 'findSnapshot'>;
  readonly dumps: Pick<Dumps, 'find'>;
}

/**
 * Returns the incident that the rest of the recovery carries: a new one, or the failed one that is taken up again. Throws
 * InvalidRequest, DuplicateRequest, RecoveryInProgress, DrillElsewhere, DrillDeferred or ActiveDatabaseUnknown.
 */
export async function acceptRequest(
  { request: raw, execution }: { request: unknown; execution: Execution },
  context: AcceptRequestContext,
): Promise<{ incident: Incident }> {
  const { settings, here, clock } = context;
  const { starterMayApprove } = settings.approval;
  const now = clock.now().toISOString();
  const request = parseRequest(raw, { environment: settings.environment, now, mustNameStarter: !starterMayApprove });
  const retried = request.incident === undefined ? undefined : await findRetried(request.incident, request, context);
  const restoreTo = retried && !isGiven(raw, 'restoreTo') ? retried.restoreTo : request.restoreTo;

  const active = await context.control.readActiveDatabase();
  skipScheduledDrill(request, active, here);
  const key = requestKey(request, execution.arn);
  await refuseRepeated(key, request, execution, context);
  await refuseSecond(request, execution, context);
  await deferScheduledDrill(request, context);
  if (!active) throw ActiveDatabaseUnknown(`No active database is registered in ${settings.environment}`);
  const instance = await findTarget(request, active, context);
  const scope = retried ? retried.scope : request.scope;
  if (scope !== undefined && instance === undefined) throw requireLiving(active, scope);
  const isResumed = retried !== undefined && retried.target !== active.identifier;
  if (isResumed) requireOwnCutOver(retried, active, instance);
  else await checkRestorePoint({ mode: request.mode, restoreTo }, active, instance, context);

  if (retried)
    return {
      incident: {
        ...takenUpAgain(retried, request, execution),
        restoreTo,
        waiver: request.waiver,
      },
    };
  const begun = begunBy(request, execution, { settings, here, scenario: 'database', target: active.identifier });
  return { incident: { ...begun, ...(scope === undefined ? {} : { scope }) } };
}

/** The incident that a request begins. */
export const begunBy = (
  request: StartRequest,
  execution: Execution,
  {
    settings: { environment },
    here: { region },
    scenario,
    target,
  }: Pick<AcceptRequestContext, 'settings' | 'here'> & Pick<Incident, 'scenario' | 'target'>,
): Incident => ({
  id: incidentId(request.mode, execution.startedAt, requestKey(request, execution.arn)),
  environment,
  scenario,
  mode: request.mode,
  reason: request.reason,
  trigger: request.trigger,
  region,
  executionArn: execution.arn,
  detectedAt: request.trigger.at ?? execution.startedAt,
  target,
  restoreTo: request.restoreTo,
});

/** The incident that a retry goes on with, under the execution that does it. */
export const takenUpAgain = (
  retried: Incident,
  { reason, trigger }: Pick<StartRequest, 'reason' | 'trigger'>,
  { arn }: Pick<Execution, 'arn'>,
): Incident => ({
  ...retried,
  reason: `${reason}; before: ${retried.reason}`.slice(0, 500),
  trigger,
  executionArn: arn,
  retryOf: retried.executionArn,
});

export async function refuseRepeated(
  key: string,
  { mode, requestId }: StartRequest,
  { startedAt }: Execution,
  { incidents }: Pick<AcceptRequestContext, 'incidents'>,
): Promise<void> {
  const earlier = await incidents.findByRequest(key);
  if (earlier && earlier !== incidentId(mode, startedAt, key))
    throw DuplicateRequest(`requestId = ${JSON.stringify(requestId)} was used before, by incident ${earlier}`);
}

/** A drill gives way to a recovery: TakeLease stops it. */
export async function refuseSecond(
  { mode }: StartRequest,
  { arn }: Execution,
  { control, executions }: Pick<AcceptRequestContext, 'control' | 'executions'>,
): Promise<void> {
  const lease = await control.readLease();
  if (!lease || lease.executionArn === arn || !isInTheWay(lease, mode)) return;
  if ((await executions.status(lease.executionArn)) === 'RUNNING') throw recoveryInProgress(lease);
}

/** Comes before the lease: the other Region's drill of the same minute holds it, and is no reason to refuse this one aloud. */
export function skipScheduledDrill(
  { mode, trigger }: StartRequest,
  active: ActiveDatabase | undefined,
  here: RegionSettings,
): void {
  if (mode === 'drill' && trigger.kind === 'schedule' && active && active.region !== here.region)
    throw DrillElsewhere(`The active database is in ${active.region}: the schedule there runs this drill`);
}

const isGiven = (raw: unknown, field: string) =>
  typeof raw === 'object' &&
  raw !== null &&
  Object.entries(raw).some(([name, value]) => name === field && value !== undefined);

/** A drill on a schedule gives way to trouble; one that a person starts does not, for they may want to know. */
export async function deferScheduledDrill(
  { mode, trigger }: StartRequest,
  { settings, alarms }: Pick<AcceptRequestContext, 'settings' | 'alarms'>,
  prefixes: readonly ((environment: string) => string)[] = [databaseAlarmPrefix, clusterAlarmPrefix],
): Promise<void> {
  if (mode !== 'drill' || trigger.kind !== 'schedule') return;
  const ringing = (await Promise.all(prefixes.map((prefix) => alarms.ringing(prefix(settings.environment))))).flat();
  if (ringing.length > 0) throw DrillDeferred(`The scheduled drill gives way to ${ringing.join(', ')} in ALARM`);
}

/** undefined in a recovery whose database is gone: that is what it recovers from. */
async function findTarget(
  { mode, target }: StartRequest,
  active: ActiveDatabase,
  { databases, here }: AcceptRequestContext,
): Promise<DatabaseInstance | undefined> {
  const field = 'target';
  const identifier = target ?? active.identifier;
  const activeIs = `The active database is ${active.identifier} in ${active.region}`;
  if (active.region !== here.region)
    throw invalidRequest([
      { field, value: target, problem: `is not in ${here.region}`, fix: `${activeIs}: start the state machine there.` },
    ]);
  const instance = await databases.find(identifier);
  const leaveOut = `${activeIs}; leave the field out to mean it.`;
  if (!instance && mode === 'recovery' && identifier === active.identifier) return undefined;
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

/** Tables are repaired in production as it is: where it is gone, there is nothing to repair. */
const requireLiving = (active: ActiveDatabase, scope: Scope) =>
  invalidRequest([
    {
      field: 'scope',
      value: scope,
      problem: `cannot be had: RDS in ${active.region} has no instance ${active.identifier} to repair`,
      fix: 'Leave it out: the whole database is recovered to a new instance.',
    },
  ]);

/** Another database became production since the incident failed: only where the incident itself put it there may it go on. */
export function requireOwnCutOver(
  retried: Incident,
  active: ActiveDatabase,
  instance: DatabaseInstance | undefined,
): void {
  if (instance?.tags[incidentTag] === retried.id) return;
  throw invalidRequest([
    {
      field: 'incident',
      value: retried.id,
      problem: `is about ${retried.target}, and ${active.identifier} is production since ${active.since}`,
      fix: 'Start a new recovery of it, without "incident".',
    },
  ]);
}

async function checkRestorePoint(
  { mode, restoreTo }: { readonly mode: Incident['mode']; readonly restoreTo: RestoreTo },
  active: ActiveDatabase,
  instance: DatabaseInstance | undefined,
  { clock, databases, dumps }: AcceptRequestContext,
): Promise<void> {
  const refuse = (problem: string, fix: string, value: unknown = restoreTo) =>
    invalidRequest([{ field: 'restoreTo', value, problem, fix }]);
  if (typeof restoreTo === 'object' && 'dump' in restoreTo) return checkDump(restoreTo.dump, clock, dumps);
  if (typeof restoreTo === 'object')
    return checkSnapshot(restoreTo.snapshot, active, instance?.settings.encrypted === true, databases);
  // A recovery assesses first: the damage may leave a snapshot only, and a person chooses it.
  if (mode === 'recovery' && restoreTo === 'latest') return;
  const window = await databases.restoreWindow(instance ?? active);
  if (!window)
    throw refuse(
      `cannot be reached: ${active.identifier} has no automated backups`,
      'Give {"snapshot": …}, and set the instance’s backup retention.',
    );
  if (restoreTo === 'latest') return;
  // RDS: RestoreTime must lie before LatestRestorableTime (aws-facts).
  if (isBefore(restoreTo, window.earliest) || !isBefore(restoreTo, window.latest))
    throw refuse(
      `lies outside the restore window of ${active.identifier}`,
      `Use a time from ${window.earliest} until before ${window.latest}, or "latest".`,
    );
}

/** Whether it is whole shows when it is loaded: that takes as long as its rows. */
async function checkDump(name: string, clock: Clock, dumps: Pick<Dumps, 'find'>): Promise<void> {
  const refuse = (problem: string, fix: string) =>
    invalidRequest([{ field: 'restoreTo.dump', value: name, problem, fix }]);
  const moment = momentOfDump(name);
  const now = clock.now().toISOString();
  if (moment === undefined || !isBefore(moment, now))
    throw refuse('does not end in the UTC time of a dump', `Give a name such as ${dumpExample}, without its folder.`);
  const dump = await dumps.find(name);
  if (!dump) throw refuse('names no dump in this Region', 'List the bucket of the dumps (dumpBucket in the settings).');
  if (dump.bytes === 0) throw refuse('is empty: its dump failed', 'Give an earlier one.');
}

async function checkSnapshot(
  name: string,
  active: ActiveDatabase,
  isEncrypted: boolean,
  databases: Pick<Databases, 'findSnapshot'>,
): Promise<void> {
  const refuse = (problem: string, fix: string) =>
    invalidRequest([{ field: 'restoreTo.snapshot', value: name, problem, fix }]);
  const list = `List its snapshots: aws rds describe-db-snapshots --db-instance-identifier ${active.identifier} --region ${active.region}`;
  const snapshot = await databases.findSnapshot(name);
  if (!snapshot) throw refuse(`names no snapshot in ${active.region}`, list);
  const isOfInstance =
    snapshot.instanceIdentifier === active.identifier &&
    (snapshot.instanceResourceId === undefined || snapshot.instanceResourceId === active.resourceId);
  if (!isOfInstance)
    throw refuse(
      `is a snapshot of another database, ${snapshot.instanceIdentifier} (${snapshot.instanceResourceId ?? 'resource id unknown'})`,
      list,
    );
  if (snapshot.status !== 'available')
    throw refuse(`is not available but ${snapshot.status}`, `Wait for it, or: ${list}`);
  // Only CopyDBSnapshot changes the key: a restore of this one would be an unencrypted production database.
  if (!snapshot.encrypted && isEncrypted)
    throw refuse(
      `is unencrypted, and ${active.identifier} is encrypted`,
      'Copy it with a KMS key (aws rds copy-db-snapshot --kms-key-id …) and give the copy.',
    );
}
