/**
 * A stopped or timed-out execution runs no Catch: this does what its last states would have done, from the event
 * `Step Functions Execution Status Change`. A failed one has closed its incident, but its copy may still be there: the
 * deletion was refused, or a function that Step Functions had given up made it afterwards. So a drill's copy, and what a
 * recovery has not undone yet, is looked for in either case, and again by the sweep. A repeated or late event changes
 * nothing.
 */

import * as z from 'zod';
import { RecoveryError } from '../errors.ts';
import { type CloseIncidentContext, closeIncident } from './close-incident.ts';
import { type CompensateContext, compensate } from './compensate.ts';
import type { IncidentRecord } from './contracts.ts';
import { isCopyDeleted } from './identifiers.ts';
import { secondsBetween } from './moments.ts';
import type { Clock, ControlStore, Executions, IncidentStore } from './ports.ts';
import { runsOn } from './take-lease.ts';

/** The event, reduced to what matters here. */
export const StoppedExecution = z
  .object({
    detail: z.object({
      executionArn: z.string(),
      status: z.enum(['ABORTED', 'TIMED_OUT', 'FAILED']),
      cause: z.string().nullish(),
    }),
  })
  .transform(({ detail }) => detail);
export type StoppedExecution = z.infer<typeof StoppedExecution>;

/** What the schedule of the sweep sends. */
export const Sweep = z.object({ sweep: z.literal('drills') });

/** What became of a drill's copy, or of what a recovery had registered to be undone. */
export interface TornDown {
  /** Whether there was anything. */
  readonly deleted: boolean;
  readonly summary: string;
}

export interface CleanUpStoppedContext {
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readLease' | 'releaseLease'>;
  readonly incidents: Pick<IncidentStore, 'read' | 'list'>;
  /** Deletes what the drill made. Throws where it could not. */
  readonly tearDown: (record: IncidentRecord) => Promise<TornDown>;
  readonly compensating: CompensateContext;
  readonly closing: CloseIncidentContext;
}

export interface SweepContext extends CleanUpStoppedContext {
  /** The Region that this function runs in. */
  readonly region: string;
  readonly executions: Pick<Executions, 'status'>;
  /** Ids of the incidents that made the copies which are there now, or shifted what a drill shifts. */
  readonly ownersOfCopies: () => Promise<readonly string[]>;
}

/** How far back an open incident is looked for when its lease is gone already. */
const recentIncidents = 25;

/** Throws where something could not be cleaned up, so that the event is delivered again; the incident is closed all the same. */
export async function cleanUpStopped(
  { executionArn, status, cause }: StoppedExecution,
  context: CleanUpStoppedContext,
): Promise<{ cleanedUp: string | undefined }> {
  const { control, incidents } = context;
  const record = await findIncident(executionArn, control, incidents);
  if (record === undefined) {
    await control.releaseLease(executionArn);
    return { cleanedUp: undefined };
  }
  const why = `The execution ended ${status} before it could close its incident${cause ? `: ${cause}` : ''}`;
  try {
    return await cleanUp(record, { Error: `Execution.${status}`, Cause: why }, context);
  } finally {
    // A retry that was stopped before it opened its incident: the record still names the execution before it.
    await control.releaseLease(executionArn);
  }
}

/** Cleans up after every execution that is not running any more and left a copy, an incident or a fence behind. */
export async function sweepIncidents(context: SweepContext): Promise<{ cleanedUp: readonly string[] }> {
  const { incidents, executions, ownersOfCopies } = context;
  const recent = await incidents.list(recentIncidents);
  const unfinished = recent.filter(({ status, incident }) => status === 'open' || mayBeUncompensated(status, incident));
  const ids = new Set([...(await ownersOfCopies()), ...unfinished.map(({ incident }) => incident.id)]);
  const cleanedUp: string[] = [];
  const failures: unknown[] = [];
  for (const id of ids) {
    const record = await incidents.read(id);
    // A copy without a record is nobody's that this environment knows: people decide.
    if (record === undefined) continue;
    const status = await executions.status(record.incident.executionArn);
    if (runsOn(status)) continue;
    const failure = {
      Error: `Execution.${status ?? 'UNKNOWN'}`,
      Cause: 'The execution ended before it could close its incident',
    };
    await cleanUp(record, failure, context).then(
      (done) => done.cleanedUp && cleanedUp.push(id),
      (error) => failures.push(error),
    );
  }
  await releaseLeftLease(context).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  return { cleanedUp };
}

