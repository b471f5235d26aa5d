import { describe, expect, it } from 'vitest';
import { environments } from '../../config/index.ts';
import type { Retrier } from '../../local/states/definition.ts';
import { testClock } from '../local/states/test-clock.ts';
import {
  catchersOf,
  definitionOf,
  fail,
  healthy,
  isTask,
  numbers,
  type Placed,
  placesIn,
  play,
  recovery,
  repairing,
  retriersOf,
  routeOf,
  type Script,
  silence,
  tasksIn,
} from './machines.ts';

const machine = 'database-recovery';
const definition = definitionOf(machine);
const tasks = tasksIn(definition);
const isWithin = (name: string) => (place: Placed) => place.around.some((outer) => outer.name === name);
const inRecover = isWithin('Recover');
const inMap = ({ around }: Placed) => around.some(({ state }) => state.Type === 'Map');
const afterwards = ['TearDown', 'AwaitTornDown', 'CloseIncident'];
const afterFailure = ['Compensate', 'CloseIncident'];
const failing = (state: string, error: string): Script => ({ [state]: () => fail(error) });
/** A cause as Lambda gives it. */
const boom = { Error: 'Boom', Cause: 'why Boom' };

/** Ways through the machine; each task is called on one of them at least. */
const journeys: readonly { journey: string; way: Script; clean: readonly string[] }[] = [
  { journey: 'a drill', way: {}, clean: afterwards },
  { journey: 'a recovery', way: recovery, clean: afterFailure },
  { journey: 'a recovery that fails', way: { ...recovery, ...failing('CutOver', 'LeaseLost') }, clean: afterFailure },
  { journey: 'a repair of tables', way: repairing, clean: afterwards },
  { journey: 'a refusal', way: failing('AcceptRequest', 'InvalidRequest'), clean: [] },
];
/** Every task on every journey that calls it; failures and refusals only for what nothing else calls. */
const called = (
  await Promise.all(
    journeys.map(async ({ journey, way, clean }) => {
      const { states } = await play(machine, way);
      return tasks.filter(({ name }) => states.includes(name)).map((task) => ({ journey, way, clean, task }));
    }),
  )
)
  .flat()
  .map(({ task, ...each }) => ({ ...each, task, name: task.name }))
  .filter(
    ({ journey, name }) =>
      journey === 'a drill' ||
      journey === 'a recovery' ||
      ['Compensate', 'ReportRefusal', 'RepairTables', 'LoadDump'].includes(name),
  );
const wayTo = (state: string): Script => called.find(({ name }) => name === state)?.way ?? {};

/** Tasks of the branches beside a task's own: they may have been called when it fails. */
const besides = ({ name, around }: Placed) =>
  around.flatMap(({ state }) =>
    state.Type === 'Parallel'
      ? state.Branches.map((branch) => tasksIn(branch).map((task) => task.name))
          .filter((names) => !names.includes(name))
          .flat()
      : [],
  );

describe('a drill in which all is well', () => {
  it('takes every state of the try, then tears down and closes', async () => {
    const { status, states, result, payloadsOf } = await play(machine);
    expect(status).toBe('SUCCEEDED');
    const serial = states.filter((state) => !['CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'].includes(state));
    expect(serial).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RestoreDatabase', 'AwaitAvailable'],
      ...['ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...[
        'CutOver',
        'AwaitWorkload',
        'ValidateApplication',
        'ValidatePerformance',
        'PlanDeep',
        'CheckDeep',
        'JudgeDeep',
      ],
      ...afterwards,
    ]);
    expect(states.filter((state) => state === 'CheckGate')).toHaveLength(3);
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
    expect(result).toEqual({ status: 'closed' });
  });
  it('calls nothing that is for production or for refusals', async () => {
    const { states } = await play(machine);
    expect(tasks.map(({ name }) => name).filter((name) => !states.includes(name))).toEqual([
      ...['ReportRefusal', 'RequestApproval', 'Replan', 'FenceSource', 'SnapshotSource', 'AwaitSnapshot', 'LoadDump'],
      ...['RepairTables', 'ProtectDatabase', 'AwaitProtected', 'Compensate', 'StartFollowUp'],
    ]);
  });
  it('fences before it sets credentials, and cuts over only after parity and the gate', async () => {
    const { states } = await play(machine);
    const order = ['FenceDatabase', 'SetCredentials', 'CheckParity', 'CutOver'].map((state) => states.indexOf(state));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(states.indexOf('JudgeGate')).toBeLessThan(states.indexOf('CutOver'));
  });
  it('hands plan and candidate on to those who need them', async () => {
    const { payloadsOf } = await play(machine);
    expect(payloadsOf('CutOver')).toEqual([
      expect.objectContaining({ plan: { candidate: 'dr-drill-db-1' }, candidate: { identifier: 'dr-drill-db-1' } }),
    ]);
  });
});

