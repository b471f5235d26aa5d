/** AcceptBackup: whether this execution makes a backup, what of, and under which name. */

import type { Execution } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import type { Clock, ControlStore, Executions, IncidentStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { Accepted, BackupRequest } from './contracts.ts';
import { BackupDeferred } from './errors.ts';
import { runId, snapshotIdentifier } from './names.ts';

export interface AcceptBackupContext {
  readonly settings: Settings;
  /** The Region that this function runs in. */
  readonly region: string;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly executions: Pick<Executions, 'status'>;
  readonly incidents: Pick<IncidentStore, 'recordDecision'>;
}

/**
 * The machine is in both Regions; the one where the active database is makes the backup. It takes no lease, for it changes
 * nothing that a recovery works on, and waits for an open incident to end: the active database may be another one then.
 */
export async function acceptBackup(
  { request, execution }: { request: BackupRequest; execution: Execution },
  { settings, region, clock, control, executions, incidents }: AcceptBackupContext,
): Promise<Accepted> {
  const [active, lease] = await Promise.all([control.readActiveDatabase(), control.readLease()]);
  if (active === undefined) throw ActiveDatabaseUnknown('There is no record of which database is production.');
  const { identifier, resourceId } = active;
  if (active.region !== region) {
    const skipped = `${identifier} is in ${active.region}: the machine there makes the backup`;
    await incidents.recordDecision({
      at: clock.now().toISOString(),
      alarm: `backup (${request.task})`,
      verdict: 'skipped: BackupElsewhere',
      reasons: [skipped],
    });
    return { skipped };
  }
  // A holder that has ended without releasing the lease has no incident that anything could disturb.
  if (lease !== undefined && (await executions.status(lease.executionArn)) === 'RUNNING')
    throw BackupDeferred(`${lease.incidentId} is open since ${lease.takenAt}; the backup begins when it is over.`);
  const [otherRegion = ''] = [settings.primary.region, settings.dr.region].filter((each) => each !== region);
  return {
    run: {
      id: runId(execution.startedAt),
      task: request.task,
      executionArn: execution.arn,
      startedAt: execution.startedAt,
      region,
      otherRegion,
      source: { identifier, resourceId },
      snapshot: snapshotIdentifier(identifier, execution.startedAt),
    },
  };
}
