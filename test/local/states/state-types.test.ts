import { describe, expect, it } from 'vitest';
import { StatesError } from '../../../local/states/errors.ts';
import type { Json } from '../../../local/states/json.ts';
import { chain, lambda, only, run } from './run.ts';

const end = { End: true };

describe('a state hands on', () => {
  it.each([
    { case: 'its input, without Output', state: { Type: 'Pass', ...end }, input: { a: 1 }, result: { a: 1 } },
    {
      case: 'Output',
      state: { Type: 'Pass', Output: { b: '{% $states.input.a + 1 %}', c: ['{% "x" %}', '{x}'] }, ...end },
      input: { a: 1 },
      result: { b: 2, c: ['x', '{x}'] },
    },
    {
      case: 'the execution by its context',
      state: {
        Type: 'Pass',
        Output: '{% $states.context.Execution.Name & $states.context.State.Name & $states.context.StateMachine.Name %}',
        ...end,
      },
      result: 'oneOnlymachine',
    },
    {
      case: 'the output of a Succeed',
      state: { Type: 'Succeed', Output: '{% $states.input.a %}' },
      input: { a: [1] },
      result: [1],
    },
    {
      case: 'a single-element list as a list',
      state: { Type: 'Pass', Output: '{% [$states.input.a] %}', ...end },
      input: { a: 1 },
      result: [1],
    },
    {
      case: 'null where the expression says null',
      state: { Type: 'Pass', Output: '{% null %}', ...end },
      result: null,
    },
    {
      case: 'the list of the branches',
      state: {
        Type: 'Parallel',
        Branches: [only({ Type: 'Pass', Output: 1, ...end }), only({ Type: 'Pass', ...end })].map(rename),
        Arguments: { x: '{% 2 %}' },
        ...end,
      },
      result: [1, { x: 2 }],
    },
    {
      case: 'the list of the iterations, in order',
      state: {
        Type: 'Map',
        Items: [3, 1, 2],
        ItemSelector: { at: '{% $states.context.Map.Item.Index %}', of: '{% $states.context.Map.Item.Value %}' },
        ItemProcessor: {
          StartAt: 'Inner',
          States: { Inner: { Type: 'Pass', Output: '{% $states.input.at * 10 + $states.input.of %}', ...end } },
        },
        ...end,
      },
      result: [3, 11, 22],
    },
    {
      case: 'no iterations of an empty list',
      state: { Type: 'Map', ItemProcessor: { StartAt: 'Inner', States: { Inner: { Type: 'Pass', ...end } } }, ...end },
      input: [],
      result: [],
    },
  ])('$case', async ({ state, input, result }) => {
    expect(await run(only(state), { input: input as Json })).toMatchObject({ status: 'SUCCEEDED', result });
  });
  function rename(flow: { States: { Only: object } }, at: number) {
    return { StartAt: `Branch${at}`, States: { [`Branch${at}`]: flow.States.Only } };
  }
});

describe('functions that Step Functions adds', () => {
  it.each([
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$range(0, 10, 5)', [0, 5, 10]],
    ['$range(3, 1, -1)', [3, 2, 1]],
    ['$hash("input data", "SHA-1")', 'aaff4a450a104cd177d28d18d74485e8cae074b7'],
    ['$parse("{\\"a\\":[1]}").a', [1]],
    ['$random()', 0.5],
    ['$random(7) = $random(7)', true],
    ['$uuid()', '00000000-0000-4000-8000-000000000000'],
    ['$millis()', Date.parse('2026-01-01T00:00:00Z')],
    ['$now()', '2026-01-01T00:00:00.000Z'],
    ['$now("[Y0001]/[M01]")', '2026/01'],
  ])('%s', async (source, result) => {
    expect(await run(only({ Type: 'Pass', Output: `{% ${source} %}`, ...end }))).toMatchObject({ result });
  });
});

describe('an expression fails the execution', () => {
  it.each([
    { case: 'when it selects nothing', Output: '{% $states.input.missing %}', cause: 'returned nothing (undefined)' },
    { case: 'when a variable was never assigned', Output: '{% $missing %}', cause: 'returned nothing' },
    {
      case: 'when its types do not fit',
      Output: { total: '{% 1 + "a" %}' },
      cause: "field 'Output/total' threw an error during evaluation. T2002",
    },
    { case: 'when it gives a function', Output: '{% function($x){$x} %}', cause: 'unsupported result type' },
  ])('$case', async ({ Output, cause }) => {
    const ended = await run(only({ Type: 'Pass', Output, ...end }));
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining(cause),
    });
    expect(ended.types).toEqual(['ExecutionStarted', 'PassStateEntered', 'EvaluationFailed', 'ExecutionFailed']);
  });
});

