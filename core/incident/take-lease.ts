/** One recovery per environment at a time. */
import type { StepResult } from '../step.ts';
import { type Incident, type Lease, recordVersion } from './contracts.ts';
import { LeaseContended, RecoveryInProgress } from './errors.ts';
import type { Clock, ControlStore, ExecutionStatus, Executions } from './ports.ts';

export interface TakeLeaseContext {
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'takeLease' | 'replaceLease'>;
  readonly executions: Pick<Executions, 'status' | 'stop'>;
}

/**
 * Takes the lease, also from a holder that has ended without releasing it. No time-out expires a lease: a recovery may
 * wait hours for an approval. A drill that holds it is stopped for a recovery. Throws RecoveryInProgress, or the retryable
 * LeaseContended when somebody else was faster or the drill has not ended yet.
 */
export async function takeLease(
  incident: Incident,
  { clock, control, executions }: TakeLeaseContext,
): Promise<StepResult<Record<string, never>>> {
  const lease: Lease = {
    version: recordVersion,
    incidentId: incident.id,
    executionArn: incident.executionArn,
    region: incident.region,
    mode: incident.mode,
    scenario: incident.scenario,
    takenAt: clock.now().toISOString(),
  };
  const attempt = await control.takeLease(lease);
  if (attempt.taken) return { output: {}, summary: 'The lease is taken: no other recovery can start' };

  const { holder } = attempt;
  const status = await statusOf(holder, incident, executions);
  if (runsOn(status)) {
    if (isInTheWay(holder, incident.mode)) throw recoveryInProgress(holder);
    await stopDrill(holder, incident.id, executions);
    throw LeaseContended(`The drill ${holder.incidentId} was stopped for this recovery and has not ended yet`);
  }
  if (!(await control.replaceLease(lease, holder)))
    throw LeaseContended(`Another recovery took the lease that ${holder.incidentId} had left behind`);
  return {
    output: {},
    summary: `The lease is taken from ${holder.incidentId}, which ended (${status ?? 'no such execution'}) without releasing it`,
    facts: { replacedHolder: holder.incidentId },
  };
}

/**
 * A holder in a Region that does not answer may be gone with it, and must not keep a failover of that Region from starting.
 * Should it live, its cut-over finds that the lease is not its own any more.
 */
async function statusOf(
  { executionArn, region }: Lease,
  incident: Pick<Incident, 'scenario' | 'region'>,
  executions: Pick<Executions, 'status'>,
): Promise<ExecutionStatus | undefined> {
  try {
    return await executions.status(executionArn);
  } catch (error) {
    if (incident.scenario === 'region' && region !== incident.region) return undefined;
    throw error;
  }
}

/** A failed execution that awaits its redrive will run on: only what has ended for good has let go. */
export const runsOn = (status: ExecutionStatus | undefined): boolean =>
  status === 'RUNNING' || status === 'PENDING_REDRIVE';

/** Everything that runs, but that a drill gives way to a recovery. */
export const isInTheWay = (holder: Lease, mode: Incident['mode']): boolean =>
  !(holder.mode === 'drill' && mode === 'recovery');

/** Its end wakes the clean-up, which deletes the copy, closes the incident and tells people. */
export const stopDrill = ({ executionArn }: Lease, why: string, executions: Pick<Executions, 'stop'>): Promise<void> =>
  executions.stop(executionArn, `A drill gives way to a recovery: ${why}`);

/** Names who is running and since when, so that a person can follow it. */
export const recoveryInProgress = (holder: Lease) =>
  RecoveryInProgress(
    `A ${holder.mode} of scenario ${holder.scenario} has been running since ${holder.takenAt}: incident ${holder.incidentId}, execution ${holder.executionArn}`,
  );
