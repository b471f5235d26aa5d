/** AwaitCluster: every node Ready and steady, every deployment available, every pod on the image that its manifest names. */

import { secondsBetween } from '../incident/moments.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { factsOf } from './assess-cluster.ts';
import type { ClusterPlan } from './contracts.ts';
import { type ClusterFacts, missingOf } from './decide-level.ts';
import { ClusterNotReady, WrongImage } from './errors.ts';
import type { ClusterView, Registry, WorkloadState } from './ports.ts';

export interface AwaitClusterContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly cluster: (name: string) => Pick<ClusterView, 'status' | 'groups' | 'nodes' | 'workloads'>;
  readonly registry: Registry;
}

/**
 * A node that was not Ready this short a while ago may flap: it does not count yet. Kubernetes' timestamps are whole
 * seconds, so this is no less than two; and a rehearsal, whose waits are sixty times shorter, waits it out within them.
 */
const steadySeconds = 3;

/** Throws ClusterNotReady, worth another try, or WrongImage. `images`: what the manifests deploy, where they are known. */
export async function awaitCluster(
  { plan, images = [] }: { readonly plan: ClusterPlan; readonly images?: readonly string[] },
  { settings, clock, cluster, registry }: AwaitClusterContext,
): Promise<StepResult<Record<string, never>>> {
  const facts = await factsOf(plan.where.blueprint.cluster, settings, cluster(plan.where.blueprint.cluster));
  const missing = whatIsMissing(facts, clock.now().toISOString());
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

function whatIsMissing({ name, status, groups, nodes, workloads }: ClusterFacts, now: string): string[] {
  if (status !== 'ACTIVE') return [`cluster ${name} is ${status ?? 'not there'}`];
  for (const each of [nodes, workloads])
    if (each.answer !== 'given') return [`the Kubernetes API is ${each.answer}: ${each.why}`];
  const wanted = groups.reduce((sum, { desired }) => sum + desired, 0);
  const all = nodes.answer === 'given' ? nodes.value : [];
  const steady = all.filter(({ ready, since }) => ready && secondsBetween(since, now) >= steadySeconds);
  const unsteady = all.filter((node) => !steady.includes(node));
  return [
    ...(steady.length < wanted || wanted === 0 ? [`${steady.length} of ${wanted} nodes are Ready and steady`] : []),
    ...unsteady.map((node) => `node ${node.name} is ${node.ready ? 'Ready' : 'not Ready'} since ${node.since}`),
    ...(workloads.answer === 'given' ? workloads.value.flatMap((each) => missingOf(each) ?? []) : []),
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
