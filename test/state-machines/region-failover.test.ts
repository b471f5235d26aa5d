/** What a failover of the Region does where it is denied, declined, overtaken or stuck: on the real definition, with scripted steps. */
import { describe, expect, it } from 'vitest';
import { comesUpWithin } from '../../core/region/fence-primary.ts';
import type { Json, JsonObject } from '../../local/states/json.ts';
import { definitionOf, fail, play, retriersOf, type Script, tasksIn } from './machines.ts';

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
  ...['CutOver', 'ShiftTraffic', 'ProtectDatabase', 'EndTenure', 'RestoreDatabase', 'FollowByTerraform'],
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
      case: 'the primary has come back while people were asked',
      script: { Replan: () => fail('FailoverDenied', 'primary-lost: the primary is alive') },
      error: 'FailoverDenied',
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
  it('undoing waits five minutes for a promotion that may still begin, and then takes it as one that does not', async () => {
    const stuck: Script = {
      AwaitStandby: () => fail('StandbyNotReady'),
      Compensate: ({ promotionAwaited }) => (promotionAwaited ? { undone: [] } : fail('PromotionUndecided')),
    };
    const { status, error, payloadsOf } = await go(stuck);
    // What had failed is what people are told.
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'StandbyNotReady' });
    const awaited = payloadsOf('Compensate').map(({ promotionAwaited }) => promotionAwaited);
    expect(awaited).toEqual([...Array(31).fill(false), true]);
    const [wait] = tasksIn(definitionOf(machine))
      .filter(({ name }) => name === 'Compensate')
      .flatMap(retriersOf);
    expect(wait).toMatchObject({ ErrorEquals: ['PromotionUndecided'], IntervalSeconds: 10, BackoffRate: 1 });
  });
  it('a primary that comes back after the promotion is fenced before another database takes writes', async () => {
    const { states } = await go({});
    expect(isBefore(states, 'FenceAgain', 'CutOver')).toBe(true);
    const refusing = await go({ FenceAgain: () => fail('FenceNotProven') });
    expect(refusing).toMatchObject({ status: 'FAILED', error: 'FenceNotProven' });
    for (const never of ['CutOver', 'ShiftTraffic']) expect(refusing.states).not.toContain(never);
  });
  it.each([
    { outcome: 'fenced', isTold: true },
    { outcome: 'unreached', isTold: false },
  ])(
    'people hear of the fence once: not again of a primary that was $outcome before ($isTold)',
    async ({ outcome, isTold }) => {
      const { payloadsOf } = await go({ FencePrimary: () => ({ outcome }) });
      expect(payloadsOf('FenceAgain')).toMatchObject([{ isTold }]);
    },
  );
  it.each(['FencePrimary', 'FenceAgain'])('%s is told how often it was tried, up to the last time', async (stuck) => {
    const { states, payloadsOf } = await go({ [stuck]: () => fail('DatabaseNotReady') });
    const tries = payloadsOf(stuck).map(({ before }) => before);
    expect(tries).toEqual(Array.from({ length: comesUpWithin + 1 }, (_, index) => index));
    expect(states).not.toContain('CutOver');
    const coming: Script = { [stuck]: ({ before }) => (before === comesUpWithin ? {} : fail('DatabaseNotReady')) };
    expect(await go(coming)).toMatchObject({ status: 'SUCCEEDED' });
  });
  it('traffic that does not move ends it as failed, after the cut-over, and keeps what serves', async () => {
    const { status, error, states } = await go({ AwaitTraffic: () => fail('TrafficNotMoved') });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'TrafficNotMoved' });
    expect(states).toEqual(expect.arrayContaining(['CutOver', 'ShiftTraffic', 'Compensate', 'CloseIncident']));
  });
});

/** What is production already. */
const resumed = (plan: JsonObject): Script => ({
  AssessRegion: () => ({ ...plan, approval: 'none', resume: 'cut-over' }),
  AwaitUsable: () => ({ identifier: 'restored' }),
});

describe('taken up again behind its cut-over', () => {
  const left = ['ScaleStandby', 'FenceDatabase', 'SetCredentials', 'CutOver', 'ShiftTraffic', 'ProtectDatabase'];
  it.each(['graceful', 'ungraceful'] as const)('a failover, %s, brings application and traffic', async (style) => {
    const { status, states } = await go(resumed(planOf(style)), style);
    expect(status).toBe('SUCCEEDED');
    expect(changed(states)).toEqual([...left, 'FollowByTerraform']);
    expect(states).not.toContain('AwaitCaughtUp');
    expect(isBefore(states, 'JudgeGate', 'CutOver')).toBe(true);
    expect(isBefore(states, 'ValidateApplication', 'ShiftTraffic')).toBe(true);
  });
  it('what was restored is found, and its primary fences itself for nobody', async () => {
    const plan = { ...planOf('ungraceful'), restore: { kind: 'time', at: 'latest' } };
    const { status, states } = await go(resumed({ ...plan, failover: { style: 'ungraceful', tenure: {} } }));
    expect(status).toBe('SUCCEEDED');
    for (const never of ['FencePrimary', 'EndTenure', 'FenceAgain', 'RequestApproval'])
      expect(states).not.toContain(never);
  });
});

