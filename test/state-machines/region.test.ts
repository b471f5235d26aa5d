/** region-failover and region-failback: what is done before what, and what is done whatever fails. */
import { describe, expect, it } from 'vitest';
import { definitionOf, fail, failing, numbers, play, type Script, silence, tasksIn } from './machines.ts';

const run = { id: 'run-1', region: 'us-west-2' };
const plan = (style: string, approval = 'ask') => ({ candidate: 'replica', approval, failover: { style } });
const promoted = { identifier: 'replica' };

const drill: Script = {
  AcceptFailover: () => ({ incident: { id: 'drill-1', mode: 'drill' }, run }),
  AssessRegion: () => plan('ungraceful', 'none'),
  AwaitPromoted: () => promoted,
  ShiftTraffic: () => ({ shiftedAt: '2026-11-22T20:15:00.000Z' }),
};
const failover = (style: 'graceful' | 'ungraceful'): Script => ({
  ...drill,
  AcceptFailover: () => ({ incident: { id: 'recovery-1', mode: 'recovery' }, run }),
  AssessRegion: () => plan(style),
  Replan: () => plan(style),
  RequestApproval: () => ({ approved: true, by: 'ada', reason: 'the Region is gone' }),
});
const failback: Script = {
  ...failover('graceful'),
  AssessHome: () => plan('graceful'),
  MakeNextReplica: () => ({ identifier: 'next' }),
};

const isBefore = (states: readonly string[], first: string, second: string) => {
  expect(states).toContain(first);
  expect(states).toContain(second);
  expect(states.lastIndexOf(first)).toBeLessThan(states.indexOf(second));
};

/** Traffic moves after everything that could still say no. */
const orderOfAny = [
  ['AwaitPromoted', 'FenceDatabase'],
  ['SetCredentials', 'CheckParity'],
  ['AwaitStandby', 'CheckParity'],
  ['CheckParity', 'CutOver'],
  ['JudgeGate', 'CutOver'],
  ['CutOver', 'AwaitWorkload'],
  ['ValidateApplication', 'ShiftTraffic'],
  ['ShiftTraffic', 'AwaitTraffic'],
] as const;

describe.each<{ journey: string; machine: string; way: Script; order: readonly (readonly [string, string])[] }>([
  {
    journey: 'a drill',
    machine: 'region-failover',
    way: drill,
    order: [
      ['MakeDrillReplica', 'PromoteReplica'],
      ['AwaitTraffic', 'EndDrill'],
      ['EndDrill', 'TearDown'],
    ],
  },
  {
    journey: 'an ungraceful failover',
    machine: 'region-failover',
    way: failover('ungraceful'),
    order: [
      ['RequestApproval', 'Replan'],
      ['Replan', 'FencePrimary'],
      ['FencePrimary', 'PromoteReplica'],
      ['FenceAgain', 'CutOver'],
      ['AwaitTraffic', 'ProtectDatabase'],
    ],
  },
  {
    journey: 'a switchover',
    machine: 'region-failover',
    way: failover('graceful'),
    order: [
      ['FencePrimary', 'AwaitCaughtUp'],
      ['AwaitCaughtUp', 'PromoteReplica'],
    ],
  },
  {
    journey: 'a failback',
    machine: 'region-failback',
    way: failback,
    order: [
      ['FenceFormer', 'SnapshotFormer'],
      ['ExportFormer', 'FencePrimary'],
      ['AwaitFollowing', 'FencePrimary'],
      ['FencePrimary', 'AwaitCaughtUp'],
      ['AwaitCaughtUp', 'PromoteReplica'],
      ['AwaitProtected', 'MakeNextReplica'],
    ],
  },
])('$journey', ({ machine, way, order }) => {
  it('ends well, closed, with one thing after the other', async () => {
    const { status, states, payloadsOf } = await play(machine, way);
    expect(status).toBe('SUCCEEDED');
    for (const [first, second] of [...orderOfAny, ...order]) isBefore(states, first, second);
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });

  it('moves no traffic, and cuts nothing over, where a check before it fails; and closes whatever fails', async () => {
    const steps = (await play(machine, way)).states;
    const before = (state: string) => [...new Set(steps.slice(steps.indexOf('OpenIncident'), steps.indexOf(state)))];
    for (const state of before('CutOver').filter(
      (each) => !['CheckGate'].includes(each) && !each.startsWith('LookAt'),
    )) {
      const { status, states } = await play(machine, { ...way, ...failing(state) });
      expect({ state, status, moved: states.includes('CutOver') }).toEqual({ state, status: 'FAILED', moved: false });
      expect(states.at(-1)).toBe('CloseIncident');
    }
    const { states } = await play(machine, { ...way, ...failing('ValidateApplication') });
    expect(states).not.toContain('ShiftTraffic');
    expect(states.at(-1)).toBe('CloseIncident');
  });
});

describe('what a drill leaves alone', () => {
  it('is production: it is neither fenced nor protected, and nobody is asked', async () => {
    const { states } = await play('region-failover', drill);
    const own = ['FencePrimary', 'FenceAgain', 'RequestApproval', 'ProtectDatabase', 'AwaitCaughtUp', 'Compensate'];
    expect(states.filter((state) => own.includes(state))).toEqual([]);
  });
  it('is torn down whatever fails, also where its end fails', async () => {
    for (const state of ['MakeDrillReplica', 'AwaitPromoted', 'CutOver', 'ShiftTraffic', 'EndDrill']) {
      const { states } = await play('region-failover', { ...drill, ...failing(state) });
      expect(states).toEqual(expect.arrayContaining(['EndDrill', 'TearDown', 'AwaitTornDown', 'CloseIncident']));
    }
  });
});