describe('a recovery of production', () => {
  const secure = ['SnapshotSource', 'AwaitSnapshot'];
  const gate = ['CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'];
  const unasked: Script = { ...recovery, AssessDatabase: () => ({ candidate: 'db-2', approval: 'none' }) };

  it('asks, plans again, fences production, secures it, cuts over, protects, and starts the drill that looks in depth', async () => {
    const { status, states, payloadsOf } = await play(machine, recovery);
    expect(status).toBe('SUCCEEDED');
    expect(states.filter((state) => ![...secure, ...gate].includes(state))).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval', 'Replan', 'FenceSource'],
      ...['RestoreDatabase', 'AwaitAvailable', 'ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...['CutOver', 'AwaitWorkload', 'ValidateApplication', 'ValidatePerformance', 'ProtectDatabase'],
      ...['AwaitProtected', 'CloseIncident', 'StartFollowUp'],
    ]);
    expect(states.filter((state) => secure.includes(state))).toEqual(secure);
    expect(states.indexOf('AwaitSnapshot')).toBeLessThan(states.indexOf('CutOver'));
    expect(states.indexOf('JudgeGate')).toBeLessThan(states.indexOf('CutOver'));
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: null })]);
  });
  it('calls every task but those of drills, refusals and failures', async () => {
    const { states } = await play(machine, recovery);
    expect(tasks.map(({ name }) => name).filter((name) => !states.includes(name))).toEqual([
      ...['ReportRefusal', 'LoadDump', 'RepairTables', 'PlanDeep', 'CheckDeep', 'JudgeDeep', 'Compensate'],
      ...['TearDown', 'AwaitTornDown'],
    ]);
  });
  it('asks nobody where the plan says so, and keeps its first plan', async () => {
    const { status, states, payloadsOf } = await play(machine, unasked);
    expect(status).toBe('SUCCEEDED');
    expect(states).not.toContain('RequestApproval');
    expect(states).not.toContain('Replan');
    expect(payloadsOf('FenceSource')).toEqual([
      expect.objectContaining({ plan: { candidate: 'db-2', approval: 'none' } }),
    ]);
  });
  it('plans again with the decision, and hands that plan on', async () => {
    const { payloadsOf } = await play(machine, recovery);
    expect(payloadsOf('Replan')).toEqual([
      expect.objectContaining({ decision: { approved: true, by: 'alice', reason: 'the table is gone' } }),
    ]);
    for (const state of ['FenceSource', 'SnapshotSource', 'RestoreDatabase', 'CutOver', 'ProtectDatabase'])
      expect(payloadsOf(state)).toEqual([expect.objectContaining({ plan: { candidate: 'db-2', approval: 'ask' } })]);
    expect(payloadsOf('CutOver')).toEqual([expect.objectContaining({ candidate: { identifier: 'db-2' } })]);
  });
  it('gives the task token to the question alone', async () => {
    const { calls } = await play(machine, recovery);
    expect(calls.filter(({ payload }) => 'taskToken' in payload).map(({ state }) => state)).toEqual([
      'RequestApproval',
    ]);
  });

  const before = ['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval'];
  it('that is declined changes nothing, closes and fails with who declined and why', async () => {
    const { status, error, cause, states, payloadsOf } = await play(machine, {
      ...recovery,
      RequestApproval: () => ({ approved: false, by: 'bob', reason: 'a false alarm' }),
    });
    expect({ status, error, cause }).toEqual({
      status: 'FAILED',
      error: 'ApprovalDeclined',
      cause: 'bob declined: a false alarm',
    });
    expect(states).toEqual([...before, ...afterFailure]);
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'ApprovalDeclined', Cause: 'bob declined: a false alarm' } }),
    ]);
  });
  it('that nobody answers is declined after the configured time', async () => {
    const { status, error, states, waits } = await play(machine, { ...recovery, RequestApproval: () => silence });
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'ApprovalTimedOut' });
    expect(states).toEqual([...before, ...afterFailure]);
    expect(waits.map(({ seconds }) => seconds)).toContain(3600);
  });
  it.each(['FenceSource', 'SnapshotSource', 'AwaitSnapshot', 'RestoreDatabase', 'JudgeGate'])(
    'that fails in %s before the cut-over is compensated, not torn down, and starts no drill',
    async (name) => {
      const { error, states, payloadsOf } = await play(machine, { ...recovery, ...failing(name, 'Boom') });
      expect(error).toBe('Boom');
      expect(states.slice(-2)).toEqual(afterFailure);
      for (const state of ['CutOver', 'TearDown', 'AwaitTornDown', 'StartFollowUp'])
        expect(states).not.toContain(state);
      expect(payloadsOf('Compensate')).toEqual([expect.objectContaining({ failure: boom })]);
    },
  );
  it.each(['AwaitWorkload', 'ValidateApplication', 'ProtectDatabase', 'AwaitProtected'])(
    'that fails in %s after the cut-over keeps the new production: nothing is torn down',
    async (name) => {
      const { states } = await play(machine, { ...recovery, ...failing(name, 'Boom') });
      expect(states.slice(-2)).toEqual(afterFailure);
      expect(states).not.toContain('TearDown');
    },
  );
  it('whose compensation fails too reports the first failure', async () => {
    const { error, payloadsOf } = await play(machine, {
      ...recovery,
      ...failing('CutOver', 'LeaseLost'),
      ...failing('Compensate', 'CompensationFailed'),
    });
    expect(error).toBe('LeaseLost');
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'LeaseLost', Cause: 'why LeaseLost' } }),
    ]);
  });
  it('has succeeded even where the drill of its result cannot be started', async () => {
    const { status, result } = await play(machine, { ...recovery, ...failing('StartFollowUp', 'Boom') });
    expect({ status, result }).toEqual({ status: 'SUCCEEDED', result: expect.anything() });
  });
});

