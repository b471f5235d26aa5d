/** The other steps of cluster-recovery, before and after waiting and rebuilding, and the watch: over ports that a test makes. */
import { beforeEach, describe, expect, it } from 'vitest';
import { acceptClusterRequest } from '../../../core/cluster/accept-recovery.ts';
import { assessCluster } from '../../../core/cluster/assess-cluster.ts';
import { requireDrillAccount } from '../../../core/cluster/drill-account.ts';
import { requestClusterApproval } from '../../../core/cluster/request-approval.ts';
import { restoreAccess } from '../../../core/cluster/restore-access.ts';
import { watchCluster } from '../../../core/cluster/watch-cluster.ts';
import { decideApproval } from '../../../core/incident/decide-approval.ts';
import {
  activeDatabase,
  executionArn,
  FakeAnnouncer,
  FakeApprovals,
  FakeClock,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  openedAt,
  settings,
} from '../fakes.ts';
import { drill, FakeCluster, plan, recovery } from './facts.ts';

const here = settings.primary;
const clock = new FakeClock(openedAt);

describe('a request', () => {
  const accept = (request: unknown, active = activeDatabase) => {
    const control = new FakeControl();
    control.active = active;
    return acceptClusterRequest(
      { request, execution: { arn: executionArn, startedAt: openedAt } },
      {
        settings,
        here,
        clock,
        control,
        executions: new FakeExecutions(),
        incidents: new FakeIncidents(),
        alarms: { ringing: async () => [] },
      },
    );
  };
  const confirmed = { mode: 'recovery', reason: 'the cluster is gone', confirm: 'staging' };

  it('of a recovery is about production’s cluster, of a drill about one beside it', async () => {
    expect(await accept(confirmed)).toMatchObject({
      incident: { scenario: 'cluster', target: 'stocker', mode: 'recovery' },
    });
    expect(await accept({ reason: 'quarterly' })).toMatchObject({
      incident: { target: 'dr-drill-stocker', mode: 'drill' },
      where: { blueprint: { stateKey: 'staging-drill/terraform.tfstate' } },
    });
  });
  it.each([
    ['a restore point', { ...confirmed, restoreTo: '2026-11-22T13:05:00Z' }, /restoreTo.*is of databases/],
    ['tables', { ...confirmed, scope: { tables: ['stocker.product'] } }, /scope.*is of databases/],
    ['another cluster', { ...confirmed, target: 'billing' }, /another cluster/],
    ['no confirmation', { mode: 'recovery', reason: 'x' }, /confirm/],
  ])('is refused with %s', async (_, request, problem) => {
    await expect(accept(request)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringMatching(problem),
    });
  });
  it('is refused in the Region where production is not', async () => {
    await expect(accept(confirmed, { ...activeDatabase, region: 'us-west-2' })).rejects.toThrow(
      /Production is in us-west-2/,
    );
  });
});

const drillAccount = {
  id: '999900001111',
  roleArn: 'arn:aws:iam::999900001111:role/drill',
  stateBuckets: { primary: 'drills-us-east-1', dr: 'drills-us-west-2' },
};
const elsewhere = { ...settings, cluster: { ...settings.cluster, drillAccount } };

describe('the assessment', () => {
  const assess = (
    cluster: FakeCluster,
    incident = recovery,
    automatic: 'ask' | 'auto' = 'ask',
    own = settings,
    becomeDrill: () => Promise<void> = async () => undefined,
  ) =>
    assessCluster(
      { incident },
      {
        settings: { ...own, automatic: { ...settings.automatic, cluster: automatic } },
        here,
        cluster: () => cluster,
        becomeDrill,
      },
    );
  it('asks before a rebuild, unless the configuration lets it act', async () => {
    expect((await assess(new FakeCluster({ status: undefined }))).output).toMatchObject({
      level: 'cluster',
      approval: 'ask',
    });
    expect((await assess(new FakeCluster({ status: undefined }), recovery, 'auto')).output.approval).toBe('none');
  });
  it('ends where nothing can be decided, and goes on where a named person has waived that', async () => {
    const silent = () => new FakeCluster({ nodes: { answer: 'silent', why: 'timed out' } });
    await expect(assess(silent())).rejects.toMatchObject({ name: 'ClusterUnknown' });
    const waiver = { checks: ['control-plane'], by: 'alice', reason: 'AWS says so' };
    expect((await assess(silent(), { ...recovery, waiver })).output.level).toBe('cluster');
  });
  it('of a drill looks at nothing of production', async () => {
    const { output } = await assess(new FakeCluster({ status: undefined }), drill);
    expect(output).toMatchObject({
      level: 'cluster',
      approval: 'none',
      where: { blueprint: { cluster: 'dr-drill-stocker' } },
    });
  });
  it('of a drill in another account becomes who acts there first, with a state of its own there', async () => {
    let times = 0;
    const become = async () => void times++;
    const { output } = await assess(new FakeCluster(), drill, 'ask', elsewhere, become);
    expect(times).toBe(1);
    expect(output.where).toMatchObject({ stateBucket: 'drills-us-east-1', lockTable: settings.cluster.lockTable });
    expect(output.reasons[0]).toContain('is made in account 999900001111');
    const refused = async () => requireDrillAccount(drillAccount, '111122223333');
    await expect(assess(new FakeCluster(), drill, 'ask', elsewhere, refused)).rejects.toMatchObject({
      name: 'DrillAccountRefused',
      message: expect.stringContaining('acts in account 111122223333, and drills belong in account 999900001111'),
    });
  });
  it('of a recovery has no part in the account of drills', async () => {
    const never = async () => expect.unreachable('a recovery became the drill’s role');
    const { output } = await assess(new FakeCluster({ status: undefined }), recovery, 'ask', elsewhere, never);
    expect(output.where.stateBucket).toBe(here.terraformStateBucket);
  });
});

