/** Waiting until the cluster serves, and helping its nodes to. */
import { describe, expect, it } from 'vitest';
import { awaitCluster } from '../../../core/cluster/await-cluster.ts';
import { helpNodes } from '../../../core/cluster/help-nodes.ts';
import { FakeClock, openedAt, settings } from '../fakes.ts';
import { available, digest, FakeCluster, group, image, node, plan } from './facts.ts';

const clock = new FakeClock(openedAt);

describe('waiting for the cluster', () => {
  const earlier = (seconds: number) => new Date(Date.parse(openedAt) - seconds * 1000).toISOString();
  /** By default the fifth look, each 15 s after the one before. */
  const wait = (
    cluster: FakeCluster,
    images: string[] = [],
    held: string | null = digest,
    looks = { before: 4, since: earlier(60) },
    helped = false,
  ) =>
    awaitCluster(
      { plan: plan(), images, looks, helped },
      { settings, clock, registry: { digestOf: async () => held ?? undefined }, cluster: () => cluster },
    );
  it('ends when nodes are Ready, deployments available and pods on the registry’s digest', async () => {
    expect((await wait(new FakeCluster(), [image])).summary).toMatch(/2 nodes are Ready, and 2 deployments/);
  });
  it.each([
    ['a node that is not Ready', new FakeCluster({ nodes: { answer: 'given', value: [node('a'), node('b', false)] } })],
    [
      'a node that was not Ready at the look before: it may flap',
      new FakeCluster({ nodes: { answer: 'given', value: [node('a'), node('b', true, earlier(14))] } }),
    ],
    ['a node that is missing', new FakeCluster({ nodes: { answer: 'given', value: [node('a')] } })],
    [
      'a deployment that is not available',
      new FakeCluster({ workloads: { answer: 'given', value: [available('api', { available: 0 })] } }),
    ],
    ['an API that does not answer', new FakeCluster({ nodes: { answer: 'silent', why: 'x' } })],
    ['a cluster that is being made', new FakeCluster({ status: 'CREATING' })],
  ])('goes on with %s', async (_, cluster) => {
    await expect(wait(cluster)).rejects.toMatchObject({ name: 'ClusterNotReady', retryable: true });
  });
  it('ends with a node that came since, once it was Ready at two looks in a row', async () => {
    const value = [node('a'), node('b', true, earlier(15))];
    expect((await wait(new FakeCluster({ nodes: { answer: 'given', value } }))).summary).toMatch(/2 nodes are Ready/);
  });
  describe('on nodes that were added', () => {
    const helped = (nodes: ReturnType<typeof node>[], change: Parameters<typeof available>[1] = {}) =>
      wait(
        new FakeCluster({
          groups: [group({ desired: 4 })],
          nodes: { answer: 'given', value: nodes },
          workloads: { answer: 'given', value: [available('api', change)] },
        }),
        [],
        digest,
        { before: 4, since: earlier(60) },
        true,
      );
    const lost = [node('a', false), node('b', false)];
    it('leaves the lost ones to their groups, by name, once the deployments are available', async () => {
      expect((await helped([...lost, node('c'), node('d')])).summary).toMatch(
        /2 nodes are Ready.*left to their groups: a, b/,
      );
    });
    it.each([
      ['one that flaps', () => helped([node('a', false), node('b', false, earlier(5)), node('c'), node('d')])],
      ['one that has not come', () => helped([...lost, node('c')])],
      ['a deployment that is not available', () => helped([...lost, node('c'), node('d')], { available: 0 })],
      ['every node', () => helped([...lost, node('c', false), node('d', false)])],
    ])('waits for %s', async (_, waiting) => {
      await expect(waiting()).rejects.toMatchObject({ name: 'ClusterNotReady' });
    });
  });
  it('goes on after the first look, whatever that sees', async () => {
    await expect(wait(new FakeCluster(), [], digest, { before: 0, since: openedAt })).rejects.toMatchObject({
      name: 'ClusterNotReady',
      message: expect.stringContaining('looked at once more'),
    });
  });
  it('is over with pods on another image than the registry holds under that name', async () => {
    await expect(wait(new FakeCluster(), [], `sha256:${'b'.repeat(64)}`)).rejects.toMatchObject({ name: 'WrongImage' });
    await expect(wait(new FakeCluster(), [], null)).rejects.toMatchObject({ name: 'WrongImage' });
  });
  it('is over with a deployment of an image that no manifest names', async () => {
    await expect(wait(new FakeCluster(), ['another:1'])).rejects.toThrow(/which no manifest names/);
  });
});

describe('helping the nodes', () => {
  it('adds one for each that is not Ready, within the maximum, and no more when repeated', async () => {
    const cluster = new FakeCluster({ nodes: { answer: 'given', value: [node('a', false), node('b', false)] } });
    await helpNodes({ plan: plan() }, { cluster: () => cluster });
    expect(cluster.scaled).toEqual({ general: 4 });
    await helpNodes({ plan: plan() }, { cluster: () => cluster });
    expect(cluster.scaled).toEqual({ general: 4 });
  });
  it('never goes above what Terraform allows', async () => {
    const cluster = new FakeCluster({ groups: [group({ maximum: 2 })], nodes: { answer: 'given', value: [] } });
    expect((await helpNodes({ plan: plan() }, { cluster: () => cluster })).summary).toMatch(/at its maximum/);
    expect(cluster.scaled).toEqual({});
  });
});
