/** Ways through configuration-recovery: which state follows which, and where every failure leads. */
import { describe, expect, it } from 'vitest';
import { definitionOf, fail, healthy, isJob, play as playAny, type Script, silence, tasksIn } from './machines.ts';

const machine = 'configuration-recovery';
const where = {
  namespace: 'stocker',
  stateBucket: 'b',
  lockTable: 'l',
  blueprint: { cluster: 'c', variables: 'v', stateKey: 'k', overlay: 'o' },
};
const secret = { kind: 'secret', name: 's', is: 'gone', shouldBe: 'there', way: 'recovery-window' };
const found = (change: object = {}) => ({
  affected: [secret],
  approved: 'digest',
  manifests: 'git',
  applies: true,
  question: ['q'],
  approval: 'ask',
  ...change,
});
const looked = { affected: [secret], unknown: [], seen: ['all'] };
const report = { source: 'read', overlay: 'usable', changes: [], digest: 'd', images: [], differences: [] };
const well: Script = {
  AcceptRequest: () => ({ incident: { id: 'recovery-1', mode: 'recovery', reason: 'why' }, where }),
  LookAtResources: () => looked,
  FindDrift: () => report,
  JudgeFindings: () => found(),
  LookAgain: () => ({ ...looked, affected: [] }),
  FindRemaining: () => report,
  JudgeRestored: () => found({ affected: [], applies: false }),
  RequestApproval: () => ({ approved: true, by: 'alice', reason: 'go' }),
};
const drill: Script = {
  AcceptRequest: () => ({ incident: { id: 'drill-1', mode: 'drill', reason: 'why' }, where }),
  JudgeFindings: () => found({ approval: 'none' }),
};
const play = (script: Script = {}) => playAny(machine, { ...healthy, ...well, ...script });
/** The branches of a Parallel call in no order. */
const sorted = (states: readonly string[]) => [...states].sort();
const begin = ['AcceptRequest', 'TakeLease', 'OpenIncident'];
const find = ['LookAtResources', 'FindDrift', 'JudgeFindings'];
const verify = ['LookAgain', 'FindRemaining', 'JudgeRestored', 'ValidateApplication'];
const apply = ['Apply', 'RestoreAccess'];

describe('a recovery', () => {
  it('finds, asks, restores own backups and then from Git, finds nothing any more, validates', async () => {
    const { status, states, payloadsOf } = await play();
    expect(status).toBe('SUCCEEDED');
    expect(sorted(states)).toEqual(
      sorted([...begin, ...find, 'RequestApproval', 'RestoreResources', ...apply, ...verify, 'CloseIncident']),
    );
    expect(states.indexOf('RestoreResources')).toBeLessThan(states.indexOf('Apply'));
    expect(states.indexOf('Apply')).toBeLessThan(states.indexOf('LookAgain'));
    expect(payloadsOf('JudgeFindings')).toEqual([expect.objectContaining({ looked, report, where })]);
    expect(payloadsOf('RestoreResources')).toEqual([expect.objectContaining({ restoration: found() })]);
    expect(payloadsOf('RequestApproval')).toEqual([expect.objectContaining({ asked: found(), reasons: ['why'] })]);
    expect(payloadsOf('JudgeRestored')).toEqual([
      expect.objectContaining({ after: true, looked: { ...looked, affected: [] } }),
    ]);
  });
  it('that finds nothing asks nobody, validates and closes', async () => {
    const { status, states } = await play({ JudgeFindings: () => found({ affected: [], applies: false }) });
    expect(status).toBe('SUCCEEDED');
    expect(sorted(states)).toEqual(sorted([...begin, ...find, 'ValidateApplication', 'CloseIncident']));
  });
  it('of what only own backups bring back starts no build', async () => {
    const { states } = await play({ JudgeFindings: () => found({ applies: false, manifests: 'none' }) });
    expect(states).not.toContain('Apply');
    expect(states).toContain('JudgeRestored');
  });
  it.each([
    ['declined', { RequestApproval: () => ({ approved: false, by: 'bob', reason: 'no' }) }, 'ApprovalDeclined'],
    ['unanswered', { RequestApproval: () => silence }, 'ApprovalTimedOut'],
    ['about what is unknown', { JudgeFindings: () => fail('ConfigurationUnknown') }, 'ConfigurationUnknown'],
    ['about a plan that destroys', { JudgeFindings: () => fail('PlanRefused') }, 'PlanRefused'],
    ['about a lost database', { JudgeFindings: () => fail('DatabaseGone') }, 'DatabaseGone'],
    ['whose build cannot look', { FindDrift: () => fail('TerraformFailed') }, 'TerraformFailed'],
    ['whose look fails', { LookAtResources: () => fail('Boom') }, 'Boom'],
  ] as [string, Script, string][])('that is %s changes nothing, and closes', async (_, script, error) => {
    const ended = await play(script);
    expect(ended).toMatchObject({ status: 'FAILED', error });
    expect(ended.states).not.toContain('RestoreResources');
    expect(ended.states.at(-1)).toBe('CloseIncident');
  });
  it.each([
    ['Apply', 'PlanChanged'],
    ['FindRemaining', 'TerraformFailed'],
    ['JudgeRestored', 'DriftRemains'],
    ['ValidateApplication', 'ApplicationUnhealthy'],
  ])('whose %s fails ends with %s, and removes nothing of what it restored', async (state, error) => {
    const ended = await play({ [state]: () => fail(error) });
    expect(ended).toMatchObject({ status: 'FAILED', error });
    expect(ended.payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: expect.objectContaining({ Error: error }) }),
    ]);
    expect(ended.states).not.toContain('TearDown');
  });
  it('whose build hangs ends when the build is stopped', async () => {
    const ended = await play({ Apply: () => fail('States.TaskFailed', 'TIMED_OUT') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
  });
});

