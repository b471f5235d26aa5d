/** A cluster in which all is well, ways to make it otherwise, and the incidents that are about it. */
import type { ClusterPlan } from '../../../core/cluster/contracts.ts';
import type { ClusterFacts } from '../../../core/cluster/decide-level.ts';
import type { Answer, ClusterView, Node, NodeGroup, WorkloadState } from '../../../core/cluster/ports.ts';
import { makeIncident } from '../fakes.ts';

export const recovery = makeIncident({
  id: 'recovery-20261122T201500Z-1a2b3c4d',
  mode: 'recovery',
  scenario: 'cluster',
  target: 'stocker',
});
export const drill = makeIncident({ scenario: 'cluster', target: 'dr-drill-stocker' });

export const longAgo = '2026-11-22T00:00:00Z';
export const digest = `sha256:${'a'.repeat(64)}`;
export const image = '111122223333.dkr.ecr.us-east-1.amazonaws.com/stocker-api:1';

export const node = (name: string, ready = true, since = longAgo): Node => ({ name, ready, since });
export const group = (change: Partial<NodeGroup> = {}): NodeGroup => ({
  name: 'general',
  status: 'ACTIVE',
  minimum: 2,
  desired: 2,
  maximum: 4,
  issues: [],
  ...change,
});
type Status = NonNullable<WorkloadState['status']>;
export const available = (name: string, change: Partial<Status> = {}): WorkloadState => ({
  name,
  status: { desired: 1, updated: 1, available: 1, total: 1, observed: true, images: [image], ...change },
  running: [`111122223333.dkr.ecr.us-east-1.amazonaws.com/stocker-api@${digest}`],
});

const given = <T>(value: T): Answer<T> => ({ answer: 'given', value });
export const facts = (change: Partial<ClusterFacts> = {}): ClusterFacts => ({
  name: 'stocker',
  status: 'ACTIVE',
  groups: [group()],
  nodes: given([node('a'), node('b')]),
  workloads: given([available('api'), available('api-canary')]),
  ...change,
});

/** One cluster, whatever name it is asked for by; what is done to it is kept. */
export class FakeCluster implements ClusterView {
  facts: ClusterFacts;
  readonly scaled: Record<string, number> = {};
  readonly admitted = new Map<string, string>();
  constructor(change: Partial<ClusterFacts> = {}) {
    this.facts = facts(change);
  }
  status = async () => this.facts.status;
  groups = async () => this.facts.groups;
  nodes = async () => this.facts.nodes;
  workloads = async () => this.facts.workloads;
  addressOf = async () => 'http://drill';
  async scale(name: string, desired: number) {
    this.scaled[name] = desired;
    this.facts = {
      ...this.facts,
      groups: this.facts.groups.map((each) => (each.name === name ? { ...each, desired } : each)),
    };
  }
  async admit(role: string, kubernetesGroup: string) {
    if (this.admitted.has(role)) return false;
    this.admitted.set(role, kubernetesGroup);
    return true;
  }
}

export const plan = (change: Partial<ClusterPlan> = {}): ClusterPlan => ({
  level: 'cluster',
  reasons: ['EKS knows no cluster stocker'],
  approval: 'ask',
  standing: false,
  where: {
    stateBucket: 'terraform-us-east-1',
    lockTable: 'locks',
    namespace: 'stocker',
    blueprint: {
      cluster: 'stocker',
      variables: 'staging.tfvars',
      stateKey: 'staging/terraform.tfstate',
      overlay: 'kubernetes/overlays/staging',
    },
  },
  ...change,
});
