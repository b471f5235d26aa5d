import { describe, expect, it } from 'vitest';
import { StatesError } from '../../../local/states/errors.ts';
import type { Json } from '../../../local/states/json.ts';
import { matches } from '../../../local/states/retry-catch.ts';
import { lambda, only, run } from './run.ts';

const failing = (...errors: string[]) => {
  let call = 0;
  return async (): Promise<Json> => {
    const error = errors[call++];
    if (error) throw new StatesError(error, `cause ${call}`);
    return { calls: call };
  };
};
const task = { Type: 'Task', Resource: lambda, End: true };
const callback = {
  Type: 'Task',
  Resource: `${lambda}.waitForTaskToken`,
  Arguments: { token: '{% $states.context.Task.Token %}' },
  End: true,
};
const never = () => new Promise<never>(() => undefined);

describe('error names', () => {
  it.each([
    ['States.ALL', 'Anything', true],
    ['States.ALL', 'States.Timeout', true],
    ['States.ALL', 'States.Runtime', false],
    ['States.ALL', 'States.DataLimitExceeded', false],
    ['States.TaskFailed', 'Anything', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.TaskFailed', 'States.DataLimitExceeded', false],
    ['States.Timeout', 'States.HeartbeatTimeout', true],
    ['States.HeartbeatTimeout', 'States.Timeout', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
    ['States.Runtime', 'States.Runtime', false],
    ['Mine', 'Mine', true],
    ['Mine', 'mine', false],
  ])('%s takes %s: %s', (name, error, taken) => {
    expect(matches([name], error)).toBe(taken);
  });
});

describe('Retry', () => {
  it.each([
    { case: 'with 1, 2, 4 seconds by default', retry: {}, delays: [1, 2, 4] },
    {
      case: 'with its own interval and rate',
      retry: { IntervalSeconds: 3, BackoffRate: 1.5 },
      delays: [3, 4.5, 6.75],
    },
    { case: 'capped by MaxDelaySeconds', retry: { IntervalSeconds: 3, MaxDelaySeconds: 5 }, delays: [3, 5, 5] },
    { case: 'with jitter over the whole delay', retry: { JitterStrategy: 'FULL' }, delays: [0.5, 1, 2] },
    { case: 'at most MaxAttempts times', retry: { MaxAttempts: 1 }, delays: [1], status: 'FAILED' },
    { case: 'never with MaxAttempts 0', retry: { MaxAttempts: 0 }, delays: [], status: 'FAILED' },
  ])('waits $case', async ({ retry, delays, status = 'SUCCEEDED' }) => {
    const machine = only({ ...task, Retry: [{ ErrorEquals: ['Odd'], ...retry }] });
    const ended = await run(machine, { invoke: failing('Odd', 'Odd', 'Odd') });
    expect(ended.status).toBe(status);
    expect(ended.waits).toEqual(delays.map((seconds) => ({ kind: 'sleep', seconds })));
  });
  it('takes the first retrier that matches, and each counts its own attempts', async () => {
    const Retry = [
      { ErrorEquals: ['A'], MaxAttempts: 1, IntervalSeconds: 10 },
      { ErrorEquals: ['States.ALL'], MaxAttempts: 2, IntervalSeconds: 20 },
    ];
    const ended = await run(only({ ...task, Retry }), { invoke: failing('A', 'B', 'B', 'A') });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'A' });
    expect(ended.waits.map(({ seconds }) => seconds)).toEqual([10, 20, 40]);
  });
  it('shows its count in the context', async () => {
    const machine = only({
      ...task,
      Retry: [{ ErrorEquals: ['Odd'] }],
      Output: '{% $states.context.State.RetryCount %}',
    });
    expect(await run(machine, { invoke: failing('Odd', 'Odd') })).toMatchObject({ result: 2 });
  });
  it('also retries a failed Output', async () => {
    const machine = only({
      ...task,
      Retry: [{ ErrorEquals: ['States.QueryEvaluationError'] }],
      Output: '{% $states.result.calls = 2 ? "ok" : $missing %}',
    });
    let calls = 0;
    expect(await run(machine, { invoke: async () => ({ calls: ++calls }) })).toMatchObject({ result: 'ok' });
  });
});