describe('Choice', () => {
  const machine = {
    StartAt: 'Choose',
    States: {
      Choose: {
        Type: 'Choice',
        Choices: [
          { Condition: '{% $states.input.n > 10 %}', Next: 'Show', Assign: { size: 'large' }, Output: '{% "ruled" %}' },
          { Condition: '{% $states.input.n > 5 %}', Next: 'Show', Assign: { size: 'medium' } },
        ],
        Default: 'Show',
        Assign: { size: 'small' },
        Output: 'defaulted',
      },
      Show: { Type: 'Pass', Output: { size: '{% $size %}', input: '{% $states.input %}' }, End: true },
    },
  };
  it.each([
    {
      case: 'the first rule that holds, with its Assign and Output',
      n: 11,
      result: { size: 'large', input: 'ruled' },
    },
    { case: 'a rule without Output hands on the input', n: 6, result: { size: 'medium', input: { n: 6 } } },
    { case: 'Default, with the state’s Assign and Output', n: 1, result: { size: 'small', input: 'defaulted' } },
  ])('takes $case', async ({ n, result }) => {
    expect(await run(machine, { input: { n } })).toMatchObject({ result });
  });
  it('fails without a match and a Default', async () => {
    const state = { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'Only' }] };
    expect(await run(only(state))).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });
  it('fails on a condition that is no boolean', async () => {
    const state = { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'Only' }] };
    expect(await run(only(state))).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('Wait', () => {
  it.each([
    { case: 'seconds', wait: { Seconds: 90 }, seconds: 90 },
    { case: 'evaluated seconds', wait: { Seconds: '{% $states.input.s %}' }, seconds: 7 },
    { case: 'until a time', wait: { Timestamp: '2026-01-01T00:01:00Z' }, seconds: 60 },
    { case: 'not at all for a time that is past', wait: { Timestamp: '{% "2025-01-01T00:00:00Z" %}' }, seconds: 0 },
  ])('waits $case', async ({ wait, seconds }) => {
    const ended = await run(only({ Type: 'Wait', ...wait, ...end }), { input: { s: 7 } });
    expect(ended).toMatchObject({ status: 'SUCCEEDED', waits: [{ kind: 'sleep', seconds }] });
  });
  it('fails on a timestamp that is none', async () => {
    expect(await run(only({ Type: 'Wait', Timestamp: '{% "tomorrow" %}', ...end }))).toMatchObject({
      status: 'FAILED',
    });
  });
});

describe('Fail', () => {
  it('ends the execution with its error and cause', async () => {
    const state = { Type: 'Fail', Error: 'Broken', Cause: '{% "because of " & $states.input.why %}' };
    const ended = await run(only(state), { input: { why: 'rain' } });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Broken', cause: 'because of rain' });
    expect(ended.types).toEqual(['ExecutionStarted', 'FailStateEntered', 'ExecutionFailed']);
  });
});

describe('variables', () => {
  it('are assigned together, from their values before', async () => {
    const machine = chain({
      First: { Type: 'Pass', Assign: { a: 1, b: 2 } },
      Swap: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' } },
      Show: { Type: 'Pass', Output: '{% [$a, $b] %}' },
    });
    expect(await run(machine)).toMatchObject({ result: [2, 1] });
  });
  it('of an outer scope are read within, and what an inner scope assigns ends with it', async () => {
    const inner = chain({
      Inner: { Type: 'Pass', Assign: { mine: '{% $outer & "!" %}' } },
      Tell: { Type: 'Pass', Output: '{% $mine %}' },
    });
    const machine = chain({
      First: { Type: 'Pass', Assign: { outer: 'o' } },
      Fan: { Type: 'Parallel', Branches: [inner] },
      Show: { Type: 'Pass', Output: '{% {"got": $states.input, "leaked": $exists($mine)} %}' },
    });
    expect(await run(machine)).toMatchObject({ result: { got: ['o!'], leaked: false } });
  });
});