describe('a drill', () => {
  it('makes and loses its own, takes the way of a recovery, asks nobody, and removes what it made', async () => {
    const { status, states } = await play(drill);
    expect(status).toBe('SUCCEEDED');
    expect(states.slice(0, 5)).toEqual([...begin, 'MakeWorkload', 'MakeDrill']);
    expect(states).not.toContain('RequestApproval');
    expect(states.slice(-3)).toEqual(['RemoveDrill', 'TearDown', 'CloseIncident']);
  });
  const called = ['OpenIncident', 'MakeWorkload', 'MakeDrill', ...find, 'RestoreResources', ...apply, ...verify];
  it.each(called.map((name) => [name]))(
    'is removed and closed when %s fails, and ends with that failure',
    async (name) => {
      const ended = await play({ ...drill, [name]: () => fail('Boom') });
      expect(ended).toMatchObject({ status: 'FAILED', error: 'Boom' });
      expect(ended.states.slice(-3)).toEqual(['RemoveDrill', 'TearDown', 'CloseIncident']);
    },
  );
  it('that leaves something behind fails, but for what failed first; the cluster goes all the same', async () => {
    const left = await play({ ...drill, RemoveDrill: () => fail('Boom') });
    expect(left).toMatchObject({ status: 'FAILED', error: 'Boom' });
    expect(left.states.slice(-2)).toEqual(['TearDown', 'CloseIncident']);
    expect(await play({ ...drill, TearDown: () => fail('LeftBehind') })).toMatchObject({ error: 'LeftBehind' });
    const both = { ...drill, Apply: () => fail('PlanChanged'), TearDown: () => fail('LeftBehind') };
    expect(await play(both)).toMatchObject({ status: 'FAILED', error: 'PlanChanged' });
  });
});

describe('a refusal', () => {
  it.each([['AcceptRequest'], ['TakeLease']])('of %s is told, and touches nothing', async (name) => {
    const ended = await play({ [name]: () => fail('DebtOpen') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'DebtOpen' });
    expect(ended.states.at(-1)).toBe('ReportRefusal');
  });
});

it('tells a build of a drill from one of production in every job', () => {
  const jobs = tasksIn(definitionOf(machine)).filter(isJob);
  expect(jobs.map(({ name }) => name)).toEqual(['MakeWorkload', 'FindDrift', 'Apply', 'FindRemaining', 'TearDown']);
  for (const { state } of jobs)
    expect(JSON.stringify(state.Arguments)).toContain("$incident.mode = 'drill' ? 'ClusterDrillJob' : 'ClusterJob'");
});
