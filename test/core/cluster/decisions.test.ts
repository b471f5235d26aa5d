/** Node-level or cluster-level, and what Terraform may do: pure decisions with their reasons. */
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../core/cluster/contracts.ts';
import { type ClusterFacts, decideLevel } from '../../../core/cluster/decide-level.ts';
import { checkPlan } from '../../../core/cluster/report-build.ts';
import { changesIn, digestOf, drillObjections, importsOf, objections } from '../../../core/cluster/terraform-plan.ts';
import { available, facts, group, node } from './facts.ts';

const level = (change: Partial<ClusterFacts>, waived = false) => decideLevel(facts(change), waived);

describe('what is lost', () => {
  it('is nothing where nodes are Ready and deployments available', () => {
    expect(level({})).toMatchObject({ level: 'none', standing: true });
  });
  const clusterLevel: readonly [string, Partial<ClusterFacts>, RegExp][] = [
    ['EKS knows no such cluster', { status: undefined }, /EKS knows no cluster stocker/],
    ['the control plane has failed', { status: 'FAILED' }, /is FAILED/],
    ['it is being deleted', { status: 'DELETING' }, /is DELETING/],
    ['no node group is left', { groups: [] }, /has no node group/],
    [
      'a deployment is gone',
      { workloads: { answer: 'given', value: [available('api'), { name: 'canary', status: undefined, running: [] }] } },
      /deployment canary is gone/,
    ],
  ];
  it.each(clusterLevel)('is the cluster when %s', (_, change, reason) => {
    const decided = level(change);
    expect(decided.level).toBe('cluster');
    expect(decided.reasons.join()).toMatch(reason);
  });
  const nodeLevel: readonly [string, Partial<ClusterFacts>, RegExp][] = [
    [
      'a node is not Ready',
      { nodes: { answer: 'given', value: [node('a'), node('b', false)] } },
      /1 of 2 nodes are Ready.*node b is not Ready/,
    ],
    [
      'no node is Ready, for groups replace them',
      { nodes: { answer: 'given', value: [node('a', false), node('b', false)] } },
      /0 of 2/,
    ],
    ['a node is missing', { nodes: { answer: 'given', value: [node('a')] } }, /1 of 2/],
    [
      'a deployment is not available',
      { workloads: { answer: 'given', value: [available('api', { available: 0 })] } },
      /api: 0 of 1 pods are available/,
    ],
  ];
  it.each(nodeLevel)('is of the nodes when %s', (_, change, reason) => {
    const decided = level(change);
    expect(decided).toMatchObject({ level: 'node', standing: true });
    expect(decided.reasons.join()).toMatch(reason);
  });
  it('is unknown, which rebuilds nothing, while EKS says ACTIVE and the API is silent or admits nobody', () => {
    const silent = { nodes: { answer: 'silent', why: 'timed out' } } as const;
    expect(level(silent).level).toBe('unknown');
    expect(level({ workloads: { answer: 'denied', why: '403' } }).level).toBe('unknown');
    expect(level(silent, true)).toMatchObject({ level: 'cluster', standing: false });
  });
  it('asks a person about a missing deployment even where nodes are lost as well', () => {
    const value = [{ name: 'api', status: undefined, running: [] }];
    expect(level({ nodes: { answer: 'given', value: [] }, workloads: { answer: 'given', value } })).toMatchObject({
      level: 'cluster',
      standing: false,
    });
  });
  it('names what EKS says is wrong with a group', () => {
    const value = [node('a')];
    expect(
      level({
        groups: [group({ issues: ['AsgInstanceLaunchFailures: no capacity'] })],
        nodes: { answer: 'given', value },
      }).reasons,
    ).toContain('AsgInstanceLaunchFailures: no capacity');
  });
});

const change = (type: string, actions: string[], name = 'x'): Change => ({
  address: `${type}.this`,
  type,
  actions,
  name,
});