describe('Map and Parallel', () => {
  const fanned = (MaxConcurrency?: number) =>
    only({
      Type: 'Map',
      Items: '{% $range(1, 100, 1) %}',
      ...(MaxConcurrency ? { MaxConcurrency } : {}),
      ItemProcessor: { StartAt: 'Work', States: { Work: { Type: 'Task', Resource: lambda, End: true } } },
      End: true,
    });
  it.each([
    { case: 'MaxConcurrency', concurrency: 3, most: 3 },
    { case: '40, the limit of inline mode', concurrency: undefined, most: 40 },
  ])('run at most $case at a time', async ({ concurrency, most }) => {
    let running = 0;
    let peak = 0;
    const invoke = async () => {
      peak = Math.max(peak, ++running);
      await new Promise(setImmediate);
      running--;
      return null;
    };
    expect(await run(fanned(concurrency), { invoke })).toMatchObject({ status: 'SUCCEEDED' });
    expect(peak).toBe(most);
  });
  it('stop what runs beside a failure, and the state can catch it', async () => {
    const failing = { StartAt: 'Break', States: { Break: { Type: 'Fail', Error: 'Boom', Cause: 'c' } } };
    const waiting = { StartAt: 'Sleep', States: { Sleep: { Type: 'Wait', Seconds: 1000, End: true } } };
    const state = {
      Type: 'Parallel',
      Branches: [waiting, failing],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught', Output: '{% $states.errorOutput %}' }],
      Next: 'Caught',
    };
    const ended = await run({ StartAt: 'Fan', States: { Fan: state, Caught: { Type: 'Succeed' } } });
    expect(ended).toMatchObject({ status: 'SUCCEEDED', result: { Error: 'Boom', Cause: 'c' } });
    expect(ended.types).toContain('WaitStateAborted');
    expect(ended.types).toContain('ParallelStateFailed');
  });
  it('fail when the items are no list', async () => {
    const ended = await run(fanned(), { invoke: async () => null });
    expect(ended.status).toBe('SUCCEEDED');
    const state = {
      Type: 'Map',
      Items: '{% {"a":1} %}',
      ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Pass', End: true } } },
      End: true,
    };
    expect(await run(only(state))).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  });
});

describe('limits', () => {
  it('fails with States.DataLimitExceeded, which States.ALL does not catch, beyond 262,144 bytes', async () => {
    const big = (characters: number) =>
      only({
        Type: 'Task',
        Resource: lambda,
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Only' }],
        End: true,
        Arguments: `{% $pad("", ${characters}, "x") %}`,
      });
    expect(await run(big(262_143))).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(await run(big(262_142))).toMatchObject({ status: 'SUCCEEDED' });
  });
  it('fails an execution that reaches 25,000 events', async () => {
    const loop = { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } } };
    const ended = await run(loop);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(ended.events).toHaveLength(25_000);
    expect(ended.types.at(-1)).toBe('ExecutionFailed');
  });
});

describe('stopping', () => {
  it.each([
    { case: 'Wait', state: { Type: 'Wait', Seconds: 1e6 }, aborted: 'WaitStateAborted' },
    { case: 'Task', state: { Type: 'Task', Resource: lambda }, aborted: 'TaskStateAborted' },
    {
      case: 'Map',
      state: {
        Type: 'Map',
        Items: [1],
        ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Task', Resource: lambda, End: true } } },
      },
      aborted: 'MapIterationAborted',
    },
  ])('aborts a $case and runs no Catch', async ({ state, aborted }) => {
    const handlers =
      state.Type === 'Wait'
        ? {}
        : { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], Retry: [{ ErrorEquals: ['States.ALL'] }] };
    const machine = {
      StartAt: 'Only',
      States: { Only: { ...state, ...handlers, Next: 'Caught' }, Caught: { Type: 'Succeed' } },
    };
    const ended = await run(machine, {
      invoke: () => new Promise(() => undefined),
      during: (execution) => void setImmediate(() => execution.stop('Why', 'because')),
    });
    expect(ended).toMatchObject({ status: 'ABORTED', error: 'Why', cause: 'because' });
    expect(ended.types).toContain(aborted);
    expect(ended.types.at(-1)).toBe('ExecutionAborted');
    expect(ended.types).not.toContain('SucceedStateEntered');
  });
  it('at the machine’s TimeoutSeconds is TIMED_OUT and runs no Catch', async () => {
    const machine = { TimeoutSeconds: 5, ...only({ Type: 'Wait', Seconds: 100, End: true }) };
    expect(await run(machine)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(await run({ ...machine, TimeoutSeconds: 500 })).toMatchObject({ status: 'SUCCEEDED' });
  });
});

it('an error that is no failure of a task is States.Runtime, which nothing catches', async () => {
  const state = { Type: 'Task', Resource: lambda, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Only' }], End: true };
  expect(await run(only(state), { invoke: () => Promise.reject(new Error('bug')) })).toMatchObject({
    error: 'States.Runtime',
  });
  expect(
    await run(only({ ...state, Retry: [{ ErrorEquals: ['Odd'], MaxAttempts: 0 }], Catch: undefined }), {
      invoke: () => Promise.reject(new StatesError('Odd')),
    }),
  ).toMatchObject({ error: 'Odd' });
});
