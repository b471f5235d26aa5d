/** Ways through cluster-recovery: which state follows which, and where every failure leads. */
import { describe, expect, it } from 'vitest';
import {
  definitionOf,
  fail,
  healthy,
  isTask,
  placesIn,
  play as playAny,
  type Script,
  silence,
  tasksIn,
} from './machines.ts';

const machine = 'cluster-recovery';
const where = {
  namespace: 'stocker',
  stateBucket: 'b',
  lockTable: 'l',
  blueprint: { cluster: 'c', variables: 'v', stateKey: 'k', overlay: 'o' },
};
const plan = (level: string) => ({ level, reasons: ['why'], approval: 'ask', standing: true, where });
const well: Script = {
  AcceptRequest: () => ({ incident: { id: 'recovery-1', mode: 'recovery' }, where }),
  AssessCluster: () => plan('cluster'),
  PlanRebuild: () => ({ source: 'read', overlay: 'usable', changes: [], digest: 'd', images: ['i'] }),
  JudgeRebuild: () => ({ approved: 'd', manifests: 'git', images: ['i'], question: ['q'], approval: 'ask' }),
  RequestApproval: () => ({ approved: true, by: 'alice', reason: 'go' }),
};
const drill: Script = {
  AcceptRequest: () => ({ incident: { id: 'drill-1', mode: 'drill' }, where }),
  JudgeRebuild: () => ({ approved: 'd', manifests: 'git', images: ['i'], question: ['q'], approval: 'none' }),
};
const play = (script: Script = {}) => playAny(machine, { ...healthy, ...well, ...script });
const begin = ['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessCluster'];
const rebuild = [
  'PlanRebuild',
  'JudgeRebuild',
  'RequestApproval',
  'Rebuild',
  'RestoreAccess',
  'AwaitCluster',
  'ValidateApplication',
];

describe('a recovery', () => {
  it('of nothing validates and closes', async () => {
    const { status, states } = await play({ AssessCluster: () => plan('none') });
    expect({ status, states }).toEqual({
      status: 'SUCCEEDED',
      states: [...begin, 'ValidateApplication', 'CloseIncident'],
    });
  });
  it('of nodes waits for Kubernetes, and asks nobody', async () => {
    const { states } = await play({
      AssessCluster: () => plan('node'),
      AwaitRescheduled: (_, call) => (call < 5 ? fail('ClusterNotReady') : {}),
    });
    expect([...new Set(states)]).toEqual([...begin, 'AwaitRescheduled', 'ValidateApplication', 'CloseIncident']);
  });
  it('of nodes that do not come helps them, within a bound', async () => {
    const { states, payloadsOf } = await play({
      AssessCluster: () => plan('node'),
      AwaitRescheduled: () => fail('ClusterNotReady'),
    });
    expect([...new Set(states)]).toEqual([
      ...begin,
      'AwaitRescheduled',
      'HelpNodes',
      'AwaitHelped',
      'ValidateApplication',
      'CloseIncident',
    ]);
    expect(states.filter((state) => state === 'AwaitRescheduled')).toHaveLength(29);
    expect(payloadsOf('AwaitRescheduled')[0]).not.toHaveProperty('helped');
    expect(payloadsOf('AwaitHelped')).toEqual([expect.objectContaining({ helped: true })]);
  });
  it('of nodes that never come, as of one that flaps, ends in the question about a rebuild', async () => {
    const never = () => fail('ClusterNotReady');
    const { states, status } = await play({
      AssessCluster: () => plan('node'),
      AwaitRescheduled: never,
      AwaitHelped: never,
    });
    expect([...new Set(states)]).toEqual([
      ...begin,
      'AwaitRescheduled',
      'HelpNodes',
      'AwaitHelped',
      ...rebuild,
      'CloseIncident',
    ]);
    expect(status).toBe('SUCCEEDED');
  });
  it('of the cluster plans, asks, rebuilds exactly what was approved, lets its functions in, waits, validates', async () => {
    const { status, states, payloadsOf } = await play();
    expect({ status, states }).toEqual({ status: 'SUCCEEDED', states: [...begin, ...rebuild, 'CloseIncident'] });
    expect(payloadsOf('RestoreAccess')).toEqual([
      expect.objectContaining({ roles: ['arn:aws:iam::111122223333:role/looks'] }),
    ]);
    expect(payloadsOf('AwaitCluster')).toEqual([expect.objectContaining({ images: ['i'], helped: false })]);
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });
  it('asks nobody where the configuration lets it act', async () => {
    const { states } = await play({ JudgeRebuild: drill.JudgeRebuild ?? (() => ({})) });
    expect(states).not.toContain('RequestApproval');
  });
  it.each([
    ['declined', { RequestApproval: () => ({ approved: false, by: 'bob', reason: 'no' }) }, 'ApprovalDeclined'],
    ['unanswered', { RequestApproval: () => silence }, 'ApprovalTimedOut'],
  ] as [string, Script, string][])('that is %s changes nothing', async (_, script, error) => {
    const ended = await play(script);
    expect(ended).toMatchObject({ status: 'FAILED', error });
    expect(ended.states).not.toContain('Rebuild');
    expect(ended.states.at(-1)).toBe('CloseIncident');
  });
  it('whose plan is refused changes nothing', async () => {
    const ended = await play({ JudgeRebuild: () => fail('PlanRefused') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'PlanRefused' });
    expect(ended.states).not.toContain('Rebuild');
  });
  it.each([['PlanRebuild'], ['Rebuild']])('whose job %s fails ends with the job’s own error', async (state) => {
    const ended = await play({ [state]: () => fail('TerraformFailed', 'Error: no quota') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'TerraformFailed' });
    expect(ended.payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'TerraformFailed', Cause: 'Error: no quota' } }),
    ]);
    expect(ended.states).not.toContain('TearDown');
  });
  it('whose build hangs ends when the build is stopped', async () => {
    const ended = await play({ Rebuild: () => fail('States.TaskFailed', 'TIMED_OUT') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
    expect(ended.states.at(-1)).toBe('CloseIncident');
  });
});