/** Of both machines, each of which has some. */
const changing = [
  ...['FenceFormer', 'SnapshotFormer', 'ExportFormer', 'MakeHomeReplica', 'FencePrimary', 'FenceAgain', 'EndTenure'],
  ...['RestoreDatabase', 'PromoteReplica', 'ScaleStandby', 'FenceDatabase', 'SetCredentials', 'CutOver'],
  ...['ShiftTraffic', 'ProtectDatabase', 'MakeNextReplica', 'FollowByTerraform'],
];
const declines: Script = { RequestApproval: () => ({ approved: false, by: 'bob', reason: 'it comes back' }) };
const isSilent: Script = { RequestApproval: () => silence };

describe.each<{ machine: string; way: Script }>([
  { machine: 'region-failover', way: failover('ungraceful') },
  { machine: 'region-failback', way: failback },
])('$machine of production asks, and', ({ machine, way }) => {
  it.each([
    { case: 'a person declines', answer: declines, error: 'ApprovalDeclined' },
    { case: 'nobody answers', answer: isSilent, error: 'ApprovalTimedOut' },
  ])('where $case it ends, told and released, and nothing was touched', async ({ answer, error }) => {
    const played = await play(machine, { ...way, ...answer });
    expect(played).toMatchObject({ status: 'FAILED', error });
    expect(played.states.filter((state) => changing.includes(state))).toEqual([]);
    expect(played.states.slice(-2)).toEqual(['Compensate', 'CloseIncident']);
    expect(played.payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: expect.objectContaining({ Error: error }) }),
    ]);
  });
  it('waits for an answer as long as the configuration says, and no longer', async () => {
    const { events } = await play(machine, { ...way, ...isSilent });
    const times = events.map(({ timestamp }) => new Date(timestamp ?? 0).getTime());
    const waited = Math.max(...times) - Math.min(...times);
    expect(waited).toBeGreaterThanOrEqual(Number(numbers.ApprovalTimeoutSeconds) * 1000);
    expect(waited).toBeLessThan(Number(numbers.ApprovalTimeoutSeconds) * 1000 + 600_000);
  });
});
it('names only changing steps that there are', () => {
  const tasks = ['region-failover', 'region-failback'].flatMap((machine) => tasksIn(definitionOf(machine)));
  expect(changing.filter((state) => !tasks.some(({ name }) => name === state))).toEqual([]);
});

describe('a failover of production', () => {
  it('that met a primary which returned, and cannot be fenced, ends before another database takes writes', async () => {
    const way = { ...failover('ungraceful'), ...failing('FenceAgain', 'FenceFailed') };
    const { status, states } = await play('region-failover', way);
    expect(status).toBe('FAILED');
    expect(states).not.toContain('CutOver');
    isBefore(states, 'Compensate', 'CloseIncident');
  });
  it.each(['FencePrimary', 'PromoteReplica', 'AwaitPromoted', 'JudgeGate', 'CutOver'])(
    'that fails in %s undoes what it registered',
    async (state) => {
      const { states } = await play('region-failover', { ...failover('graceful'), ...failing(state) });
      isBefore(states, 'Compensate', 'CloseIncident');
    },
  );
  it('is judged in silence of every source of the standby, which makes them unknown', async () => {
    const silent = Object.fromEntries(
      ['LookAtDatabases', 'LookAtReplica', 'LookAtCluster'].map((state) => [state, () => fail('Boom')]),
    );
    const { payloadsOf } = await play('region-failover', { ...failover('ungraceful'), ...silent });
    expect(payloadsOf('AssessRegion')[0]?.looked).toMatchObject(Array(3).fill({ failure: { Error: 'Boom' } }));
  });
});

it('every task of both machines is called on one of these ways', async () => {
  const refused = failing('AcceptFailover', 'InvalidRequest');
  const broken = failing('CutOver');
  const planned = () => ({
    ...plan('ungraceful'),
    restore: { kind: 'time' },
    failover: { style: 'ungraceful', tenure: {} },
  });
  const restored: Script = {
    ...failover('ungraceful'),
    Replan: planned,
    FencePrimary: () => ({ outcome: 'unreached' }),
    AwaitUsable: () => promoted,
  };
  for (const [machine, ways] of [
    [
      'region-failover',
      [drill, failover('graceful'), failover('ungraceful'), restored, { ...failover('graceful'), ...broken }, refused],
    ],
    ['region-failback', [failback, { ...failback, ...broken }, refused]],
  ] as const) {
    const called = new Set((await Promise.all(ways.map((way) => play(machine, way)))).flatMap(({ states }) => states));
    // AcceptRequest has no incident yet, and calls AcceptFailover.
    const tasks = tasksIn(definitionOf(machine)).map(({ name }) => name.replace('AcceptRequest', 'AcceptFailover'));
    expect(tasks.filter((name) => !called.has(name))).toEqual([]);
  }
});
