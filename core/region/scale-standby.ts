/** ScaleStandby and AwaitStandby: the cluster that takes over is brought to size, beside the database. */
import type { Workloads } from '../database/ports.ts';
import { targetOf } from '../database/target.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { StandbyMissing, StandbyNotReady } from './errors.ts';
import type { Standby } from './ports.ts';

export interface ScaleContext {
  readonly settings: Settings;
  readonly standby: Standby;
}

/** A drill needs its canary, and the nodes that are there; a failover everything. */
export async function scaleStandby(
  { incident }: { readonly incident: Incident },
  { settings, standby }: ScaleContext,
): Promise<StepResult<Record<string, never>>> {
  const { application, canary, region } = settings;
  const { cluster } = application.deployment;
  const { nodegroup, nodes, replicas } = region.standby;
  const isDrill = incident.mode === 'drill';
  const group = await standby.nodegroup(cluster, nodegroup);
  if (group === undefined) throw StandbyMissing(`${cluster} has no node group ${nodegroup}.`);
  if (!isDrill && group.desired < nodes)
    await standby.scaleNodegroup(cluster, nodegroup, {
      desired: nodes,
      minimum: Math.max(group.minimum, 1),
      maximum: Math.max(group.maximum, nodes),
    });
  // The canary comes along: what is drilled from now on is drilled here.
  const wanted = isDrill
    ? [{ ...canary, replicas: 1 }]
    : [
        { ...application, replicas },
        { ...canary, replicas: 1 },
      ];
  const scaled: string[] = [];
  for (const { deployment, replicas: size } of wanted) {
    const before = await standby.scale(deployment, size);
    if (before === undefined)
      throw StandbyMissing(`${cluster} has no deployment ${deployment.namespace}/${deployment.name}.`);
    scaled.push(`${deployment.name} from ${before} to ${size} pods`);
  }
  const size = isDrill ? `${group.desired} nodes as they are` : `${Math.max(group.desired, nodes)} nodes`;
  return {
    output: {},
    summary: `${cluster} is brought to size: ${size}, ${scaled.join(', ')}`,
    facts: { cluster, nodegroup, nodesBefore: group.desired, nodesWanted: isDrill ? group.desired : nodes, scaled },
  };
}

export interface AwaitStandbyContext {
  readonly settings: Settings;
  readonly standby: Pick<Standby, 'nodegroup' | 'readyNodes'>;
  readonly workloads: Pick<Workloads, 'status'>;
}

/** Node group, nodes and pods: each can be there without the next (aws-facts). */
export async function awaitStandby(
  { incident }: { readonly incident: Incident },
  { settings, standby, workloads }: AwaitStandbyContext,
): Promise<StepResult<Record<string, never>>> {
  const { deployment } = targetOf(incident, settings);
  const { cluster } = deployment;
  const { nodegroup, nodes } = settings.region.standby;
  const group = await standby.nodegroup(cluster, nodegroup);
  if (group === undefined) throw StandbyMissing(`${cluster} has no node group ${nodegroup}.`);
  if (/FAILED|DEGRADED/.test(group.status)) throw StandbyMissing(`Node group ${nodegroup} is ${group.status}.`);
  if (group.status !== 'ACTIVE') throw StandbyNotReady(`Node group ${nodegroup} is ${group.status}.`);
  const wanted = incident.mode === 'drill' ? group.desired : Math.max(group.desired, nodes);
  const ready = await standby.readyNodes(cluster);
  if (ready < wanted) throw StandbyNotReady(`${ready} of ${wanted} nodes of ${cluster} are ready.`);
  const status = await workloads.status(deployment);
  if (status === undefined)
    throw StandbyMissing(`${cluster} has no deployment ${deployment.namespace}/${deployment.name}.`);
  if (status.desired === 0 || status.available < status.desired)
    throw StandbyNotReady(`${status.available} of ${status.desired} pods of ${deployment.name} are available.`);
  return {
    output: {},
    summary: `${cluster} is up: ${ready} nodes ready, ${status.available} pods of ${deployment.name} available`,
    facts: { nodes: ready, ...status },
  };
}