describe('with strict fencing', () => {
  const strict: JsonObject = { ...planOf('ungraceful'), failover: { style: 'ungraceful', tenure: {} } };
  const way = (outcome: string): Script => ({
    AssessRegion: () => strict,
    Replan: () => strict,
    FencePrimary: () => ({ outcome }),
  });
  it('promotes nothing before a primary that is not reached has fenced itself', async () => {
    const { status, states } = await go(way('unreached'));
    expect(status).toBe('SUCCEEDED');
    expect(isBefore(states, 'FencePrimary', 'EndTenure')).toBe(true);
    expect(isBefore(states, 'EndTenure', 'PromoteReplica')).toBe(true);
    expect(isBefore(states, 'EndTenure', 'ScaleStandby')).toBe(true);
  });
  it('waits as long as the longest tenure and fence together that the configuration allows, and then goes on', async () => {
    const begun = Date.now();
    let waits = 0;
    const slow: Script = { EndTenure: () => (++waits <= 180 ? fail('TenureNotOver') : { over: 'now' }) };
    const { status, states, time } = await timed({ ...way('unreached'), ...slow });
    expect({ status, waits }).toEqual({ status: 'SUCCEEDED', waits: 181 });
    expect(time).toBeGreaterThanOrEqual(1_800_000);
    expect(isBefore(states, 'EndTenure', 'PromoteReplica')).toBe(true);
    expect(Date.now() - begun).toBeLessThan(60_000);
  });
  it('waits for nobody where the primary was fenced and proven, or where fencing is not strict', async () => {
    for (const outcome of ['fenced', 'gone']) expect((await go(way(outcome))).states).not.toContain('EndTenure');
    expect((await go({ FencePrimary: () => ({ outcome: 'unreached' }) })).states).not.toContain('EndTenure');
  });
  it.each(['LeaseLost', 'FailoverDenied', 'TenureNotOver'])(
    'that ends in %s promotes nothing, and is undone',
    async (error) => {
      const { status, states } = await go({ ...way('unreached'), EndTenure: () => fail(error) });
      expect(status).toBe('FAILED');
      for (const never of ['PromoteReplica', 'CutOver', 'ShiftTraffic']) expect(states).not.toContain(never);
      expect(isBefore(states, 'Compensate', 'CloseIncident')).toBe(true);
    },
  );
});

describe('without a replica', () => {
  const restoring: JsonObject = {
    ...planOf('ungraceful'),
    restore: { kind: 'time', at: 'latest', backups: 'arn:auto-backup' },
  };
  const way: Script = {
    AssessRegion: () => restoring,
    Replan: () => restoring,
    AwaitUsable: () => ({ identifier: 'restored' }),
  };
  const steps = ['RestoreDatabase', 'AwaitAvailable', 'ConfigureDatabase', 'AwaitUsable', 'FenceDatabase'];
  it('restores instead of promoting, and fences, compares and validates what it restored', async () => {
    const { status, states, payloadsOf } = await go(way);
    expect(status).toBe('SUCCEEDED');
    const wanted = ['FencePrimary', ...steps, 'SetCredentials', 'CutOver', 'ShiftTraffic'];
    expect(states.filter((state) => wanted.includes(state))).toEqual(wanted);
    for (const never of ['PromoteReplica', 'AwaitPromoted', 'AwaitCaughtUp']) expect(states).not.toContain(never);
    for (const step of ['FenceDatabase', 'CheckParity', 'CutOver'])
      expect(payloadsOf(step)[0]?.candidate).toEqual({ identifier: 'restored' });
  });
  it('a drill restores a copy as well, and tears it down', async () => {
    const drill = () => ({ incident: { id: 'drill-1', mode: 'drill' }, run: { id: 'run-1' } });
    const { status, states } = await go({
      ...way,
      AcceptFailover: drill,
      AssessRegion: () => ({ ...restoring, approval: 'none' }),
    });
    expect(status).toBe('SUCCEEDED');
    expect(states).toEqual(expect.arrayContaining([...steps, 'TearDown']));
    for (const never of ['MakeDrillReplica', 'FencePrimary', 'FollowByTerraform']) expect(states).not.toContain(never);
  });
  it.each(steps)('moves nothing where %s fails', async (step) => {
    const { status, states } = await go({ ...way, [step]: () => fail('Boom') });
    expect(status).toBe('FAILED');
    for (const never of ['CutOver', 'ShiftTraffic']) expect(states).not.toContain(never);
    expect(isBefore(states, 'Compensate', 'CloseIncident')).toBe(true);
  });
});

describe('Terraform', () => {
  it('follows after traffic has moved, with the state of this Region, and makes no cluster', async () => {
    const { states, payloadsOf } = await go({});
    expect(isBefore(states, 'AwaitTraffic', 'FollowByTerraform')).toBe(true);
    expect(isBefore(states, 'AwaitProtected', 'FollowByTerraform')).toBe(true);
    expect(payloadsOf('FollowByTerraform')).toEqual([expect.objectContaining({ action: 'follow' })]);
  });
  it.each([
    { case: 'refuses its plan', job: () => fail('PlanRefused') },
    { case: 'dies', job: () => fail('States.TaskFailed') },
  ])('that $case fails no failover', async ({ job }) => {
    const { status, payloadsOf } = await go({ FollowByTerraform: job });
    expect(status).toBe('SUCCEEDED');
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });
});
