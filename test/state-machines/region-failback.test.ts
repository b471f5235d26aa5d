/** What a failback does where it is refused, declined, stuck or fails on the way: on the real definition, with scripted steps. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../local/states/json.ts';
import { definitionOf, fail, play, type Script, tasksIn } from './machines.ts';

const machine = 'region-failback';
const tasks = tasksIn(definitionOf(machine)).map(({ name }) => name);

const plan: JsonObject = { candidate: 'home', approval: 'ask', failover: { style: 'graceful', former: 'old' } };

/** One that asks, is approved, and in which all is well. */
const comingHome: Script = {
  AcceptFailover: () => ({ incident: { id: 'recovery-1', mode: 'recovery', style: 'graceful' }, run: { id: 'run-1' } }),
  AssessHome: () => plan,
  RequestApproval: () => ({ approved: true, by: 'alice', reason: 'us-east-1 is well again' }),
  Replan: () => plan,
  AwaitPromoted: () => ({ identifier: 'home' }),
  RunCheck: () => ({ verdict: 'passed' }),
  JudgeGate: () => ({ verdict: 'passed', again: [] }),
  ShiftTraffic: () => ({ shiftedAt: '2026-11-28T12:00:00.000Z' }),
  MakeNextReplica: () => ({ identifier: 'next' }),
};
const go = (script: Script = {}) => play(machine, { ...comingHome, ...script });

/** Steps that change what is at home, production, its traffic or its clusters. */
const changing = [
  ...['FenceFormer', 'SnapshotFormer', 'ExportFormer', 'MakeHomeReplica', 'FencePrimary', 'PromoteReplica'],
  ...['ScaleStandby', 'FenceDatabase', 'SetCredentials', 'CutOver', 'ShiftTraffic', 'ProtectDatabase'],
  'MakeNextReplica',
];
const changed = (states: readonly string[]) => states.filter((state) => changing.includes(state));
const isBefore = (states: readonly string[], first: string, second: string) =>
  states.includes(first) && states.lastIndexOf(first) < states.indexOf(second);

describe('a failback in which all is well', () => {
  it('keeps the former production first, switches over without a loss, moves traffic last, and is replicated again', async () => {
    const { status, states, payloadsOf } = await go();
    expect(status).toBe('SUCCEEDED');
    for (const [first, second] of [
      ['RequestApproval', 'FenceFormer'],
      ['FenceFormer', 'SnapshotFormer'],
      ['AwaitFormerSnapshot', 'ExportFormer'],
      ['ExportFormer', 'FencePrimary'],
      ['AwaitFollowing', 'FencePrimary'],
      ['FencePrimary', 'AwaitCaughtUp'],
      ['AwaitCaughtUp', 'PromoteReplica'],
      ['JudgeGate', 'CutOver'],
      ['ValidateApplication', 'ShiftTraffic'],
      ['AwaitTraffic', 'MakeNextReplica'],
      ['MakeNextReplica', 'AwaitNextReplica'],
    ] as const)
      expect(isBefore(states, first, second), `${first} before ${second}`).toBe(true);
    expect(states).not.toContain('Compensate');
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
    expect(payloadsOf('AwaitNextReplica')).toEqual([expect.objectContaining({ next: { identifier: 'next' } })]);
  });
  it('asks which way production goes', async () => {
    const { calls } = await go();
    expect(calls[0]).toMatchObject({ state: 'AcceptFailover', payload: { direction: 'home' } });
  });
  it('names only steps that there are', () => {
    expect(changing.filter((state) => !tasks.includes(state))).toEqual([]);
  });
  it('deletes nothing: what production left at home is people’s', () => {
    expect(tasks.filter((task) => /Delete|TearDown/.test(task))).toEqual([]);
  });
});

