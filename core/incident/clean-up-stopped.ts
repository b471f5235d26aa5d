/**
 * A stopped or timed-out execution runs no Catch: this does what its last states would have done, from the event
 * `Step Functions Execution Status Change`. It changes nothing where the incident was closed properly.
 */

import * as z from 'zod';
import { type CloseIncidentContext, closeIncident } from './close-incident.ts';
import type { IncidentRecord } from './contracts.ts';
import type { ControlStore, IncidentStore } from './ports.ts';

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

export interface CleanUpStoppedContext {
  readonly control: Pick<ControlStore, 'readLease' | 'releaseLease'>;
  readonly incidents: Pick<IncidentStore, 'read' | 'list'>;
  /** Deletes what the incident made; 'gone' is fine. Throws where it could not, so that the event is delivered again. */
  readonly tearDown: (record: IncidentRecord) => Promise<string>;
  readonly closing: CloseIncidentContext;
}

/** How far back an open incident is looked for when its lease is gone already. */
const recentIncidents = 25;

export async function cleanUpStopped(
  { executionArn, status, cause }: StoppedExecution,
  { control, incidents, tearDown, closing }: CleanUpStoppedContext,
): Promise<{ cleanedUp: string | undefined }> {
  const record = await findIncident(executionArn, control, incidents);
  if (record?.status !== 'open') {
    await control.releaseLease(executionArn);
    return { cleanedUp: undefined };
  }
  const tornDown = record.incident.mode === 'drill' ? await tearDown(record) : 'a recovery is not torn down';
  await closeIncident(
    {
      incident: record.incident,
      failure: {
        Error: `Execution.${status}`,
        Cause: `The execution ended ${status} before it could close its incident${cause ? `: ${cause}` : ''}. Cleaned up: ${tornDown}`,
      },
    },
    closing,
  );
  return { cleanedUp: record.incident.id };
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
