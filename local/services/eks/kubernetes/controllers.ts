/** The control loops: deployments make replica sets, those make pods, pods get nodes. Each pass moves one step towards what is asked. */
import { createHash } from 'node:crypto';
import { isReadyNode, type Node } from './nodes.ts';
import type { KubernetesObject, ObjectStore } from './objects.ts';
import { matchesLabels } from './objects.ts';
import { type Condition, condition, type Deployment, isReady, type Pod, type ReplicaSet } from './workload.ts';

const HASH = 'pod-template-hash';
/** A node takes so many pods (the limit of a small instance's network interfaces). */
const PODS_PER_NODE = 17;

export function reconcile(store: ObjectStore): void {
  for (const deployment of store.list<Deployment>('deployments')) roll(store, deployment);
  for (const set of store.list<ReplicaSet>('replicasets')) replicate(store, set);
  schedule(store);
  for (const deployment of store.list<Deployment>('deployments')) report(store, deployment);
}

/** One step of a rollout: the new set grows within maxSurge, the old ones shrink within maxUnavailable. */
function roll(store: ObjectStore, deployment: Deployment): void {
  const { desired, maxSurge, maxUnavailable } = rolloutOf(deployment);
  const { current, old } = setsOf(store, deployment);
  const oldPods = old.flatMap((set) => podsOf(store, set));
  if (deployment.spec.strategy?.type === 'Recreate') {
    for (const set of old) scale(store, set, 0);
    if (oldPods.length === 0) scale(store, current, desired);
    return;
  }
  const total = [current, ...old].reduce((sum, set) => sum + set.spec.replicas, 0);
  const grown = Math.min(desired, current.spec.replicas + Math.max(0, desired + maxSurge - total));
  scale(store, current, Math.min(desired, Math.max(grown, current.spec.replicas)));
  const available = [...podsOf(store, current), ...oldPods].filter(isReady).length;
  let removable = Math.max(0, available - (desired - maxUnavailable));
  for (const set of old) {
    const ready = podsOf(store, set).filter(isReady).length;
    const unready = set.spec.replicas - ready;
    const removed = unready + Math.min(ready, removable);
    removable -= removed - unready;
    scale(store, set, set.spec.replicas - removed);
  }
}

