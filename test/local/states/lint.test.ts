import { describe, expect, it } from 'vitest';
import { lintDefinition } from '../../../local/states/lint.ts';
import { chain, lambda, only } from './run.ts';

const task = { Type: 'Task', Resource: lambda, TimeoutSeconds: 60, End: true };
const callback = {
  ...task,
  Resource: `${lambda}.waitForTaskToken`,
  Arguments: { token: '{% $states.context.Task.Token %}' },
};
const pass = { Type: 'Pass', End: true };

describe('lintDefinition finds', () => {
  it.each([
    {
      code: 'task-without-timeout',
      bad: only({ ...task, TimeoutSeconds: undefined }),
      good: only(task),
      at: '/States/Only',
    },
    {
      code: 'callback-without-bound',
      bad: only({ ...callback, TimeoutSeconds: undefined }),
      good: only(callback),
      at: '/States/Only',
    },
    {
      code: 'token-not-passed',
      bad: only({ ...callback, Arguments: { a: 1 } }),
      good: only({ ...callback, Arguments: '{% $states.context.Task.Token %}' }),
      at: '/States/Only',
    },
    {
      code: 'unresolved-substitution',
      bad: only({ ...task, Arguments: { FunctionName: '${fn}' } }),
      good: only({ ...task, Arguments: { FunctionName: 'fn' } }),
      at: '/States/Only/Arguments/FunctionName',
    },
    {
      code: 'unreachable-state',
      bad: { StartAt: 'A', States: { A: pass, B: pass } },
      good: chain({ A: { Type: 'Pass' }, B: { Type: 'Pass' } }),
      at: '/States/B',
    },
    {
      code: 'handler-after-all',
      bad: only({ ...task, Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
      good: only({ ...task, Retry: [{ ErrorEquals: ['E'] }, { ErrorEquals: ['States.ALL'] }] }),
      at: '/States/Only/Retry[1]',
    },
    {
      code: 'invalid-jsonata',
      bad: only({ ...pass, Output: { a: '{% 1 + %}' } }),
      good: only({ ...pass, Output: { a: '{% 1 + 1 %}' } }),
      at: '/States/Only/Output/a',
    },
    {
      code: 'unset-states-member',
      bad: only({ ...task, Arguments: '{% $states.result %}' }),
      good: only({ ...task, Output: '{% $states.result %}' }),
      at: '/States/Only/Arguments',
    },
    {
      code: 'undefined-variable',
      bad: only({ ...pass, Output: '{% $x %}' }),
      good: chain({ A: { Type: 'Pass', Assign: { x: 1 } }, B: { Type: 'Pass', Output: '{% $x %}' } }),
      at: '/States/Only/Output',
    },
  ])('$code, and nothing in the control', ({ code, bad, good, at }) => {
    expect(lintDefinition(bad)).toContainEqual(expect.objectContaining({ code, location: at }));
    expect(lintDefinition(good)).toEqual([]);
  });
  it('no expression that holds a substitution to be unparsable', () => {
    const machine = only({ ...pass, Output: '{% ${n} + 1 %}' });
    expect(lintDefinition(machine, ['n'])).toEqual([]);
  });
  it('no substitution that the deployment makes', () => {
    const machine = only({ ...pass, Output: '${known}' });
    expect(lintDefinition(machine, ['known'])).toEqual([]);
    expect(lintDefinition(machine, ['other'])).toHaveLength(1);
  });
});

describe('variables', () => {
  const undefinedIn = (definition: object) =>
    lintDefinition(definition).map(({ code, location }) => `${code} ${location}`);
  it.each([
    {
      case: 'the state that assigns it',
      definition: only({ ...pass, Assign: { x: 1 }, Output: '{% $x %}' }),
      found: ['undefined-variable /States/Only/Output'],
    },
    {
      case: 'a catcher of the task that assigns it',
      definition: {
        StartAt: 'A',
        States: {
          A: { ...task, Assign: { x: 1 }, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] },
          B: { ...pass, Output: '{% $x %}' },
        },
      },
      found: ['undefined-variable /States/B/Output'],
    },
    {
      case: 'the scope around the one that assigns it',
      definition: chain({
        A: { Type: 'Parallel', Branches: [only({ ...pass, Assign: { x: 1 } })] },
        B: { Type: 'Pass', Output: '{% $x %}' },
      }),
      found: ['undefined-variable /States/B/Output'],
    },
    {
      case: 'an inner scope after the outer assigned it',
      definition: chain({
        A: { Type: 'Pass', Assign: { x: 1 } },
        B: { Type: 'Parallel', Branches: [only({ ...pass, Output: '{% $x %}' })] },
      }),
      found: [],
    },
    {
      case: 'a path where a choice rule or catcher assigned it',
      definition: {
        StartAt: 'A',
        States: {
          A: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Assign: { x: 1 }, Next: 'B' }], Default: 'B' },
          B: { ...pass, Output: '{% $x %}' },
        },
      },
      found: [],
    },
    {
      case: 'an expression that binds it itself',
      definition: only({ ...pass, Output: '{% ($x := 1; $map([1], function($v){ $v + $x })) %}' }),
      found: [],
    },
    {
      case: 'a loop that assigned it',
      definition: {
        StartAt: 'A',
        States: {
          A: { Type: 'Pass', Next: 'B' },
          B: { Type: 'Pass', Output: '{% $exists($x) %}', Assign: { x: 1 }, Next: 'A' },
        },
      },
      found: [],
    },
    {
      case: 'a function that does not exist',
      definition: only({ ...pass, Output: '{% $evil(1) %}' }),
      found: ['undefined-variable /States/Only/Output'],
    },
  ])('used in $case', ({ definition, found }) => {
    expect(undefinedIn(definition)).toEqual(found);
  });
});

it('leaves the definition as it was', () => {
  const machine = Object.freeze(only(Object.freeze({ ...task })));
  const before = JSON.stringify(machine);
  lintDefinition(machine);
  expect(JSON.stringify(machine)).toBe(before);
});
