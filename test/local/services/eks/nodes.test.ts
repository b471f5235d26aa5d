/** Nodes that are lost, cut off and found again: Kubernetes notices, evicts, reschedules, on the cloud's clock. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Home } from '../../../../local/kernel.ts';
import { reconcile } from '../../../../local/services/eks/kubernetes/controllers.ts';
import type { Kubelet } from '../../../../local/services/eks/kubernetes/kubelet.ts';
import { isReadyNode, type Node, Nodes } from '../../../../local/services/eks/kubernetes/nodes.ts';
import { ObjectStore } from '../../../../local/services/eks/kubernetes/objects.ts';
import type { Pod } from '../../../../local/services/eks/kubernetes/workload.ts';
import { manualClock } from '../fake-home.ts';

const group = (desiredSize: number) => ({ name: 'general', labels: {}, scaling: { desiredSize } });
const seconds = (count: number) => count * 1000;

let clock: ReturnType<typeof manualClock>;
let store: ObjectStore;
let nodes: Nodes;
/** Nodes whose pods were killed. */
let killed: string[];

beforeEach(() => {
  clock = manualClock();
  store = new ObjectStore(clock);
  killed = [];
  const kubelet = { lose: (name: string) => void killed.push(name), isRunning: () => true } as unknown as Kubelet;
  nodes = new Nodes({ clock, region: 'us-east-1' } as unknown as Home, store, kubelet, '1.34');
  nodes.sync([group(2)]);
  store.create('namespaces', { metadata: { name: 'app' } });
  store.create('deployments', {
    metadata: { name: 'api', namespace: 'app' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'api' } },
      template: { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'api', image: 'api:1' }] } },
    },
  });
  settle();
});
afterEach(() => nodes.stop());

/** Control loops until nothing changes; pods that have a node are ready, and those that are marked are gone. */
function settle(): void {
  for (let before = ''; before !== store.resourceVersion; ) {
    before = store.resourceVersion;
    reconcile(store);
    for (const pod of pods()) {
      if (pod.metadata.deletionTimestamp) store.remove('pods', pod);
      else if (pod.spec.nodeName && !pod.status?.conditions?.some(({ type }) => type === 'Ready'))
        store.update('pods', { ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
    }
  }
}
const pods = () => store.list<Pod>('pods');
const ready = () =>
  store
    .list<Node>('nodes')
    .filter(isReadyNode)
    .map(({ metadata }) => metadata.name);
const placed = () =>
  pods()
    .map(({ spec }) => spec.nodeName)
    .sort();
const after = async (count: number) => {
  await clock.advance(seconds(count));
  settle();
};
const first = () => nodes.names()[0] ?? '';

test('a group’s nodes are Ready, and pods are spread over them', () => {
  expect(ready()).toHaveLength(2);
  expect(placed()).toEqual(nodes.names().toSorted());
});

test('a lost node is NotReady after 40 s and not before; its pods end at once and are placed elsewhere when it is replaced', async () => {
  const lost = first();
  nodes.lose(lost, true);
  expect(killed).toEqual([lost]);
  await after(39);
  expect(ready()).toContain(lost);
  await after(2);
  expect(ready()).not.toContain(lost);
  expect(placed()).toContain(lost);
  await after(140);
  expect(nodes.names()).not.toContain(lost);
  expect(placed()).not.toContain(lost);
  expect(pods()).toHaveLength(2);
  expect(ready()).toHaveLength(1);
  await after(60);
  expect(ready()).toHaveLength(2);
});

test('a lost node that nobody replaces gives up its pods after 340 s, to the nodes that are left', async () => {
  const lost = first();
  nodes.lose(lost, false);
  await after(330);
  expect(placed()).toContain(lost);
  await after(15);
  expect(placed()).not.toContain(lost);
  expect(new Set(placed())).toEqual(new Set(ready()));
  expect(nodes.names()).toContain(lost);
});

test('a node that flaps keeps its pods, and each time it is heard of counts anew', async () => {
  const flapping = first();
  const states: boolean[] = [];
  for (let round = 0; round < 3; round += 1) {
    nodes.disconnect(flapping);
    await after(50);
    states.push(ready().includes(flapping));
    nodes.reconnect(flapping);
    await after(50);
    states.push(ready().includes(flapping));
  }
  expect(states).toEqual([false, true, false, true, false, true]);
  expect(killed).toEqual([]);
  expect(placed()).toContain(flapping);
  await after(400);
  expect(placed()).toContain(flapping);
});

test('pods wait where no node is Ready, and get one that is added', async () => {
  for (const name of nodes.names()) nodes.lose(name, false);
  await after(345);
  expect(placed()).toEqual([undefined, undefined]);
  nodes.sync([group(3)]);
  settle();
  expect(placed()).toEqual([undefined, undefined]);
  await after(60);
  expect(placed()).toEqual([ready()[0], ready()[0]]);
});

test('nothing is launched without capacity', async () => {
  nodes.hasCapacity = false;
  nodes.lose(first(), true);
  await after(300);
  expect(nodes.names()).toHaveLength(1);
});

test('a group that shrinks gives up those first that are not heard of', () => {
  const lost = first();
  nodes.lose(lost, false);
  nodes.sync([group(1)]);
  expect(nodes.names()).not.toContain(lost);
});