describe('a repair of named tables', () => {
  it('asks, keeps production in service, repairs it from the copy, validates it, and tears the copy down', async () => {
    const { status, states, payloadsOf } = await play(machine, repairing);
    expect(status).toBe('SUCCEEDED');
    const beside = ['SnapshotSource', 'AwaitSnapshot', 'CheckParity', 'PlanGate', 'CheckGate', 'JudgeGate'];
    expect(states.filter((state) => !beside.includes(state))).toEqual([
      ...['AcceptRequest', 'TakeLease', 'OpenIncident', 'AssessDatabase', 'RequestApproval', 'Replan'],
      ...['RestoreDatabase', 'AwaitAvailable', 'ConfigureDatabase', 'AwaitUsable', 'FenceDatabase', 'SetCredentials'],
      ...['RepairTables', 'ValidateApplication', 'ValidatePerformance', ...afterwards, 'StartFollowUp'],
    ]);
    for (const state of beside) expect(states.indexOf(state)).toBeLessThan(states.indexOf('RepairTables'));
    expect(payloadsOf('RepairTables')).toEqual([
      expect.objectContaining({ candidate: { identifier: 'dr-drill-db-1' }, step: 'RepairTables' }),
    ]);
    for (const state of ['ValidateApplication', 'ValidatePerformance'])
      expect(payloadsOf(state)).toEqual([expect.objectContaining({ candidate: { identifier: 'db-0' } })]);
  });
  it.each(['SnapshotSource', 'RestoreDatabase', 'JudgeGate', 'RepairTables', 'ValidateApplication'])(
    'that fails in %s tears the copy down, closes and fails with that error',
    async (name) => {
      const { error, cause, states } = await play(machine, { ...repairing, ...failing(name, 'Boom') });
      expect({ error, cause }).toEqual({ error: 'Boom', cause: 'why Boom' });
      expect(states.slice(-3)).toEqual(afterwards);
      expect(states).not.toContain('Compensate');
    },
  );
  it('that is declined has nothing to tear down but looks, and closes', async () => {
    const { error, states } = await play(machine, {
      ...repairing,
      RequestApproval: () => ({ approved: false, by: 'bob', reason: 'a false alarm' }),
    });
    expect(error).toBe('ApprovalDeclined');
    expect(states.slice(-3)).toEqual(afterwards);
  });
});

const delays = ({
  IntervalSeconds = 1,
  BackoffRate = 2,
  MaxDelaySeconds = Number.POSITIVE_INFINITY,
  MaxAttempts = 3,
}: Retrier) =>
  Array.from({ length: MaxAttempts }, (_, made) => Math.min(IntervalSeconds * BackoffRate ** made, MaxDelaySeconds));

