/** AwaitCluster: every node Ready and steady, every deployment available, every pod on the image that its manifest names. */

import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { factsOf } from './assess-cluster.ts';
import type { ClusterPlan } from './contracts.ts';
import { type ClusterFacts, missingOf } from './decide-level.ts';
import { ClusterNotReady, WrongImage } from './errors.ts';
import type { ClusterView, Node, Registry, WorkloadState } from './ports.ts';

export interface AwaitClusterContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly cluster: (name: string) => Pick<ClusterView, 'status' | 'groups' | 'nodes' | 'workloads'>;
  readonly registry: Registry;
}

/** The looks of one wait: how many were before this one, and since when, UTC. */
export interface Looks {
  readonly before: number;
  readonly since: string;
}

interface AwaitClusterInput {
  readonly plan: ClusterPlan;
  /** What the manifests deploy, where that is known. */
  readonly images?: readonly string[];
  readonly looks: Looks;
}

/** Throws ClusterNotReady, worth another look, or WrongImage. It takes two looks in a row: a node may flap. */
export async function awaitCluster(
  { plan, images = [], looks }: AwaitClusterInput,
  { settings, clock, cluster, registry }: AwaitClusterContext,
): Promise<StepResult<Record<string, never>>> {
  const facts = await factsOf(plan.where.blueprint.cluster, settings, cluster(plan.where.blueprint.cluster));
  const missing = whatIsMissing(facts, lookBefore(looks, clock.now()));
  if (missing.length > 0) throw ClusterNotReady(missing.join('; '), { details: { missing } });
  const workloads = facts.workloads.answer === 'given' ? facts.workloads.value : [];
  const wrong = await wrongImages(workloads, images, registry);
  if (wrong.length > 0) throw WrongImage(wrong.join('; '), { details: { wrong } });
  const nodes = facts.nodes.answer === 'given' ? facts.nodes.value.length : 0;
  return {
    output: {},
    summary: `${nodes} nodes are Ready, and ${workloads.length} deployments are available with the images of their manifests`,
    facts: { images: workloads.map(({ name, running }) => ({ name, running: [...new Set(running)] })) },
  };
}

/** When the look before this one was, in ms; undefined at the first one. A retry waits as long each time. */
function lookBefore({ before, since }: Looks, now: Date): number | undefined {
  const passedMs = now.getTime() - Date.parse(since);
  return before === 0 ? undefined : now.getTime() - passedMs / before;
}

function whatIsMissing({ name, status, groups, nodes, workloads }: ClusterFacts, before: number | undefined): string[] {
  if (status !== 'ACTIVE') return [`cluster ${name} is ${status ?? 'not there'}`];
  for (const each of [nodes, workloads])
    if (each.answer !== 'given') return [`the Kubernetes API is ${each.answer}: ${each.why}`];
  const wanted = groups.reduce((sum, { desired }) => sum + desired, 0);
  return [
    ...unsteadyOf(nodes.answer === 'given' ? nodes.value : [], wanted, before),
    ...(workloads.answer === 'given' ? workloads.value.flatMap((each) => missingOf(each) ?? []) : []),
  ];
}

/**
 * A node counts that was Ready at the look before already, and has not changed since: one that flaps reports itself again
 * meanwhile (kubelet: every 10 s, which is less than from look to look). A moment of Kubernetes is a whole second.
 */
function unsteadyOf(nodes: readonly Node[], wanted: number, before: number | undefined): string[] {
  const ready = nodes.filter((node) => node.ready);
  const isSteady = (node: Node) => node.ready && before !== undefined && Date.parse(node.since) <= before;
  const unsteady = nodes.filter((node) => !isSteady(node));
  if (ready.length >= wanted && wanted > 0 && unsteady.length === 0) return [];
  if (before === undefined && ready.length >= wanted && ready.length === nodes.length && wanted > 0)
    return [`${ready.length} nodes are Ready, and are looked at once more: one that flaps is Ready at times`];
  return [
    `${ready.length} of ${wanted} nodes are Ready`,
    ...unsteady.map((node) => `node ${node.name} is ${node.ready ? 'Ready' : 'not Ready'} since ${node.since}`),
  ];
}

/** What the kubelet says that it runs, against what the registry holds under the name in the manifest. */
async function wrongImages(
  workloads: readonly WorkloadState[],
  images: readonly string[],
  registry: Registry,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { name, status, running } of workloads)
    for (const image of status?.images ?? []) {
      if (images.length > 0 && !images.includes(image))
        wrong.push(`deployment ${name} is of ${image}, which no manifest names (${images.join(', ')})`);
      const digest = await registry.digestOf(image);
      if (digest === undefined) wrong.push(`deployment ${name}: its registry does not hold ${image}`);
      else
        for (const each of new Set(running.filter((id) => !id.endsWith(digest))))
          wrong.push(`deployment ${name} runs ${each || 'an image without a digest'}, and ${image} is ${digest}`);
    }
  return wrong;
}
