/** A retry: a new execution of a failed recovery, which adopts what the earlier one made. */
import { dr } from '../commands.ts';
import type { Settings } from '../settings.ts';
import type { Incident, StartRequest } from './contracts.ts';
import { RecoveryInProgress } from './errors.ts';
import { invalidRequest } from './parse-request.ts';
import type { Executions, IncidentStore } from './ports.ts';
import { runsOn } from './take-lease.ts';

interface RetryContext {
  /** Of the machine that is to go on with it. */
  readonly scenario?: Incident['scenario'];
  readonly settings: Pick<Settings, 'environment'>;
  readonly here: { readonly region: string };
  readonly incidents: Pick<IncidentStore, 'read'>;
  readonly executions: Pick<Executions, 'status'>;
}

/**
 * The incident to take up again: a recovery of this environment that failed, or whose execution has ended without closing
 * it. Throws InvalidRequest, or RecoveryInProgress where its execution still runs.
 */
export async function findRetried(
  id: string,
  { mode }: Pick<StartRequest, 'mode'>,
  { scenario = 'database', settings, here, incidents, executions }: RetryContext,
): Promise<Incident> {
  const refuse = (problem: string, fix: string) => invalidRequest([{ field: 'incident', value: id, problem, fix }]);
  const record = await incidents.read(id);
  if (!record)
    throw refuse(
      `has no record in ${here.region}`,
      `List the incidents (\`${dr('status', settings.environment)}\`), or start a new recovery.`,
    );
  const { incident, status, closedAt } = record;
  if (incident.environment !== settings.environment || incident.scenario !== scenario)
    throw refuse(
      `is of scenario ${incident.scenario} in ${incident.environment}`,
      'Start it with the state machine of that scenario and environment.',
    );
  if (incident.mode === 'drill') throw refuse('is a drill, which leaves nothing behind', 'Start a new drill.');
  if (mode !== 'recovery')
    throw refuse(
      'is a recovery, and this start is a drill',
      `Set "mode": "recovery" and "confirm": "${settings.environment}".`,
    );
  if (status === 'closed')
    throw refuse(
      `succeeded at ${closedAt ?? 'an unknown time'}`,
      'There is nothing to retry; start a new recovery if need be.',
    );
  const execution = await executions.status(incident.executionArn);
  if (runsOn(execution))
    throw RecoveryInProgress(`Incident ${id} is being worked on by execution ${incident.executionArn} (${execution})`);
  return incident;
}