/** What each step may have to wait for (core/<area>: where the error is raised), and for how long at least. */
const waits = [
  { state: 'TakeLease', error: 'LeaseContended', seconds: 5 },
  { state: 'AwaitAvailable', error: 'DatabaseNotReady', seconds: 7200 },
  { state: 'ConfigureDatabase', error: 'DatabaseNotReady', seconds: 600 },
  { state: 'AwaitUsable', error: 'DatabaseNotReady', seconds: 1800 },
  { state: 'FenceDatabase', error: 'DatabaseNotReady', seconds: 60 },
  { state: 'SetCredentials', error: 'DatabaseNotReady', seconds: 60 },
  { state: 'CheckParity', error: 'DatabaseNotReady', seconds: 60 },
  { state: 'CheckGate', error: 'CheckInterrupted', seconds: 60 },
  { state: 'CutOver', error: 'DatabaseNotReady', seconds: 60 },
  { state: 'CutOver', error: 'WorkloadNotReady', seconds: 60 },
  { state: 'AwaitWorkload', error: 'WorkloadNotReady', seconds: 600 },
  { state: 'ValidateApplication', error: 'ApplicationNotReady', seconds: 300 },
  { state: 'ValidatePerformance', error: 'ApplicationNotReady', seconds: 60 },
  { state: 'CheckDeep', error: 'CheckInterrupted', seconds: 60 },
  { state: 'FenceSource', error: 'DatabaseNotReady', seconds: 60 },
  { state: 'SnapshotSource', error: 'DatabaseNotReady', seconds: 600 },
  { state: 'AwaitSnapshot', error: 'SnapshotNotReady', seconds: 7200 },
  { state: 'ProtectDatabase', error: 'DatabaseNotReady', seconds: 600 },
  { state: 'AwaitProtected', error: 'DatabaseNotReady', seconds: 7200 },
  { state: 'Compensate', error: 'DatabaseNotReady', seconds: 300 },
  { state: 'Compensate', error: 'WorkloadNotReady', seconds: 60 },
  { state: 'RestoreDatabase', error: 'DatabaseNotReady', seconds: 600 },
  { state: 'TearDown', error: 'DatabaseNotReady', seconds: 3600 },
  { state: 'AwaitTornDown', error: 'StillDeleting', seconds: 3600 },
];

describe('a wait', () => {
  const patience = (state: string, error: string) => {
    const task = tasks.find(({ name }) => name === state);
    const retrier = task && retriersOf(task).find(({ ErrorEquals }) => ErrorEquals.includes(error));
    return retrier ? delays(retrier).reduce((sum, delay) => sum + delay, 0) : 0;
  };
  it.each(waits)('of $state for $error lasts $seconds s or more', ({ state, error, seconds }) => {
    expect(patience(state, error)).toBeGreaterThanOrEqual(seconds);
  });
  it.each(Object.values(environments))('outlasts the restore that $environment plans with', ({ database }) => {
    expect(patience('AwaitAvailable', 'DatabaseNotReady')).toBeGreaterThan(2 * database.expectedRestoreSeconds);
  });
  it('ends before the machine’s own time limit does, which would skip the clean-up', () => {
    const asking = Number(numbers.ApprovalTimeoutSeconds);
    const longest = waits.reduce((sum, { state, error }) => sum + patience(state, error), asking);
    expect(definition.TimeoutSeconds).toBeGreaterThan(longest);
  });
  it('(control) is none where nothing is retried', () => {
    expect(patience('AwaitUsable', 'RestoreFailed')).toBe(0);
  });
});

