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
  /** Whether nodes were added for those that are lost: these are left to their groups from then on, if the deployments are available. */
  readonly helped?: boolean | undefined;
}

/** Throws ClusterNotReady, worth another look, or WrongImage. It takes two looks in a row: a node may flap. */
export async function awaitCluster(
  { plan, images = [], looks, helped = false }: AwaitClusterInput,
  { settings, clock, cluster, registry }: AwaitClusterContext,
): Promise<StepResult<Record<string, never>>> {
  const facts = await factsOf(plan.where.blueprint.cluster, settings, cluster(plan.where.blueprint.cluster));
  const all = facts.nodes.answer === 'given' ? facts.nodes.value : [];
  const nodes = sortNodes(all, lookBefore(looks, clock.now()));
  const left = helped ? nodes.lost : [];
  const missing = whatIsMissing(facts, nodes, left);
  if (missing.length > 0) throw ClusterNotReady(missing.join('; '), { details: { missing } });
  const workloads = facts.workloads.answer === 'given' ? facts.workloads.value : [];
  const wrong = await wrongImages(workloads, images, registry);
  if (wrong.length > 0) throw WrongImage(wrong.join('; '), { details: { wrong } });
  const others = left.length > 0 ? `; left to their groups: ${left.map(({ name }) => name).join(', ')}` : '';
  return {
    output: {},
    summary: `${nodes.steady.length} nodes are Ready, and ${workloads.length} deployments are available with the images of their manifests${others}`,
    facts: {
      left: left.map(({ name }) => name),
      images: workloads.map(({ name, running }) => ({ name, running: [...new Set(running)] })),
    },
  };
}

/** When the look before this one was, in ms; undefined at the first one. A retry waits as long each time. */
function lookBefore({ before, since }: Looks, now: Date): number | undefined {
  const passedMs = now.getTime() - Date.parse(since);
  return before === 0 ? undefined : now.getTime() - passedMs / before;
}

interface SortedNodes {
  /** Ready at the look before already, and not changed since. */
  readonly steady: readonly Node[];
  /** Not Ready, as at the look before. */
  readonly lost: readonly Node[];
  /** Changed since the look before; at the first look, all of them. */
  readonly unsteady: readonly Node[];
  readonly isFirstLook: boolean;
}

/**
 * A node that flaps reports itself again from one look to the next (kubelet: every 10 s; a retry waits longer). A moment of
 * Kubernetes is a whole second.
 */
function sortNodes(nodes: readonly Node[], before: number | undefined): SortedNodes {
  const isSteady = ({ since }: Node) => before !== undefined && Date.parse(since) <= before;
  return {
    steady: nodes.filter((node) => isSteady(node) && node.ready),
    lost: nodes.filter((node) => isSteady(node) && !node.ready),
    unsteady: nodes.filter((node) => !isSteady(node)),
    isFirstLook: before === undefined,
  };
}

/** `left`: lost nodes that nobody waits for any more. */
function whatIsMissing(
  { name, status, groups, nodes, workloads }: ClusterFacts,
  sorted: SortedNodes,
  left: readonly Node[],
): string[] {
  if (status !== 'ACTIVE') return [`cluster ${name} is ${status ?? 'not there'}`];
  for (const each of [nodes, workloads])
    if (each.answer !== 'given') return [`the Kubernetes API is ${each.answer}: ${each.why}`];
  const wanted = groups.reduce((sum, { desired }) => sum + desired, 0) - left.length;
  return [
    ...missingNodes(sorted, wanted, left),
    ...(workloads.answer === 'given' ? workloads.value.flatMap((each) => missingOf(each) ?? []) : []),
  ];
}

function missingNodes(
  { steady, lost, unsteady, isFirstLook }: SortedNodes,
  wanted: number,
  left: readonly Node[],
): string[] {
  const waitedFor = [...lost.filter((node) => !left.includes(node)), ...unsteady];
  if (steady.length >= Math.max(1, wanted) && waitedFor.length === 0) return [];
  const ready = [...steady, ...unsteady].filter((node) => node.ready).length;
  if (isFirstLook && ready >= Math.max(1, wanted) && ready === unsteady.length)
    return [`${ready} nodes are Ready, and are looked at once more: one that flaps is Ready at times`];
  return [
    `${ready} of ${wanted} nodes are Ready`,
    ...waitedFor.map((node) => `node ${node.name} is ${node.ready ? 'Ready' : 'not Ready'} since ${node.since}`),
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
