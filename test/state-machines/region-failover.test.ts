/** What a failover of the Region does where it is denied, declined, overtaken or stuck: on the real definition, with scripted steps. */
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../local/states/json.ts';
import { definitionOf, fail, numbers, play, type Script, silence, tasksIn } from './machines.ts';

const machine = 'region-failover';
const tasks = tasksIn(definitionOf(machine)).map(({ name }) => name);

const planOf = (style: 'graceful' | 'ungraceful', approval: 'ask' | 'none' = 'ask'): JsonObject => ({
  candidate: 'replica',
  approval,
  failover: { style },
});
const passes: Json = { verdict: 'passed', again: [] };

/** A recovery that asks, is approved, and in which all is well. */
const recovering = (style: 'graceful' | 'ungraceful' = 'ungraceful'): Script => ({
  AcceptFailover: () => ({ incident: { id: 'recovery-1', mode: 'recovery', style }, run: { id: 'run-1' } }),
  AcceptRequest: () => ({ incident: { id: 'recovery-1', mode: 'recovery', style }, run: { id: 'run-1' } }),
  AssessRegion: () => planOf(style),
  RequestApproval: () => ({ approved: true, by: 'alice', reason: 'us-east-1 is gone' }),
  Replan: () => planOf(style),
  AwaitPromoted: () => ({ identifier: 'replica' }),
  RunCheck: () => ({ verdict: 'passed' }),
  JudgeGate: () => passes,
  ShiftTraffic: () => ({ shiftedAt: '2026-11-28T12:00:00.000Z' }),
});
const go = (script: Script, style?: 'graceful' | 'ungraceful') => play(machine, { ...recovering(style), ...script });

/** Steps that change production, its traffic or the standby. */
const changing = [
  ...['FencePrimary', 'FenceAgain', 'PromoteReplica', 'ScaleStandby', 'FenceDatabase', 'SetCredentials'],
  ...['CutOver', 'ShiftTraffic', 'ProtectDatabase'],
];
const changed = (states: readonly string[]) => states.filter((state) => changing.includes(state));
const isBefore = (states: readonly string[], first: string, second: string) =>
  states.includes(first) && states.indexOf(first) < states.indexOf(second);

describe('a failover in which all is well', () => {
  it('asks, judges again, fences, promotes, cuts over, and moves traffic last', async () => {
    const { status, states, payloadsOf } = await go({});
    expect(status).toBe('SUCCEEDED');
    const order = ['RequestApproval', 'Replan', 'FencePrimary', 'PromoteReplica', 'FenceAgain', 'CutOver'];
    const after = ['ValidateApplication', 'ShiftTraffic', 'AwaitTraffic', 'ProtectDatabase', 'CloseIncident'];
    const wanted = [...order, ...after];
    expect(states.filter((state) => wanted.includes(state))).toEqual(wanted);
    expect(states).not.toContain('AwaitCaughtUp');
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });
  it('waits, as a switchover, until the replica has caught up, and only then promotes it', async () => {
    const { states } = await go({}, 'graceful');
    expect(isBefore(states, 'FencePrimary', 'AwaitCaughtUp')).toBe(true);
    expect(isBefore(states, 'AwaitCaughtUp', 'PromoteReplica')).toBe(true);
  });
  it('names only steps that there are', () => {
    expect(changing.filter((state) => !tasks.includes(state))).toEqual([]);
  });
});

