/** The steps of cluster-recovery, over ports that a test makes. */
import { beforeEach, describe, expect, it } from 'vitest';
import { acceptClusterRequest } from '../../../core/cluster/accept-recovery.ts';
import { assessCluster } from '../../../core/cluster/assess-cluster.ts';
import { awaitCluster } from '../../../core/cluster/await-cluster.ts';
import type { PlanReport } from '../../../core/cluster/contracts.ts';
import { requireDrillAccount } from '../../../core/cluster/drill-account.ts';
import { helpNodes } from '../../../core/cluster/help-nodes.ts';
import { judgeRebuild } from '../../../core/cluster/judge-rebuild.ts';
import type { BuildResults } from '../../../core/cluster/ports.ts';
import { reportBuild } from '../../../core/cluster/report-build.ts';
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
  makeIncident,
  openedAt,
  settings,
} from '../fakes.ts';
import { available, digest, FakeCluster, group, image, node, plan } from './facts.ts';

const recovery = makeIncident({
  id: 'recovery-20261122T201500Z-1a2b3c4d',
  mode: 'recovery',
  scenario: 'cluster',
  target: 'stocker',
});
const drill = makeIncident({ scenario: 'cluster', target: 'dr-drill-stocker' });
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

describe('judging the rebuild', () => {
  const report = (change: Partial<PlanReport> = {}): PlanReport => ({
    source: 'read',
    overlay: 'usable',
    changes: [{ address: 'aws_eks_cluster.this', type: 'aws_eks_cluster', actions: ['create'], name: 'stocker' }],
    digest: 'd',
    images: [image],
    ...change,
  });
  const newest = { location: 's3://evidence/backups/cluster-state/x/stocker.json', at: openedAt };
  const judge = (found: PlanReport, incident = recovery, standing = false, exported: typeof newest | null = newest) =>
    judgeRebuild(
      { incident, plan: plan({ standing }), report: found },
      { settings, exports: { newest: async () => exported ?? undefined } },
    );
  const destroysDatabase = report({
    changes: [
      { address: 'aws_db_instance.this', type: 'aws_db_instance', actions: ['delete'], name: 'stocker-pro-staging' },
    ],
  });

  it('shows what Terraform changes and what is applied', async () => {
    const { output } = await judge(report());
    expect(output).toMatchObject({ approved: 'd', manifests: 'git', images: [image] });
    expect(output.question.join('\n')).toMatch(
      /1 changes, none of which destroys[\s\S]*create aws_eks_cluster.this \(stocker\)/,
    );
  });
  it('refuses a plan that would destroy the database', async () => {
    await expect(judge(destroysDatabase)).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('lets a named person answer for it, and says so in the question', async () => {
    const waiver = { checks: ['protected-resources'], by: 'alice', reason: 'it is empty' };
    const { output } = await judge(destroysDatabase, { ...recovery, waiver });
    expect(output.question.join('\n')).toMatch(/DESTROY[\s\S]*WAIVED by alice/);
    await expect(
      judge(destroysDatabase, { ...recovery, waiver: { ...waiver, checks: ['row-floors'] } }),
    ).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('refuses a drill that would touch production, waived or not', async () => {
    const waiver = { checks: ['protected-resources'], by: 'alice', reason: 'x' };
    await expect(judge(report(), { ...drill, waiver })).rejects.toMatchObject({ name: 'PlanRefused' });
  });
  it('falls back to the newest export where the overlay is unusable', async () => {
    expect((await judge(report({ overlay: 'unusable' }))).output).toMatchObject({
      approved: 'd',
      manifests: newest.location,
    });
    await expect(judge(report({ overlay: 'unusable' }), recovery, false, null)).rejects.toMatchObject({
      name: 'OverlayUnusable',
    });
  });
  it('without Git gives what stands its manifests back, and rebuilds nothing that does not', async () => {
    const unreachable = report({ source: 'unreachable', changes: [] });
    expect((await judge(unreachable, recovery, true)).output).toMatchObject({
      approved: 'none',
      manifests: newest.location,
    });
    await expect(judge(unreachable)).rejects.toMatchObject({ name: 'SourceUnreachable' });
    await expect(judge(unreachable, recovery, true, null)).rejects.toMatchObject({ name: 'SourceUnreachable' });
  });
});

describe('what a build reports', () => {
  const results = (change: Partial<BuildResults> = {}): BuildResults => ({
    failed: () => undefined,
    problems: () => ['Error: no'],
    plan: () => ({ resource_changes: [] }),
    differences: () => undefined,
    rendered: () =>
      '    containers:\n      - image: a/b:1\n        name: api\n      - name: other\n        image: "c:2"\n',
    build: () => ({ arn: 'arn:build', log: 'the log' }),
    ...change,
  });
  it('is what Terraform would do, and the images of the overlay', () => {
    expect(reportBuild({ action: 'plan' }, results()).output).toMatchObject({
      source: 'read',
      overlay: 'usable',
      changes: [],
      images: ['a/b:1', 'c:2'],
    });
  });
  it('is a finding where Git or the overlay is unusable', () => {
    const unreachable = results({ failed: () => 'SourceUnreachable', plan: () => undefined });
    expect(reportBuild({ action: 'plan' }, unreachable).output).toMatchObject({ source: 'unreachable', changes: [] });
    expect(reportBuild({ action: 'plan' }, results({ failed: () => 'OverlayUnusable' })).output).toMatchObject({
      source: 'read',
      overlay: 'unusable',
    });
  });
  it.each([
    ['plan', 'TerraformFailed', 'TerraformFailed'],
    ['rebuild', 'TerraformFailed', 'TerraformFailed'],
    ['rebuild', 'PlanChanged', 'PlanChanged'],
    ['rebuild', 'ManifestsRefused', 'ManifestsRefused'],
    ['rebuild', 'SourceUnreachable', 'TerraformFailed'],
    ['destroy', 'PlanRefused', 'LeftBehind'],
  ] as const)('of %s that failed with %s is the error %s, with its log', (action, failed, name) => {
    const report = () => reportBuild({ action }, results({ failed: () => failed }));
    expect(report).toThrow(expect.objectContaining({ name, message: expect.stringContaining('the log') }));
  });
  it('of Terraform that follows a failover says that it has followed', () => {
    expect(reportBuild({ action: 'follow' }, results()).summary).toContain('has followed');
  });
  it.each(['PlanRefused', 'TerraformFailed', 'SourceUnreachable'])(
    'of Terraform that follows and ends in %s fails nothing, and is a fact for the report',
    (failed) => {
      const { summary, facts } = reportBuild({ action: 'follow' }, results({ failed: () => failed }));
      expect(summary).toContain('is left as it is');
      expect(facts?.terraformRefused).toContain(failed);
    },
  );
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