/** Every error that some retrier of a task takes, on every journey that calls the task. */
const retries = called.flatMap((each) =>
  retriersOf(each.task).flatMap((retrier) => retrier.ErrorEquals.map((error) => ({ ...each, retrier, error }))),
);
describe('a step is tried again', () => {
  it.each(retries)('$name of $journey after $error', async ({ name, way, error }) => {
    const usual = await play(machine, way);
    const once: Script = {
      ...way,
      [name]: (payload, call) => (call === 1 ? fail(error) : ((way[name] ?? healthy[name])?.(payload, call) ?? {})),
    };
    const { status, states, waits } = await play(machine, once);
    expect(status).toBe(usual.status);
    expect(states.filter((each) => each === name)).toHaveLength(
      usual.states.filter((each) => each === name).length + 1,
    );
    expect(waits.filter(({ kind }) => kind === 'sleep')).toHaveLength(1);
  });

  it.each(retries.filter(({ retrier, error }) => error === retrier.ErrorEquals[0]))(
    '$name of $journey at most as often as declared for $error, then no more',
    async ({ name, way, task, retrier, error }) => {
      const { status, states, waits, entered } = await play(machine, { ...way, ...failing(name, error) });
      const pieces = inMap(task) ? (name === 'CheckGate' ? 3 : 1) : 1;
      expect(states.filter((each) => each === name)).toHaveLength(((retrier.MaxAttempts ?? 3) + 1) * pieces);
      const slept = waits.filter(({ kind }) => kind === 'sleep').map(({ seconds }) => seconds);
      const jitter = retrier.JitterStrategy === 'FULL' ? 0.5 : 1;
      expect(slept.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: pieces }, () => delays(retrier))
          .flat()
          .map((seconds) => seconds * jitter)
          .toSorted((a, b) => a - b),
      );
      if (inMap(task)) expect(entered).toContain(routeOf(task, error)?.catcher.Next);
      // What it would have validated is recovered and closed.
      else expect(status).toBe(name === 'StartFollowUp' ? 'SUCCEEDED' : 'FAILED');
    },
  );
});
describe('a failure', () => {
  it.each(called.filter(({ task }) => inRecover(task) && !inMap(task)))(
    'of $name in $journey cleans up, closes as failed and fails with the same error',
    async ({ name, way, clean, task }) => {
      const { status, error, cause, states, payloadsOf } = await play(machine, { ...way, ...failing(name, 'Boom') });
      expect({ status, error, cause }).toEqual({ status: 'FAILED', error: 'Boom', cause: 'why Boom' });
      expect(states.slice(-clean.length)).toEqual(clean);
      expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: boom })]);
      const inside = tasks.filter(inRecover).map((each) => each.name);
      const later = inside.slice(inside.indexOf(name) + 1).filter((each) => !besides(task).includes(each));
      expect(states.filter((state) => later.includes(state))).toEqual([]);
    },
  );
  it.each(tasks.filter((task) => !inRecover(task)).filter(({ name }) => ['AcceptRequest', 'TakeLease'].includes(name)))(
    'of $name refuses: people are told, nothing else is called, the same error ends it',
    async ({ name }) => {
      const { status, error, cause, states, payloadsOf } = await play(machine, failing(name, 'Boom'));
      expect({ status, error, cause }).toEqual({ status: 'FAILED', error: 'Boom', cause: 'why Boom' });
      expect(states).toEqual(
        name === 'AcceptRequest' ? ['AcceptRequest', 'ReportRefusal'] : ['AcceptRequest', 'TakeLease', 'ReportRefusal'],
      );
      expect(payloadsOf('ReportRefusal')).toEqual([
        expect.objectContaining({ request: { mode: 'drill' }, failure: boom }),
      ]);
    },
  );
  it('of the report itself leaves the refusal as it was', async () => {
    const { error } = await play(machine, {
      ...failing('AcceptRequest', 'InvalidRequest'),
      ...failing('ReportRefusal', 'Boom'),
    });
    expect(error).toBe('InvalidRequest');
  });
  it.each([
    { name: 'TearDown', path: ['TearDown', 'CloseIncident'] },
    { name: 'AwaitTornDown', path: ['TearDown', 'AwaitTornDown', 'CloseIncident'] },
  ])('of $name alone still closes, and fails the execution', async ({ name, path }) => {
    const { status, error, states, payloadsOf } = await play(machine, failing(name, 'Boom'));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Boom' });
    expect(states.slice(-path.length)).toEqual(path);
    expect(payloadsOf('CloseIncident')).toEqual([expect.objectContaining({ failure: boom })]);
  });
  it.each(['TearDown', 'AwaitTornDown'])('of %s after another one reports the first', async (name) => {
    const { error, payloadsOf } = await play(machine, { ...failing('CutOver', 'LeaseLost'), ...failing(name, 'Boom') });
    expect(error).toBe('LeaseLost');
    expect(payloadsOf('CloseIncident')).toEqual([
      expect.objectContaining({ failure: { Error: 'LeaseLost', Cause: 'why LeaseLost' } }),
    ]);
  });
  it('of CloseIncident fails the execution with its own error', async () => {
    const { status, error, entered } = await play(machine, failing('CloseIncident', 'Boom'));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'Boom' });
    expect(entered).not.toContain('Closed');
  });
  it.each(
    placesIn(definition).flatMap((place) => catchersOf(place).map((catcher) => ({ name: place.name, place, catcher }))),
  )('that $name catches leads to $catcher.Next', async ({ name, place, catcher }) => {
    const inside = isTask(place)
      ? name
      : (tasks.find((task) => isWithin(name)(task) && routeOf(task, 'Boom')?.catcher === catcher)?.name ?? 'none');
    const error = catcher.ErrorEquals.find((each) => each !== 'States.ALL') ?? 'Boom';
    const { entered } = await play(machine, { ...wayTo(inside), ...failing(inside, error) });
    expect(entered).toContain(name);
    expect(entered[entered.lastIndexOf(inside) + 1] === catcher.Next || entered.includes(catcher.Next)).toBe(true);
  });
  it('that no Catch can take, States.Runtime, ends the execution without tear-down: its end wakes clean-up-stopped', async () => {
    const { status, error, states } = await play(machine, failing('CutOver', 'States.Runtime'));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
    expect(states).not.toContain('TearDown');
  });
  it('to answer in time is caught like any other', async () => {
    const { error, states } = await play(machine, failing('FenceDatabase', 'States.Timeout'));
    expect(error).toBe('States.Timeout');
    expect(states.slice(-3)).toEqual(afterwards);
  });
});

