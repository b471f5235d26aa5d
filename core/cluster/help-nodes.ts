/** HelpNodes: Kubernetes could not place what was lost on the nodes that are left, so their groups get more, within their own limits. */
import type { StepResult } from '../step.ts';
import type { ClusterPlan } from './contracts.ts';
import type { ClusterView } from './ports.ts';

export interface HelpNodesContext {
  readonly cluster: (name: string) => Pick<ClusterView, 'groups' | 'nodes' | 'scale'>;
}

/**
 * One more node for each that is not Ready, up to the maximum that Terraform set: nothing is taken away. Repeated it adds
 * no more than that.
 */
export async function helpNodes(
  { plan }: { readonly plan: ClusterPlan },
  { cluster }: HelpNodesContext,
): Promise<StepResult<Record<string, never>>> {
  const view = cluster(plan.where.blueprint.cluster);
  const [groups, nodes] = await Promise.all([view.groups(), view.nodes()]);
  const lost = nodes.answer === 'given' ? nodes.value.filter(({ ready }) => !ready).length : 0;
  const known = nodes.answer === 'given' ? nodes.value.length : 0;
  const done: string[] = [];
  let missing = Math.max(1, lost);
  // Nodes that a former attempt asked for and that have not come yet.
  missing -= Math.max(0, groups.reduce((sum, { desired }) => sum + desired, 0) - known);
  for (const { name, desired, maximum } of groups) {
    const wanted = Math.min(maximum, desired + Math.max(0, missing));
    if (wanted === desired) continue;
    await view.scale(name, wanted);
    missing -= wanted - desired;
    done.push(`${name} from ${desired} to ${wanted} nodes`);
  }
  const summary =
    done.length > 0 ? `scaled ${done.join(', ')}` : 'every group is at its maximum already: nothing was scaled';
  return { output: {}, summary, facts: { scaled: done } };
}