describe('a drill', () => {
  it('takes the way of a lost cluster, asks nobody, and destroys what it made', async () => {
    const { status, states } = await play(drill);
    expect(status).toBe('SUCCEEDED');
    expect(states).toEqual([
      ...begin,
      ...rebuild.filter((state) => state !== 'RequestApproval'),
      'TearDown',
      'CloseIncident',
    ]);
  });
  const within = tasksIn(definitionOf(machine)).filter(({ around }) => around.some(({ name }) => name === 'Recover'));
  const called = within.filter(
    ({ name }) => ['OpenIncident', 'AssessCluster', ...rebuild].includes(name) && name !== 'RequestApproval',
  );
  it.each(called.map(({ name }) => [name]))(
    'tears down and closes when %s fails, and ends with that failure',
    async (name) => {
      const ended = await play({ ...drill, [name]: () => fail('Boom') });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'Boom' });
      expect(ended.states.slice(-2)).toEqual(['TearDown', 'CloseIncident']);
    },
  );
  it('that leaves something behind fails, but for what failed first', async () => {
    expect(await play({ ...drill, TearDown: () => fail('LeftBehind') })).toMatchObject({
      status: 'FAILED',
      error: 'LeftBehind',
    });
    const both = { ...drill, AwaitCluster: () => fail('WrongImage'), TearDown: () => fail('LeftBehind') };
    expect(await play(both)).toMatchObject({ status: 'FAILED', error: 'WrongImage' });
  });
});

describe('a refusal', () => {
  it.each([['AcceptRequest'], ['TakeLease']])('of %s is told, and touches nothing', async (name) => {
    const ended = await play({ [name]: () => fail('RecoveryInProgress') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'RecoveryInProgress' });
    expect(ended.states.at(-1)).toBe('ReportRefusal');
  });
  it('of a drill whose production is in the other Region is no failure', async () => {
    expect(await play({ AcceptRequest: () => fail('DrillElsewhere') })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

it('tells a build of a drill from one of production in every job', () => {
  const jobs = placesIn(definitionOf(machine))
    .filter(isTask)
    .filter(({ state }) => state.Resource.includes('codebuild'));
  expect(jobs).toHaveLength(3);
  for (const { state } of jobs)
    expect(JSON.stringify(state.Arguments)).toContain("$incident.mode = 'drill' ? 'ClusterDrillJob' : 'ClusterJob'");
});