describe('the approval', () => {
  let approvals: FakeApprovals;
  let announcer: FakeAnnouncer;
  beforeEach(async () => {
    approvals = new FakeApprovals();
    announcer = new FakeAnnouncer();
    await requestClusterApproval(
      {
        incident: recovery,
        reasons: plan().reasons,
        asked: { question: ['Terraform: 3 changes'] },
        taskToken: 'token',
      },
      { settings, clock, approvals, announcer },
    );
  });
  const answer = (more: object = {}) =>
    decideApproval(
      {
        caller: 'arn:alice',
        body: JSON.stringify({ incident: recovery.id, decision: 'approve', reason: 'go', ...more }),
      },
      { settings, clock, approvals },
    );
  it('asks with what is changed, and needs no restore point', async () => {
    expect(announcer.announced.at(-1)).toMatchObject({
      kind: 'approval-wanted',
      lines: expect.arrayContaining(['Terraform: 3 changes']),
    });
    expect(await answer()).toMatchObject({ statusCode: 200 });
  });
  it('takes no restore point either', async () => {
    expect(await answer({ restoreTo: 'latest' })).toMatchObject({ statusCode: 400 });
  });
});

it('lets each role in once', async () => {
  const cluster = new FakeCluster();
  const letIn = (incident = recovery, own = settings) =>
    restoreAccess({ incident, plan: plan(), roles: ['a', 'b'] }, { settings: own, cluster: () => cluster });
  expect((await letIn()).summary).toBe('2 roles are let in, 0 were before');
  expect((await letIn()).summary).toBe('0 roles are let in, 2 were before');
  expect([...cluster.admitted.values()]).toEqual(['stocker-dr', 'stocker-dr']);
  cluster.admitted.clear();
  expect((await letIn(drill, elsewhere)).summary).toMatch(/nobody is let in: .*role\/drill made the cluster/);
  expect(cluster.admitted.size).toBe(0);
  await letIn(recovery, elsewhere);
  expect(cluster.admitted.size).toBe(2);
});

describe('the watch', () => {
  const watch = async (cluster: FakeCluster, region = 'us-east-1') => {
    const control = new FakeControl();
    control.active = { ...activeDatabase, region };
    const said: Record<string, number> = {};
    const metrics = {
      put: async (values: readonly { name: string; value: number }[]) =>
        void values.map(({ name, value }) => (said[name] = value)),
    };
    await watchCluster({ settings, here, control, metrics, cluster: () => cluster });
    return said;
  };
  it('tells a lost cluster from lost nodes, and both from what it cannot know', async () => {
    const quiet = { ClusterLost: 0, NodesLost: 0, ClusterUnknown: 0, ClusterWatched: 1 };
    expect(await watch(new FakeCluster())).toEqual(quiet);
    expect(await watch(new FakeCluster({ status: undefined }))).toEqual({ ...quiet, ClusterLost: 1 });
    expect(await watch(new FakeCluster({ nodes: { answer: 'given', value: [] } }))).toEqual({ ...quiet, NodesLost: 1 });
    expect(await watch(new FakeCluster({ nodes: { answer: 'silent', why: 'x' } }))).toEqual({
      ...quiet,
      ClusterUnknown: 1,
    });
  });
  it('rests where production is not', async () => {
    expect(await watch(new FakeCluster({ status: undefined }), 'us-west-2')).toEqual({ ClusterWatched: 1 });
  });
});
