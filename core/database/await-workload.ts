/** AwaitWorkload: the application's pods all run against the new endpoint. */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { WorkloadNotFound, WorkloadNotReady } from './errors.ts';
import type { RolloutStatus, Workloads } from './ports.ts';
import { targetOf } from './target.ts';

export interface AwaitWorkloadContext {
  readonly settings: Settings;
  readonly workloads: Pick<Workloads, 'status'>;
}

export async function awaitWorkload(
  { incident }: { incident: Incident },
  { settings, workloads }: AwaitWorkloadContext,
): Promise<StepResult<Record<string, never>>> {
  const { deployment } = targetOf(incident, settings);
  const name = `${deployment.namespace}/${deployment.name}`;
  const status = await workloads.status(deployment);
  if (status === undefined) throw WorkloadNotFound(`${deployment.cluster} has no deployment ${name}.`);
  const missing = missingFromRollout(status);
  if (missing !== undefined) throw WorkloadNotReady(`${name}: ${missing}.`, { details: { ...status } });
  return {
    output: {},
    summary: `${name} is rolled out: ${status.available} of ${status.desired} available`,
    facts: { ...status },
  };
}

/** What `kubectl rollout status` waits for, in its order; undefined once the rollout is complete. */
export function missingFromRollout(status: RolloutStatus): string | undefined {
  const { generation, observedGeneration, desired, total, updated, available } = status;
  if (observedGeneration < generation) return 'the restart has not been observed yet';
  if (desired === 0) return 'it is scaled to zero';
  if (updated < desired) return `${updated} of ${desired} pods are new`;
  if (total > updated) return `${total - updated} old pods are still there`;
  if (available < updated) return `${available} of ${updated} new pods are available`;
  return undefined;
}
