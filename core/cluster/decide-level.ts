/** Node-level or cluster-level: a pure decision with its reasons. Unknown rebuilds nothing. */
import type { Level } from './contracts.ts';
import type { Answer, Node, NodeGroup, WorkloadState } from './ports.ts';

export interface ClusterFacts {
  readonly name: string;
  /** As EKS has it; undefined: it knows no such cluster. */
  readonly status: string | undefined;
  readonly groups: readonly NodeGroup[];
  readonly nodes: Answer<readonly Node[]>;
  readonly workloads: Answer<readonly WorkloadState[]>;
}

export interface Decision {
  readonly level: Level | 'unknown';
  readonly reasons: readonly string[];
  /** Whether manifests could be applied to what is there. */
  readonly standing: boolean;
}

/** Statuses in which EKS itself has a control plane (EKS API: Cluster.status). */
const living = ['ACTIVE', 'UPDATING'];

/** The first rule that speaks decides. `waived`: a named person says that a control plane which cannot be judged is lost. */
export function decideLevel(facts: ClusterFacts, waived = false): Decision {
  const { name, status, groups, nodes, workloads } = facts;
  const decide = (level: Decision['level'], reasons: readonly string[], standing = false): Decision => ({
    level,
    reasons,
    standing,
  });
  if (status === undefined) return decide('cluster', [`EKS knows no cluster ${name}`]);
  if (!living.includes(status)) return decide('cluster', [`cluster ${name} is ${status}`]);
  const unanswered = [nodes, workloads].find(({ answer }) => answer !== 'given');
  if (unanswered && unanswered.answer !== 'given') {
    const what = unanswered.answer === 'silent' ? 'does not answer' : 'admits nobody of ours';
    const reason = `cluster ${name} is ${status}, and its Kubernetes API ${what}: ${unanswered.why}`;
    return waived ? decide('cluster', [reason, 'a named person takes it as lost']) : decide('unknown', [reason]);
  }
  if (groups.length === 0) return decide('cluster', [`cluster ${name} has no node group`]);
  return judgeWithin(nodes, workloads, groups, decide);
}

function judgeWithin(
  nodes: Answer<readonly Node[]>,
  workloads: Answer<readonly WorkloadState[]>,
  groups: readonly NodeGroup[],
  decide: (level: Decision['level'], reasons: readonly string[], standing?: boolean) => Decision,
): Decision {
  const allNodes = nodes.answer === 'given' ? nodes.value : [];
  const deployments = workloads.answer === 'given' ? workloads.value : [];
  const wanted = groups.reduce((sum, { desired }) => sum + desired, 0);
  const ready = allNodes.filter((node) => node.ready).length;
  const absent = deployments.filter(({ status }) => status === undefined).map((each) => each.name);
  if (absent.length > 0)
    return decide(
      'cluster',
      absent.map((each) => `deployment ${each} is gone`),
      ready > 0,
    );
  if (ready < wanted) {
    const lost = allNodes
      .filter((node) => !node.ready)
      .map((node) => `node ${node.name} is not Ready since ${node.since}`);
    return decide(
      'node',
      [`${ready} of ${wanted} nodes are Ready`, ...lost, ...groups.flatMap(({ issues }) => issues)],
      true,
    );
  }
  const unavailable = deployments.flatMap((each) => missingOf(each) ?? []);
  if (unavailable.length > 0) return decide('node', unavailable, true);
  return decide('none', [`${ready} of ${wanted} nodes are Ready, and every deployment is available`], true);
}

/** What a deployment lacks to be rolled out and available; undefined where nothing. */
export function missingOf({ name, status }: WorkloadState): string | undefined {
  if (status === undefined) return `deployment ${name} is not there`;
  const { desired, updated, available, total, observed } = status;
  if (!observed) return `deployment ${name}: its last change has not been acted on`;
  if (desired === 0) return `deployment ${name} is scaled to zero`;
  if (updated < desired) return `deployment ${name}: ${updated} of ${desired} pods are of its last change`;
  if (total > updated) return `deployment ${name}: ${total - updated} pods of before are still there`;
  if (available < desired) return `deployment ${name}: ${available} of ${desired} pods are available`;
  return undefined;
}