describe('what Terraform would do', () => {
  const json = {
    resource_changes: [
      {
        address: 'aws_eks_cluster.this',
        type: 'aws_eks_cluster',
        change: { actions: ['create'], before: null, after: { name: 'stocker', password: 'hunter2' } },
      },
      {
        address: 'aws_db_instance.this[0]',
        type: 'aws_db_instance',
        change: { actions: ['no-op'], before: {}, after: {} },
      },
      { address: 'data.aws_vpc.this', type: 'aws_vpc', change: { actions: ['read'], before: null, after: {} } },
    ],
  };
  it('is read as addresses, actions and names, and none of its values', () => {
    expect(changesIn(json)).toEqual([
      { address: 'aws_eks_cluster.this', type: 'aws_eks_cluster', actions: ['create'], name: 'stocker' },
    ]);
    expect(JSON.stringify(changesIn(json))).not.toContain('hunter2');
  });
  it('has one digest, whatever the order, and another one for another change', () => {
    const [a, b] = [change('aws_eks_cluster', ['create']), change('aws_eks_node_group', ['create'])];
    expect(digestOf([a, b])).toBe(digestOf([b, a]));
    expect(digestOf([a])).not.toBe(digestOf([{ ...a, actions: ['delete'] }]));
  });
  it.each([
    ['destroy the database', change('aws_db_instance', ['delete']), /delete aws_db_instance.*holds data/],
    ['replace the database', change('aws_db_instance', ['delete', 'create']), /replace aws_db_instance/],
    ['make a database, which would be empty', change('aws_db_instance', ['create']), /empty/],
    ['destroy a bucket', change('aws_s3_bucket', ['delete']), /holds data/],
    ['destroy a key', change('aws_kms_key', ['delete']), /holds data/],
  ])('must not %s', (_, each, reason) => {
    expect(objections([each]).join()).toMatch(reason);
  });
  it('may make and replace a cluster and its nodes', () => {
    expect(
      objections([change('aws_eks_cluster', ['delete', 'create']), change('aws_eks_node_group', ['create'])]),
    ).toEqual([]);
  });
  it('names what may be there of a drill though the state lacks it, and nothing of production', () => {
    const creates = (address: string, type: string, after: object) => ({
      address,
      type,
      change: { actions: ['create'], after },
    });
    const nodes = { cluster_name: 'dr-drill-stocker', node_group_name: 'general' };
    const kept = creates('aws_eks_cluster.kept', 'aws_eks_cluster', { name: 'dr-drill-kept' });
    const plan = {
      resource_changes: [
        creates('aws_eks_cluster.this', 'aws_eks_cluster', { name: 'dr-drill-stocker' }),
        creates('aws_eks_node_group.general', 'aws_eks_node_group', nodes),
        creates('aws_eks_cluster.production', 'aws_eks_cluster', { name: 'stocker' }),
        creates('aws_eks_node_group.nameless', 'aws_eks_node_group', { cluster_name: 'dr-drill-stocker' }),
        creates('aws_s3_bucket.other', 'aws_s3_bucket', { name: 'dr-drill-bucket' }),
        { ...kept, change: { ...kept.change, actions: ['update'] } },
      ],
    };
    expect(importsOf(plan, 'dr-drill-')).toEqual([
      { address: 'aws_eks_cluster.this', id: 'dr-drill-stocker' },
      { address: 'aws_eks_node_group.general', id: 'dr-drill-stocker:general' },
    ]);
  });
  it('must not be about anything but its own in a drill, nor destroy while it makes, nor make while it destroys', () => {
    const own = change('aws_eks_cluster', ['create'], 'dr-drill-stocker');
    expect(drillObjections([own], 'dr-drill-', 'create')).toEqual([]);
    expect(drillObjections([{ ...own, name: 'stocker' }], 'dr-drill-', 'create')).toHaveLength(1);
    const { name: _, ...nameless } = own;
    expect(drillObjections([nameless], 'dr-drill-', 'create')).toHaveLength(1);
    expect(drillObjections([{ ...own, actions: ['delete'] }], 'dr-drill-', 'create')).toHaveLength(1);
    expect(drillObjections([own], 'dr-drill-', 'delete')).toHaveLength(1);
  });
});

describe('between plan and apply', () => {
  const plan = (name: string, actions: string[]) => ({
    resource_changes: [
      {
        address: 'aws_eks_cluster.this',
        type: 'aws_eks_cluster',
        change: { actions, before: { name }, after: actions[0] === 'delete' ? null : { name } },
      },
    ],
  });
  const approved = digestOf(changesIn(plan('stocker', ['create'])));
  const rebuild = { action: 'rebuild', approved, drillPrefix: 'dr-drill-' } as const;
  it('what was approved may be applied, and nothing else', () => {
    expect(checkPlan(plan('stocker', ['create']), rebuild)).toBeUndefined();
    expect(checkPlan(plan('stocker', ['delete']), rebuild)).toMatchObject({ error: 'PlanChanged' });
    expect(checkPlan({ resource_changes: [] }, rebuild)).toMatchObject({ error: 'PlanChanged' });
  });
  it('after a failover Terraform follows, but for what would destroy or empty the promoted database', () => {
    const follow = { ...rebuild, action: 'follow', approved: 'harmless' } as const;
    expect(checkPlan({ resource_changes: [] }, follow)).toBeUndefined();
    expect(checkPlan(plan('stocker', ['update']), follow)).toBeUndefined();
    const database = (actions: string[]) => ({
      resource_changes: [
        {
          address: 'aws_db_instance.this[0]',
          type: 'aws_db_instance',
          change: { actions, after: { identifier: 'stocker-replica' } },
        },
      ],
    });
    for (const actions of [['delete'], ['delete', 'create'], ['create']])
      expect(checkPlan(database(actions), follow)).toMatchObject({
        error: 'PlanRefused',
        reasons: [expect.stringContaining('stocker-replica')],
      });
  });
  it('a drill’s own may be destroyed, and nothing of production', () => {
    const destroy = { ...rebuild, action: 'destroy' } as const;
    expect(checkPlan(plan('dr-drill-stocker', ['delete']), destroy)).toBeUndefined();
    expect(checkPlan(plan('stocker', ['delete']), destroy)).toMatchObject({ error: 'PlanRefused' });
  });
});
