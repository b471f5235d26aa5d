/** What database-recovery waits for, tries again, and how it ends where something fails. */
import { describe, expect, it } from 'vitest';
import { environments } from '../../config/index.ts';
import type { Retrier } from '../../local/states/definition.ts';
import { testClock } from '../local/states/test-clock.ts';
import {
  boom,
  catchersOf,
  definitionOf,
  fail,
  failing,
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