it('taken up again behind its cut-over, brings application and traffic, and keeps and makes nothing twice', async () => {
  const { status, states } = await go({ AssessHome: () => ({ ...plan, approval: 'none', resume: 'cut-over' }) });
  expect(status).toBe('SUCCEEDED');
  const left = ['ScaleStandby', 'FenceDatabase', 'SetCredentials', 'CutOver', 'ShiftTraffic', 'ProtectDatabase'];
  expect(changed(states)).toEqual([...left, 'MakeNextReplica']);
  for (const never of ['RequestApproval', 'AwaitFollowing', 'AwaitCaughtUp']) expect(states).not.toContain(never);
  expect(isBefore(states, 'ValidateApplication', 'ShiftTraffic')).toBe(true);
});

describe('before anything is changed', () => {
  it.each<{ case: string; script: Script; error: string }>([
    {
      case: 'production is not what the record says',
      script: { AssessHome: () => fail('RegionNotHome') },
      error: 'RegionNotHome',
    },
    {
      case: 'and not any more once people have answered',
      script: { Replan: () => fail('RegionNotHome') },
      error: 'RegionNotHome',
    },
  ])('$case: it ends, told and released, and nothing was touched', async ({ script, error }) => {
    const played = await go(script);
    expect(played).toMatchObject({ status: 'FAILED', error });
    expect(changed(played.states)).toEqual([]);
    expect(played.states.slice(-2)).toEqual(['Compensate', 'CloseIncident']);
    expect(played.payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: expect.objectContaining({ Error: error }) }),
    ]);
  });
  it('a refused request is reported, and takes no lease', async () => {
    const { status, error, states } = await go({ AcceptFailover: () => fail('InvalidRequest') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'InvalidRequest' });
    expect(states).toEqual(['AcceptFailover', 'ReportRefusal']);
  });
});

describe('on the way', () => {
  /** Until then production goes on in the DR Region as if nothing were. */
  it.each([
    'FenceFormer',
    'SnapshotFormer',
    'AwaitFormerSnapshot',
    'ExportFormer',
    'MakeHomeReplica',
    'AwaitReplica',
    'AwaitFollowing',
  ])('without %s, production is not even fenced', async (stuck) => {
    const { status, error, states } = await go({ [stuck]: () => fail('Boom') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Boom' });
    for (const never of ['FencePrimary', 'PromoteReplica', 'CutOver', 'ShiftTraffic'])
      expect(states).not.toContain(never);
    expect(isBefore(states, 'Compensate', 'CloseIncident')).toBe(true);
  });
  it.each<{ stuck: string; error: string }>([
    { stuck: 'AwaitFollowing', error: 'ReplicaBehind' },
    { stuck: 'AwaitCaughtUp', error: 'ReplicaBehind' },
    { stuck: 'AwaitPromoted', error: 'DatabaseNotReady' },
    { stuck: 'AwaitStandby', error: 'StandbyNotReady' },
  ])('$stuck is waited for within bounds, undone, and moves nothing', async ({ stuck, error }) => {
    const { status, error: ended, states, events } = await go({ [stuck]: () => fail(error) });
    expect({ status, ended }).toEqual({ status: 'FAILED', ended: error });
    const times = events.map(({ timestamp }) => new Date(timestamp ?? 0).getTime());
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(3 * 3_600_000);
    for (const never of ['CutOver', 'ShiftTraffic', 'ProtectDatabase']) expect(states).not.toContain(never);
    expect(isBefore(states, 'Compensate', 'CloseIncident')).toBe(true);
  });
  it('a gate that is not passed moves nothing', async () => {
    const { status, states } = await go({ JudgeGate: () => fail('ValidationFailed') });
    expect(status).toBe('FAILED');
    for (const never of ['CutOver', 'ShiftTraffic']) expect(states).not.toContain(never);
  });
  it('traffic that does not move ends it as failed, after the cut-over, and keeps what serves', async () => {
    const { status, error, states } = await go({ AwaitTraffic: () => fail('TrafficNotMoved') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'TrafficNotMoved' });
    expect(states).toEqual(expect.arrayContaining(['CutOver', 'ShiftTraffic', 'Compensate', 'CloseIncident']));
  });
});