describe('Catch', () => {
  const caught = (Catch: object[], extra: object = {}) => ({
    StartAt: 'Only',
    States: {
      Only: { ...task, ...extra, Catch },
      Show: { Type: 'Pass', Output: '{% {"in": $states.input, "why": $exists($why) ? $why : null} %}', End: true },
    },
  });
  it('hands on the error without Output', async () => {
    expect(await run(caught([{ ErrorEquals: ['Odd'], Next: 'Show' }]), { invoke: failing('Odd') })).toMatchObject({
      result: { in: { Error: 'Odd', Cause: 'cause 1' }, why: null },
    });
  });
  it('assigns and outputs what it is told', async () => {
    const Catch = [
      { ErrorEquals: ['Odd'], Next: 'Show', Assign: { why: '{% $states.errorOutput.Cause %}' }, Output: 'out' },
    ];
    expect(await run(caught(Catch), { invoke: failing('Odd') })).toMatchObject({
      result: { in: 'out', why: 'cause 1' },
    });
  });
  it('comes after the retries', async () => {
    const machine = caught([{ ErrorEquals: ['Odd'], Next: 'Show' }], {
      Retry: [{ ErrorEquals: ['Odd'], MaxAttempts: 1 }],
    });
    expect(await run(machine, { invoke: failing('Odd', 'Odd') })).toMatchObject({
      result: { in: { Cause: 'cause 2' } },
    });
  });
  it('leaves the execution failed when no catcher matches', async () => {
    expect(await run(caught([{ ErrorEquals: ['Other'], Next: 'Show' }]), { invoke: failing('Odd') })).toMatchObject({
      status: 'FAILED',
      error: 'Odd',
    });
  });
  it('takes an expression that fails in Arguments', async () => {
    const machine = caught([{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'Show' }], {
      Arguments: '{% $states.input.missing %}',
    });
    expect(await run(machine)).toMatchObject({ result: { in: { Error: 'States.QueryEvaluationError' } } });
  });
});

describe('a Task', () => {
  it('sees its result in Output and Assign', async () => {
    const machine = only({
      ...task,
      Arguments: { n: '{% $states.input.n %}' },
      Output: '{% $states.result.n + $states.input.n %}',
    });
    expect(await run(machine, { input: { n: 2 }, invoke: async (request) => request.arguments })).toMatchObject({
      result: 4,
    });
  });
  it('times out after TimeoutSeconds, aborts its request and can be caught', async () => {
    let reason: unknown;
    const ended = await run(only({ ...task, TimeoutSeconds: '{% 30 %}' }), {
      invoke: ({ signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.aborted;
        });
        return never();
      },
    });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.Timeout', waits: [{ kind: 'limit', seconds: 30 }] });
    expect(ended.types.at(-2)).toBe('TaskTimedOut');
    expect(reason).toBe(true);
  });
  it('ends with the answer to its token', async () => {
    const ended = await run(only(callback), {
      invoke: async (request, callbacks) => {
        callbacks.succeed((request.arguments as { token: string }).token, { approved: true });
        return { accepted: true };
      },
    });
    expect(ended).toMatchObject({ result: { approved: true } });
    expect(ended.types.slice(2, -2)).toEqual(['TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded']);
  });
  it('fails with the failure reported to its token', async () => {
    const ended = await run(only(callback), {
      invoke: async (request, callbacks) => {
        callbacks.fail((request.arguments as { token: string }).token, 'Declined', 'no');
        return null;
      },
    });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Declined', cause: 'no' });
  });
  it('is a submit failure when the request itself fails', async () => {
    const ended = await run(only(callback), { invoke: failing('Odd') });
    expect(ended.types.at(-2)).toBe('TaskSubmitFailed');
  });
  it.each([
    { case: 'fails without a heartbeat', beats: 0, error: 'States.HeartbeatTimeout', seconds: [60, 10] },
    {
      case: 'runs into TimeoutSeconds in spite of heartbeats',
      beats: 99,
      error: 'States.Timeout',
      seconds: undefined,
    },
  ])('waiting for a token $case', async ({ beats, error, seconds }) => {
    const ended = await run(only({ ...callback, TimeoutSeconds: 60, HeartbeatSeconds: 10 }), {
      invoke: async (request, callbacks, clock) => {
        const { token } = request.arguments as { token: string };
        const beat = async () => {
          for (let made = 0; made < beats && !request.signal.aborted; made++) {
            await clock.sleep(5000, request.signal);
            callbacks.beat(token);
          }
        };
        beat().catch(() => undefined);
        return null;
      },
    });
    expect(ended).toMatchObject({ status: 'FAILED', error });
    if (seconds) expect(ended.waits.map((wait) => wait.seconds)).toEqual(seconds);
  });
  it('refuses a token once used, a foreign one, and what is no token', async () => {
    const codes: unknown[] = [];
    await run(only(callback), {
      invoke: async (request, callbacks) => {
        const { token } = request.arguments as { token: string };
        callbacks.succeed(token, null);
        for (const candidate of [token, `${token}x`, 'x'])
          try {
            callbacks.beat(candidate);
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        return null;
      },
    });
    expect(codes).toEqual(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);
  });
});