describe('before anything is changed', () => {
  it.each<{ case: string; script: Script; error: string }>([
    {
      case: 'a primary that is slow but alive denies it',
      script: { AssessRegion: () => fail('FailoverDenied', 'primary-lost: the primary is undecided') },
      error: 'FailoverDenied',
    },
    {
      case: 'a standby that is too far behind denies it',
      script: { AssessRegion: () => fail('FailoverDenied', 'replica-close: the replica is 5 min behind') },
      error: 'FailoverDenied',
    },
    {
      case: 'a person declines',
      script: { RequestApproval: () => ({ approved: false, by: 'bob', reason: 'it comes back' }) },
      error: 'ApprovalDeclined',
    },
    { case: 'nobody answers', script: { RequestApproval: () => silence }, error: 'ApprovalTimedOut' },
    {
      case: 'the primary has come back while people were asked',
      script: { Replan: () => fail('FailoverDenied', 'primary-lost: the primary is alive') },
      error: 'FailoverDenied',
    },
  ])('case: it ends, told and released, and nothing was touched', async ({ script, error }) => {
    const played = await go(script);
    expect(played).toMatchObject({ status: 'FAILED', error });
    expect(changed(played.states)).toEqual([]);
    expect(played.states.slice(-2)).toEqual(['Compensate', 'CloseIncident']);
    expect(played.payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: expect.objectContaining({ Error: error }) }),
    ]);
  });
  it('waits for an answer as long as the configuration says, and no longer', async () => {
    const { time } = await timed({ RequestApproval: () => silence });
    expect(time).toBeGreaterThanOrEqual(Number(numbers.ApprovalTimeoutSeconds) * 1000);
    expect(time).toBeLessThan(Number(numbers.ApprovalTimeoutSeconds) * 1000 + 600_000);
  });
});

/** Milliseconds from the first event to the last. */
async function timed(script: Script, style?: 'graceful' | 'ungraceful') {
  const played = await go(script, style);
  const times = played.events.map(({ timestamp }) => new Date(timestamp ?? 0).getTime());
  return { ...played, time: Math.max(...times) - Math.min(...times) };
}

describe('on the way', () => {
  it.each<{ case: string; style: 'graceful' | 'ungraceful'; stuck: string; error: string; before: readonly string[] }>([
    {
      case: 'a promotion that stalls',
      style: 'ungraceful',
      stuck: 'AwaitPromoted',
      error: 'DatabaseNotReady',
      before: ['FencePrimary', 'PromoteReplica'],
    },
    {
      case: 'a standby that stays behind the fenced primary',
      style: 'graceful',
      stuck: 'AwaitCaughtUp',
      error: 'ReplicaBehind',
      before: ['FencePrimary'],
    },
    {
      case: 'a cluster that does not come to size',
      style: 'ungraceful',
      stuck: 'AwaitStandby',
      error: 'StandbyNotReady',
      before: ['FencePrimary', 'PromoteReplica'],
    },
  ])('$case is waited for within bounds, undone, and moves nothing', async ({ style, stuck, error, before }) => {
    const { status, error: ended, states, time } = await timed({ [stuck]: () => fail(error) }, style);
    expect({ status, ended }).toEqual({ status: 'FAILED', ended: error });
    expect(time).toBeLessThanOrEqual(60 * 60_000);
    expect(states).toEqual(expect.arrayContaining([...before, 'Compensate', 'CloseIncident']));
    for (const never of ['CutOver', 'ShiftTraffic', 'ProtectDatabase']) expect(states).not.toContain(never);
    expect(isBefore(states, 'Compensate', 'CloseIncident')).toBe(true);
  });
  it('a promotion that is only slow ends well', async () => {
    const slow: Script = {
      AwaitPromoted: (_, call) => (call < 100 ? fail('DatabaseNotReady') : { identifier: 'replica' }),
    };
    expect(await go(slow)).toMatchObject({ status: 'SUCCEEDED' });
  });
  it('a primary that comes back after the promotion is fenced before another database takes writes', async () => {
    const { states } = await go({});
    expect(isBefore(states, 'FenceAgain', 'CutOver')).toBe(true);
    const refusing = await go({ FenceAgain: () => fail('FenceNotProven') });
    expect(refusing).toMatchObject({ status: 'FAILED', error: 'FenceNotProven' });
    for (const never of ['CutOver', 'ShiftTraffic']) expect(refusing.states).not.toContain(never);
  });
  it('traffic that does not move ends it as failed, after the cut-over, and keeps what serves', async () => {
    const { status, error, states } = await go({ AwaitTraffic: () => fail('TrafficNotMoved') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'TrafficNotMoved' });
    expect(states).toEqual(expect.arrayContaining(['CutOver', 'ShiftTraffic', 'Compensate', 'CloseIncident']));
  });
});