function setsOf(store: ObjectStore, deployment: Deployment): { current: ReplicaSet; old: ReplicaSet[] } {
  const { metadata, spec } = deployment;
  const hash = createHash('sha256').update(JSON.stringify(spec.template)).digest('hex').slice(0, 10);
  const owned = store.list<ReplicaSet>('replicasets', metadata.namespace).filter(isOwnedBy(deployment));
  const labels = { ...spec.template.metadata?.labels, [HASH]: hash };
  const current =
    owned.find((set) => set.metadata.labels?.[HASH] === hash) ??
    store.create<ReplicaSet>('replicasets', {
      metadata: {
        name: `${metadata.name}-${hash}`,
        ...(metadata.namespace && { namespace: metadata.namespace }),
        labels,
        ownerReferences: [ownerOf(deployment)],
      },
      spec: {
        replicas: 0,
        selector: { matchLabels: { ...spec.selector.matchLabels, [HASH]: hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
      },
    });
  return { current, old: owned.filter((set) => set.metadata.uid !== current.metadata.uid) };
}

/** Percentages of the wanted replicas: surge is rounded up, unavailability down, and both default to a quarter. */
function rolloutOf({ spec }: Deployment): { desired: number; maxSurge: number; maxUnavailable: number } {
  const desired = spec.replicas ?? 1;
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const part = (value: number | string, round: (n: number) => number) =>
    typeof value === 'number' ? value : round((desired * Number.parseInt(value, 10)) / 100);
  const surge = part(maxSurge, Math.ceil);
  const unavailable = part(maxUnavailable, Math.floor);
  return { desired, maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function replicate(store: ObjectStore, set: ReplicaSet): void {
  const pods = podsOf(store, set).filter(({ metadata }) => !metadata.deletionTimestamp);
  const { template, replicas } = set.spec;
  for (let missing = replicas - pods.length; missing > 0; missing -= 1) {
    store.create<Pod>('pods', {
      metadata: {
        ...template.metadata,
        name: `${set.metadata.name}-${randomSuffix()}`,
        ...(set.metadata.namespace && { namespace: set.metadata.namespace }),
        ownerReferences: [ownerOf(set)],
      },
      spec: template.spec,
      status: { phase: 'Pending' },
    });
  }
  const leastReadyFirst = pods.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)));
  for (const pod of leastReadyFirst.slice(0, Math.max(0, pods.length - replicas))) store.mark('pods', pod);
  const ready = pods.filter(isReady).length;
  const found = store.find<ReplicaSet>('replicasets', set.metadata.namespace, set.metadata.name);
  if (found)
    store.update('replicasets', {
      ...found,
      status: {
        replicas: pods.length,
        readyReplicas: ready,
        availableReplicas: ready,
        observedGeneration: found.metadata.generation,
      },
    });
}

/** Pods without a node get the emptiest ready one; pods of a node that is gone are evicted. */
function schedule(store: ObjectStore): void {
  const all = store.list('nodes').map(({ metadata }) => metadata.name);
  const nodes = store
    .list<Node>('nodes')
    .filter(isReadyNode)
    .map(({ metadata }) => metadata.name);
  const load = (node: string) => store.list<Pod>('pods').filter(({ spec }) => spec.nodeName === node).length;
  for (const pod of store.list<Pod>('pods')) {
    const { nodeName } = pod.spec;
    if (nodeName) {
      if (!all.includes(nodeName)) store.mark('pods', pod);
      continue;
    }
    const node = nodes.toSorted((a, b) => load(a) - load(b)).find((each) => load(each) < PODS_PER_NODE);
    const previous = pod.status?.conditions;
    const now = store.timestamp();
    const scheduled: Condition = node
      ? { type: 'PodScheduled', status: 'True' }
      : {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: `0/${nodes.length} nodes are available`,
        };
    store.update('pods', {
      ...pod,
      spec: { ...pod.spec, ...(node && { nodeName: node }) },
      status: { ...pod.status, phase: 'Pending', conditions: [condition(previous, scheduled, now)] },
    });
  }
}

/** The status that `kubectl rollout status` and waiters read. */
function report(store: ObjectStore, deployment: Deployment): void {
  const { desired, maxUnavailable } = rolloutOf(deployment);
  const { current, old } = setsOf(store, deployment);
  const living = (set: ReplicaSet) => podsOf(store, set).filter(({ metadata }) => !metadata.deletionTimestamp);
  const updated = living(current);
  const all = [...updated, ...old.flatMap(living)];
  const ready = all.filter(isReady).length;
  const complete = updated.filter(isReady).length === desired && all.length === desired;
  const previous = deployment.status?.conditions;
  const now = store.timestamp();
  const enough = ready >= desired - maxUnavailable;
  const conditions = [
    condition(
      previous,
      {
        type: 'Available',
        status: enough ? 'True' : 'False',
        reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      },
      now,
    ),
    condition(
      previous,
      { type: 'Progressing', status: 'True', reason: complete ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated' },
      now,
    ),
  ];
  const status = {
    observedGeneration: deployment.metadata.generation,
    replicas: all.length,
    updatedReplicas: updated.length,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, desired - ready),
    conditions,
  };
  store.update('deployments', { ...deployment, status });
}

function scale(store: ObjectStore, set: ReplicaSet, replicas: number): void {
  if (set.spec.replicas !== replicas) store.update('replicasets', { ...set, spec: { ...set.spec, replicas } });
}

const podsOf = (store: ObjectStore, set: ReplicaSet): Pod[] =>
  store
    .list<Pod>('pods', set.metadata.namespace)
    .filter((pod) => isOwnedBy(set)(pod) && matchesLabels(set.spec.selector.matchLabels, pod.metadata.labels));

const isOwnedBy =
  ({ metadata: { uid } }: KubernetesObject) =>
  ({ metadata }: KubernetesObject): boolean =>
    metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;

const ownerOf = ({ apiVersion = '', kind = '', metadata }: KubernetesObject) => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  controller: true,
});

const randomSuffix = (): string => createHash('sha256').update(crypto.randomUUID()).digest('hex').slice(0, 5);