/**
 * A function that outlived its execution may have taken the lease behind the clean-up, when there was no incident yet to be
 * found by. Each Region asks about its own executions. One that is not known may be too new: DescribeExecution is eventually
 * consistent (Step Functions API Reference).
 */
async function releaseLeftLease({ region, control, executions }: SweepContext): Promise<void> {
  const lease = await control.readLease();
  if (lease?.region !== region) return;
  const status = await executions.status(lease.executionArn);
  if (status !== undefined && !runsOn(status)) await control.releaseLease(lease.executionArn);
}

async function cleanUp(
  record: IncidentRecord,
  { Error: error, Cause }: { readonly Error: string; readonly Cause: string },
  context: CleanUpStoppedContext,
): Promise<{ cleanedUp: string | undefined }> {
  const { incident } = record;
  const { control, tearDown, closing } = context;
  let failure: unknown;
  const tidy = isCopyDeleted(incident) ? tearDown : undo;
  const tornDown = await tidy(record, context).catch((cause: unknown): TornDown => {
    failure = cause;
    return { deleted: false, summary: `NOT YET: ${cause instanceof Error ? cause.message : String(cause)}` };
  });
  if (record.status === 'open')
    await closeIncident(
      { incident, failure: { Error: error, Cause: `${Cause}. Cleaned up: ${tornDown.summary}` } },
      closing,
    );
  else {
    await control.releaseLease(incident.executionArn);
    if (tornDown.deleted)
      await closing.announcer.announce(incident, {
        kind: 'update',
        headline: isCopyDeleted(incident)
          ? 'The copy that was left behind is being deleted'
          : 'What the recovery had left behind is undone',
        lines: [tornDown.summary],
        next: 'Nothing to do; find out in the report why the execution could not do it itself.',
      });
  }
  // What was refused for good stays refused; a person was told. Everything else is tried again.
  if (failure !== undefined && !(failure instanceof RecoveryError && lastWords.includes(failure.name))) throw failure;
  return { cleanedUp: record.status === 'open' || tornDown.deleted ? incident.id : undefined };
}

/** Errors that another try would only meet again. */
const lastWords = ['DeletionRefused', 'CompensationFailed'];

const mayBeUncompensated = (status: IncidentRecord['status'], incident: IncidentRecord['incident']) =>
  status === 'failed' && !isCopyDeleted(incident);

/** AWS Lambda's limit: after that, no function of an ended execution acts any more. */
const longestFunctionSeconds = 900;

/**
 * Undoes what a recovery registered, unless another recovery is at work on the same database: its fence must hold. What a
 * function that outlived its execution does behind that, and dies of, is undone by a later sweep.
 */
async function undo(
  { incident, status, closedAt }: IncidentRecord,
  { clock, control, compensating }: CleanUpStoppedContext,
): Promise<TornDown> {
  if (status === 'closed') return { deleted: false, summary: 'the recovery succeeded' };
  const lease = await control.readLease();
  if (lease?.mode === 'recovery' && lease.executionArn !== incident.executionArn)
    return { deleted: false, summary: `nothing: ${lease.incidentId} is at work on the database` };
  const keep = closedAt === undefined || secondsBetween(closedAt, clock.now().toISOString()) < longestFunctionSeconds;
  const { output, summary } = await compensate({ incident, keep }, compensating);
  return { deleted: output.undone.length > 0, summary };
}

async function findIncident(
  executionArn: string,
  control: CleanUpStoppedContext['control'],
  incidents: CleanUpStoppedContext['incidents'],
): Promise<IncidentRecord | undefined> {
  const lease = await control.readLease();
  if (lease?.executionArn === executionArn) return incidents.read(lease.incidentId);
  const recent = await incidents.list(recentIncidents);
  return recent.find(({ incident }) => incident.executionArn === executionArn);
}
