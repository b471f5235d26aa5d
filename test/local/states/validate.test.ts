import { describe, expect, it } from 'vitest';
import { parseDefinition, problemsOf } from '../../../local/states/validate.ts';
import { lambda, only } from './run.ts';

const task = { Type: 'Task', Resource: lambda, End: true };
const pass = { Type: 'Pass', End: true };
const machine = (state: object) => ({ QueryLanguage: 'JSONata', ...only(state) });
const inner = (name: string, state: object) => ({ StartAt: name, States: { [name]: state } });

describe('a definition is refused for', () => {
  it.each([
    { case: 'a machine without JSONata', definition: only(pass), message: "'QueryLanguage' is missing" },
    { case: 'a JSONPath field', definition: machine({ ...pass, InputPath: '$.a' }), message: 'belongs to JSONPath' },
    { case: 'a JSONPath state', definition: machine({ ...pass, QueryLanguage: 'JSONPath' }), message: 'only JSONata' },
    { case: 'an unknown field', definition: machine({ ...pass, Colour: 1 }), message: "'Colour' is not supported" },
    { case: 'an unknown type', definition: machine({ Type: 'Loop' }), message: "'Loop' is not supported" },
    {
      case: 'an activity',
      definition: machine({ ...task, Resource: 'arn:aws:states:us-east-1:111122223333:activity:a' }),
      message: 'is not supported',
    },
    {
      case: 'an unknown integration',
      definition: machine({ ...task, Resource: 'arn:aws:states:::glue:startJobRun' }),
      message: 'not supported',
    },
    {
      case: 'a pattern that an integration lacks',
      definition: machine({ ...task, Resource: 'arn:aws:states:::sns:publish.sync' }),
      message: 'does not support .sync',
    },
    {
      case: 'credentials of another role',
      definition: machine({ ...task, Credentials: { RoleArn: 'r' } }),
      message: "'Credentials' is not supported",
    },
    {
      case: 'a missing target',
      definition: machine({ ...pass, End: undefined, Next: 'Gone' }),
      message: "no state 'Gone'",
    },
    {
      case: 'a catcher to another scope',
      definition: machine({
        Type: 'Parallel',
        Branches: [inner('In', { ...task, Catch: [{ ErrorEquals: ['E'], Next: 'Only' }] })],
        End: true,
      }),
      message: "no state 'Only'",
    },
    { case: 'neither Next nor End', definition: machine({ Type: 'Pass' }), message: 'either Next or "End"' },
    {
      case: 'a name used twice',
      definition: machine({ Type: 'Parallel', Branches: [inner('Only', pass)], End: true }),
      message: "'Only' is used",
    },
    {
      case: 'a Wait for two things',
      definition: machine({ Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', End: true }),
      message: 'either Seconds or Timestamp',
    },
    {
      case: 'tolerated failures, which are Distributed only',
      definition: machine({ Type: 'Map', ItemProcessor: inner('In', pass), ToleratedFailureCount: 1, End: true }),
      message: "'ToleratedFailureCount' is not supported",
    },
    {
      case: 'a distributed Map',
      definition: machine({
        Type: 'Map',
        ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, ...inner('In', pass) },
        End: true,
      }),
      message: 'distributed Map',
    },
    {
      case: 'Assign in a Succeed',
      definition: machine({ Type: 'Succeed', Assign: { a: 1 } }),
      message: "'Assign' is not supported",
    },
    {
      case: 'the reserved variable',
      definition: machine({ ...pass, Assign: { states: 1 } }),
      message: "variable 'states'",
    },
    {
      case: 'an inner scope that assigns the outer’s variable',
      definition: machine({
        Type: 'Parallel',
        Assign: { x: 1 },
        Branches: [inner('In', { ...pass, Assign: { x: 2 } })],
        End: true,
      }),
      message: "outer scope's variable 'x'",
    },
    {
      case: 'States.ALL beside others',
      definition: machine({ ...task, Retry: [{ ErrorEquals: ['States.ALL', 'E'] }] }),
      message: 'States.ALL must stand alone',
    },
    {
      case: 'States.ALL before others',
      definition: machine({
        ...task,
        Catch: [
          { ErrorEquals: ['States.ALL'], Next: 'Only' },
          { ErrorEquals: ['E'], Next: 'Only' },
        ],
      }),
      message: 'in the last element',
    },
    {
      case: 'a BackoffRate below 1',
      definition: machine({ ...task, Retry: [{ ErrorEquals: ['E'], BackoffRate: 0.5 }] }),
      message: 'at least 1',
    },
    {
      case: 'a heartbeat no shorter than the timeout',
      definition: machine({ ...task, Resource: `${lambda}.waitForTaskToken`, TimeoutSeconds: 5, HeartbeatSeconds: 5 }),
      message: 'smaller than TimeoutSeconds',
    },
    {
      case: 'a heartbeat of a task without a token',
      definition: machine({ ...task, HeartbeatSeconds: 5 }),
      message: 'waitForTaskToken only',
    },
    {
      case: 'an expression that does not parse',
      definition: machine({ ...pass, Output: '{% 1 + %}' }),
      message: 'is no JSONata',
    },
    { case: '$eval', definition: machine({ ...pass, Output: '{% $eval("1") %}' }), message: 'must not call $eval' },
  ])('$case', ({ definition, message }) => {
    expect(
      problemsOf(definition)
        .map((problem) => problem.message)
        .join('\n'),
    ).toContain(message);
    expect(() => parseDefinition(JSON.stringify(definition))).toThrow(message);
  });
  it('nothing, when it is right (control)', () => {
    for (const definition of [
      machine(pass),
      machine(task),
      machine({ ...task, Resource: 'arn:aws:states:::aws-sdk:rds:describeDBInstances' }),
      machine({
        Type: 'Map',
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...inner('In', pass) },
        MaxConcurrency: '{% 3 %}',
        End: true,
      }),
    ])
      expect(problemsOf(definition)).toEqual([]);
  });
});