describe('the validation', () => {
  it.each([
    { tier: 'Gate', piece: 'b' },
    { tier: 'Deep', piece: 'd' },
  ])('$tier judges a piece that could not be run as unknown', async ({ tier, piece }) => {
    const { status, payloadsOf } = await play(machine, {
      [`Check${tier}`]: ({ piece: id = null }) => (id === piece ? fail('Sandbox.Timedout') : { id, verdict: 'passed' }),
    });
    expect(status).toBe('SUCCEEDED');
    expect(payloadsOf(`Judge${tier}`)[0]).toMatchObject({
      results: expect.arrayContaining([
        { id: piece, verdict: 'unknown', reason: 'Sandbox.Timedout: why Sandbox.Timedout', remaining: [] },
      ]),
    });
  });
  it.each([
    { tier: 'Gate', pieces: ['a', 'b', 'c', 'b2'] },
    { tier: 'Deep', pieces: ['d', 'b2'] },
  ])('$tier runs what a round left over in a second round, and no more', async ({ tier, pieces }) => {
    const { status, payloadsOf } = await play(machine, {
      [`Judge${tier}`]: ({ round = null }) => ({ verdict: 'open', again: round === 1 ? [{ id: 'b2' }] : [] }),
    });
    expect(status).toBe('SUCCEEDED');
    expect(
      payloadsOf(`Check${tier}`)
        .map(({ piece }) => piece)
        .toSorted(),
    ).toEqual(pieces.toSorted());
    expect(payloadsOf(`Judge${tier}`).map(({ round, results }) => [round, (results as unknown[]).length])).toEqual([
      [1, pieces.length - 1],
      [2, 1],
    ]);
  });
  it.each([
    { left: 90, seconds: 90 },
    { left: 3600, seconds: 720 }, // a piece has a limit of its own
    { left: -5, seconds: 1 }, // of a second round
  ])(
    'stops a piece after $seconds s where $left s are left to the gate, and it is unknown',
    async ({ left, seconds }) => {
      const { payloadsOf, events } = await play(machine, {
        PlanGate: () => ({ pieces: [{ id: 'a' }], until: testClock().now() + left * 1000 }),
        CheckGate: () => silence,
      });
      const [last] = events.flatMap(({ taskScheduledEventDetails: task }) =>
        task?.parameters?.includes('"CheckGate"') ? [task.timeoutInSeconds] : [],
      );
      expect(last).toBe(seconds);
      expect(payloadsOf('JudgeGate')[0]?.results).toEqual([
        { id: 'a', verdict: 'unknown', reason: 'States.Timeout: the time of the gate was up', remaining: [] },
      ]);
    },
  );
  it('has nothing to judge where there is nothing to check, and says so', async () => {
    const { payloadsOf } = await play(machine, { PlanGate: () => ({ pieces: [], until: 0 }) });
    expect(payloadsOf('JudgeGate')).toEqual([expect.objectContaining({ results: [] })]);
  });
  it('stops the recovery before the cut-over where the gate does not pass', async () => {
    const { error, states } = await play(machine, failing('JudgeGate', 'ValidationUnknown'));
    expect(error).toBe('ValidationUnknown');
    expect(states).not.toContain('CutOver');
  });
});
