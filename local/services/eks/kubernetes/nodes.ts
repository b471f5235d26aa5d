/**
 * The nodes of a cluster: what its node groups ask for, as instances that can be lost. Times are Kubernetes' own: a node
 * that is not heard of is NotReady after 40 s (node-monitor-grace-period), and its pods are evicted after 300 s more (the
 * default toleration of node.kubernetes.io/unreachable). A group replaces an instance that failed its checks.
 */
import type { Home } from '../../../kernel.ts';
import type { Kubelet } from './kubelet.ts';
import type { KubernetesObject, ObjectStore } from './objects.ts';
import { type Condition, condition, type Pod } from './workload.ts';

export interface GroupOfNodes {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly scaling: { readonly desiredSize: number };
}

export interface Node extends KubernetesObject {
  status?: { conditions?: Condition[]; nodeInfo?: object };
}

type NodeStatus = 'True' | 'False' | 'Unknown';

const unheardMs = 40_000;
const evictionMs = 300_000;
/** Two status checks of EC2, then a launch: what an Auto Scaling group takes at best. */
const replacementMs = 180_000;
const startMs = 60_000;

export class Nodes {
  readonly #home: Home;
  readonly #store: ObjectStore;
  readonly #kubelet: Kubelet;
  readonly #version: string;
  readonly #stopped = new AbortController();
  /** Nodes that are gone or cut off, and when each was. */
  readonly #lost = new Map<string, { readonly since: number; readonly isReplaced: boolean }>();
  #groups: readonly GroupOfNodes[] = [];
  #made = 0;
  /** No instance can be launched: the Region has no capacity. */
  hasCapacity = true;

  constructor(home: Home, store: ObjectStore, kubelet: Kubelet, version: string) {
    this.#home = home;
    this.#store = store;
    this.#kubelet = kubelet;
    this.#version = version;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Makes the nodes what the node groups ask for. A group's first nodes are there with it; later ones take their time. */
  sync(groups: readonly GroupOfNodes[]): void {
    const known = new Set(this.#groups.map(({ name }) => name));
    this.#groups = groups;
    for (const node of this.#store.list<Node>('nodes'))
      if (!groups.some(({ name }) => name === groupOf(node))) this.#store.remove('nodes', node);
    for (const group of groups) {
      const nodes = this.#nodesOf(group);
      // Those that are not heard of go first.
      const surplus = nodes.toSorted((a, b) => Number(this.#isLost(b)) - Number(this.#isLost(a)));
      for (const node of surplus.slice(0, Math.max(0, nodes.length - group.scaling.desiredSize)))
        this.#store.remove('nodes', node);
      for (let missing = group.scaling.desiredSize - nodes.length; missing > 0; missing -= 1)
        if (this.hasCapacity) this.#launch(group, known.has(group.name) ? startMs : 0);
    }
  }

  /** Of whatever group, oldest first. */
  names(): string[] {
    return this.#store.list('nodes').map(({ metadata }) => metadata.name);
  }

  /** The instance and all that ran on it are gone. */
  lose(name: string, isReplaced: boolean): void {
    this.#kubelet.lose(name);
    this.#disconnect(name, isReplaced);
  }

  /** What runs on it goes on, and nobody hears of it. */
  disconnect(name: string): void {
    this.#disconnect(name, false);
  }

  /** It is heard of again, and with it the pods that were not evicted meanwhile. */
  reconnect(name: string): void {
    this.#lost.delete(name);
    this.#setReady(name, 'True');
    for (const pod of this.#podsOn(name)) if (this.#kubelet.isRunning(pod)) this.#setPodReady(pod, 'True');
  }

  #disconnect(name: string, isReplaced: boolean): void {
    const since = this.#home.clock.now();
    this.#lost.set(name, { since, isReplaced });
    void this.#goOn(name, since).catch(() => undefined); // the cluster was stopped
  }

  async #goOn(name: string, since: number): Promise<void> {
    const { clock } = this.#home;
    const isLost = () => this.#lost.get(name)?.since === since && !this.#stopped.signal.aborted;
    const isReplaced = this.#lost.get(name)?.isReplaced ?? false;
    await clock.sleep(unheardMs, this.#stopped.signal);
    if (!isLost()) return;
    this.#setReady(name, 'Unknown');
    for (const pod of this.#podsOn(name)) this.#setPodReady(pod, 'False');
    if (isReplaced) {
      await clock.sleep(replacementMs - unheardMs, this.#stopped.signal);
      if (!isLost()) return;
      // Its pods go with the node object; the group launches another instance.
      const node = this.#store.find('nodes', undefined, name);
      if (node) this.#store.remove('nodes', node);
      this.#lost.delete(name);
      this.sync(this.#groups);
      return;
    }
    await clock.sleep(evictionMs, this.#stopped.signal);
    if (isLost()) for (const pod of this.#podsOn(name)) this.#store.mark('pods', pod);
  }

  #launch(group: GroupOfNodes, afterMs: number): void {
    this.#made += 1;
    const name = `${group.name}-${this.#made}.${this.#home.region}.compute.internal`;
    const status = afterMs === 0 ? 'True' : 'False';
    this.#store.create('nodes', {
      metadata: {
        name,
        labels: {
          ...group.labels,
          'eks.amazonaws.com/nodegroup': group.name,
          'topology.kubernetes.io/region': this.#home.region,
        },
      },
      spec: { providerID: `aws:///${this.#home.region}a/${name}` },
      status: {
        conditions: [readiness(status, this.#store.timestamp())],
        nodeInfo: { kubeletVersion: `v${this.#version}.0-eks-embedded` },
      },
    });
    if (afterMs === 0) return;
    void this.#home.clock.sleep(afterMs, this.#stopped.signal).then(
      () => !this.#lost.has(name) && this.#setReady(name, 'True'),
      () => undefined, // the cluster was stopped
    );
  }

  #nodesOf(group: GroupOfNodes): Node[] {
    return this.#store.list<Node>('nodes').filter((node) => groupOf(node) === group.name);
  }

  #isLost({ metadata }: Node): boolean {
    return this.#lost.has(metadata.name);
  }

  #podsOn(name: string): Pod[] {
    return this.#store
      .list<Pod>('pods')
      .filter(({ spec, metadata }) => spec.nodeName === name && !metadata.deletionTimestamp);
  }

  #setReady(name: string, status: NodeStatus): void {
    const node = this.#store.find<Node>('nodes', undefined, name);
    if (!node) return;
    const now = this.#store.timestamp();
    const next = condition(node.status?.conditions, readiness(status, now), now);
    this.#store.update('nodes', { ...node, status: { ...node.status, conditions: [next] } });
  }

  #setPodReady(pod: Pod, status: 'True' | 'False'): void {
    const now = this.#store.timestamp();
    const conditions = (pod.status?.conditions ?? []).map((each) =>
      each.type === 'Ready' ? condition(pod.status?.conditions, { type: 'Ready', status }, now) : each,
    );
    this.#store.update('pods', { ...pod, status: { phase: 'Running', ...pod.status, conditions } });
  }
}

const groupOf = ({ metadata }: Node): string | undefined => metadata.labels?.['eks.amazonaws.com/nodegroup'];

function readiness(status: NodeStatus, now: string): Condition {
  const reasons = {
    True: 'KubeletReady',
    False: 'KubeletNotReady',
    Unknown: 'NodeStatusUnknown',
  };
  return { type: 'Ready', status, reason: reasons[status], lastTransitionTime: now };
}

/** Whether new pods go there. */
export const isReadyNode = (node: Node): boolean =>
  (node.status?.conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True');
