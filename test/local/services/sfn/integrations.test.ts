import { HistoryEvent$ } from '@aws-sdk/client-sfn';
import { NormalizedSchema } from '@smithy/core/schema';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../../local/kernel.ts';
import { javaError, javaName } from '../../../../local/services/sfn/schema.ts';
import { only } from '../../states/run.ts';
import { type Answer, codeOf, makeRegion, roleArn } from './home.ts';

const task = (resource: string, Arguments: object = {}, extra: object = {}) =>
  only({ Type: 'Task', Resource: `arn:aws:states:::${resource}`, Arguments, End: true, ...extra });
const lambda = task('lambda:invoke', { FunctionName: 'f', Payload: { a: 1 } });
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const refuse = (code: string) => () => {
  throw new AwsError(code, 'message');
};

async function ended(definition: object, answer: Answer) {
  const cloud = makeRegion(answer);
  const executionArn = await cloud.start(await cloud.deploy(definition), { name: 'one' });
  await cloud.service.completion(executionArn);
  const described = await cloud.api<{ status: string; output?: string }>('DescribeExecution', { executionArn });
  const { events } = await cloud.api<{ events: Record<string, unknown>[] }>('GetExecutionHistory', { executionArn });
  return { ...described, result: described.output && JSON.parse(described.output), events, calls: cloud.calls };
}

describe('a task calls as the machine’s role', () => {
  it.each([
    {
      case: 'lambda:invoke',
      definition: lambda,
      answer: { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: json({ b: 2 }) },
      call: ['lambda', 'Invoke', { FunctionName: 'f', Payload: json({ a: 1 }) }],
      result: { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: { b: 2 } },
    },
    {
      case: 'a function’s ARN',
      definition: only({
        Type: 'Task',
        Resource: 'arn:aws:lambda:us-east-1:111122223333:function:f',
        Arguments: { a: 1 },
        End: true,
      }),
      answer: { StatusCode: 200, Payload: json({ b: 2 }) },
      call: [
        'lambda',
        'Invoke',
        { FunctionName: 'arn:aws:lambda:us-east-1:111122223333:function:f', Payload: json({ a: 1 }) },
      ],
      result: { b: 2 },
    },
    {
      case: 'sns:publish',
      definition: task('sns:publish', { TopicArn: 't', Message: { a: 1 } }),
      answer: { MessageId: 'm' },
      call: ['sns', 'Publish', { TopicArn: 't', Message: '{"a":1}' }],
      result: { MessageId: 'm' },
    },
    {
      case: 'sqs:sendMessage',
      definition: task('sqs:sendMessage', { QueueUrl: 'q', MessageBody: 'text' }),
      answer: { MessageId: 'm' },
      call: ['sqs', 'SendMessage', { QueueUrl: 'q', MessageBody: 'text' }],
      result: { MessageId: 'm' },
    },
    {
      case: 'dynamodb:putItem',
      definition: task('dynamodb:putItem', { TableName: 't', Item: { id: { S: 'x' } } }),
      answer: {},
      call: ['dynamodb', 'PutItem', { TableName: 't', Item: { id: { S: 'x' } } }],
      result: {},
    },
    {
      case: 'events:putEvents',
      definition: task('events:putEvents', { Entries: [{ Source: 's', DetailType: 'd', Detail: { a: 1 } }] }),
      answer: { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] },
      call: ['eventbridge', 'PutEvents', { Entries: [{ Source: 's', DetailType: 'd', Detail: '{"a":1}' }] }],
      result: { FailedEntryCount: 0, Entries: [{ EventId: 'e' }] },
    },
    {
      case: 'aws-sdk:rds:describeDBInstances',
      definition: task('aws-sdk:rds:describeDBInstances', { DbInstanceIdentifier: 'x' }),
      answer: { DBInstances: [{ DBInstanceIdentifier: 'x', VpcSecurityGroups: [], InstanceCreateTime: new Date(0) }] },
      call: ['rds', 'DescribeDBInstances', { DBInstanceIdentifier: 'x' }],
      result: {
        DbInstances: [
          { DbInstanceIdentifier: 'x', VpcSecurityGroups: [], InstanceCreateTime: '1970-01-01T00:00:00.000Z' },
        ],
      },
    },
  ])('$case', async ({ definition, answer, call: [service, operation, input], result }) => {
    const got = await ended(definition, () => answer);
    expect(got).toMatchObject({ status: 'SUCCEEDED', result });
    expect(got.calls).toEqual([
      { service, operation, input, as: { kind: 'role', roleArn, sessionName: 'states-one' } },
    ]);
  });
});

describe('a task’s error is named as Step Functions names it', () => {
  it.each([
    {
      definition: lambda,
      answer: () => ({ FunctionError: 'Unhandled', Payload: json({ errorType: 'NotReady', errorMessage: 'm' }) }),
      error: 'NotReady',
      cause: '{"errorType":"NotReady","errorMessage":"m"}',
    },
    {
      definition: lambda,
      answer: () => ({ FunctionError: 'Unhandled', Payload: json({ errorMessage: 'm' }) }),
      error: 'Lambda.Unknown',
    },
    { definition: lambda, answer: refuse('TooManyRequestsException'), error: 'Lambda.TooManyRequestsException' },
    {
      definition: lambda,
      answer: refuse('AccessDeniedException'),
      error: 'Lambda.AWSLambdaException',
      cause: 'message (Service: Lambda, Error Code: AccessDeniedException)',
    },
    {
      definition: task('dynamodb:putItem'),
      answer: refuse('ConditionalCheckFailedException'),
      error: 'DynamoDB.ConditionalCheckFailedException',
    },
    {
      definition: task('aws-sdk:rds:createDBSnapshot'),
      answer: refuse('DBSnapshotAlreadyExists'),
      error: 'Rds.DbSnapshotAlreadyExistsException',
    },
    {
      definition: task('aws-sdk:rds:deleteDBInstance'),
      answer: refuse('DBInstanceNotFoundFault'),
      error: 'Rds.DbInstanceNotFoundException',
    },
    { definition: task('aws-sdk:rds:deleteDBInstance'), answer: refuse('AccessDenied'), error: 'Rds.RdsException' },
    {
      definition: task('events:putEvents', { Entries: [] }),
      answer: () => ({ FailedEntryCount: 1, Entries: [] }),
      error: 'EventBridge.FailedEntry',
    },
  ])('$error', async ({ definition, answer, error, cause }) => {
    const got = await ended(definition, answer as Answer);
    expect(got).toMatchObject({ status: 'FAILED', error, cause: cause ?? expect.any(String) });
    expect(got.events.at(-2)?.type).toBe('TaskFailed');
  });
  it.each([
    ['DBInstances', 'DbInstances'],
    ['VpcId', 'VpcId'],
    ['IAMDatabaseAuthenticationEnabled', 'IamDatabaseAuthenticationEnabled'],
    ['stateMachineArn', 'StateMachineArn'],
    ['ETag', 'ETag'],
    ['TargetDBSnapshotIdentifier', 'TargetDbSnapshotIdentifier'],
  ])('member %s is %s', (model, java) => expect(javaName(model)).toBe(java));
  it('suffix Fault becomes Exception', () =>
    expect(javaError('DBInstanceAlreadyExistsFault')).toBe('DbInstanceAlreadyExistsException'));
});

describe('.sync', () => {
  const nest = (state: object, pattern: string) => async () => {
    const cloud = makeRegion();
    const child = await cloud.deploy(only(state));
    const parent = await cloud.deploy(
      task(`states:startExecution${pattern}`, { StateMachineArn: child, Name: 'child', Input: { a: 1 } }),
    );
    const executionArn = await cloud.start(parent);
    await cloud.service.completion(executionArn);
    return {
      cloud,
      end: await cloud.api<{ status: string; output: string; error: string; cause: string }>('DescribeExecution', {
        executionArn,
      }),
    };
  };
  it.each([
    { pattern: '.sync', Output: '{"a":1}' },
    { pattern: '.sync:2', Output: { a: 1 } },
  ])('states:startExecution$pattern gives the nested execution’s output', async ({ pattern, Output }) => {
    const { end } = await nest({ Type: 'Wait', Seconds: 5, End: true }, pattern)();
    expect(JSON.parse(end.output)).toMatchObject({ Status: 'SUCCEEDED', Name: 'child', Output, Input: Output });
  });
  it('without .sync does not wait', async () => {
    const { end } = await nest({ Type: 'Fail', Error: 'E' }, '')();
    expect(end.status).toBe('SUCCEEDED');
  });
  it('fails with States.TaskFailed and the nested execution as its cause', async () => {
    const { end } = await nest({ Type: 'Fail', Error: 'E', Cause: 'c' }, '.sync')();
    expect(end).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
    expect(JSON.parse(end.cause)).toMatchObject({ Status: 'FAILED', Error: 'E', Cause: 'c' });
  });
  it('stops the nested execution when the task times out', async () => {
    const cloud = makeRegion();
    const child = await cloud.deploy(only({ Type: 'Wait', Seconds: 10_000, End: true }));
    const parent = await cloud.deploy(
      task('states:startExecution.sync', { StateMachineArn: child, Name: 'child' }, { TimeoutSeconds: 60 }),
    );
    await cloud.service.completion(await cloud.start(parent));
    const nested = `${child.replace('stateMachine', 'execution')}:child`;
    await cloud.service.completion(nested);
    expect(await cloud.api('DescribeExecution', { executionArn: nested })).toMatchObject({ status: 'ABORTED' });
  });
  it.each([
    {
      status: 'SUCCEEDED',
      expected: { status: 'SUCCEEDED', result: { Build: { Id: 'b', BuildStatus: 'SUCCEEDED' } } },
    },
    { status: 'FAILED', expected: { status: 'FAILED', error: 'States.TaskFailed' } },
  ])('codebuild:startBuild waits for the build: $status', async ({ status, expected }) => {
    let looks = 0;
    const got = await ended(task('codebuild:startBuild.sync', { ProjectName: 'p' }), (_, operation) =>
      operation === 'StartBuild'
        ? { build: { id: 'b' } }
        : { builds: [{ id: 'b', buildStatus: ++looks < 3 ? 'IN_PROGRESS' : status }] },
    );
    expect(got).toMatchObject(expected);
    expect(got.calls.map(({ operation }) => operation)).toEqual([
      'StartBuild',
      'BatchGetBuilds',
      'BatchGetBuilds',
      'BatchGetBuilds',
    ]);
  });
});

describe('task tokens', () => {
  const waiting = task(
    'lambda:invoke.waitForTaskToken',
    { FunctionName: 'f', Payload: { token: '{% $states.context.Task.Token %}' } },
    { TimeoutSeconds: 600 },
  );
  async function asked() {
    const cloud = makeRegion(() => ({ StatusCode: 200, Payload: json(null) }));
    const machine = await cloud.deploy(waiting);
    const executionArn = await cloud.start(machine);
    while (cloud.calls.length === 0) await new Promise(setImmediate);
    const [invoked] = cloud.calls;
    const payload = (invoked?.input as { Payload?: Buffer } | undefined)?.Payload;
    return { cloud, machine, executionArn, taskToken: JSON.parse(String(payload)).token as string };
  }
  it('SendTaskSuccess ends the task, on the machine’s ARN, once', async () => {
    const { cloud, machine, executionArn, taskToken } = await asked();
    const call = { account: 'a', region: 'r', requestId: 'r', principal: { kind: 'service', service: 's' } } as const;
    expect(await cloud.service.operations.SendTaskSuccess?.access({ taskToken }, call)).toEqual([
      { action: 'states:SendTaskSuccess', resources: [machine] },
    ]);
    expect(await codeOf(cloud.api('SendTaskSuccess', { taskToken, output: '{' }))).toBe('InvalidOutput');
    await cloud.api('SendTaskSuccess', { taskToken, output: '{"yes":true}' });
    await cloud.service.completion(executionArn);
    expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({ output: '{"yes":true}' });
    expect(await codeOf(cloud.api('SendTaskSuccess', { taskToken, output: '1' }))).toBe('TaskTimedOut');
    // A second answer is late, not forbidden: the token still names its machine.
    expect(await cloud.service.operations.SendTaskSuccess?.access({ taskToken }, call)).toMatchObject([
      { resources: [machine] },
    ]);
  });
  it('SendTaskFailure fails it with the reported error', async () => {
    const { cloud, executionArn, taskToken } = await asked();
    await cloud.api('SendTaskHeartbeat', { taskToken });
    await cloud.api('SendTaskFailure', { taskToken, error: 'Declined', cause: 'no' });
    await cloud.service.completion(executionArn);
    expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'FAILED',
      error: 'Declined',
      cause: 'no',
    });
  });
  it.each([
    ['InvalidToken', 'x'],
    ['TaskDoesNotExist', 'AAAAKgAAAAIAAAAAAAAAAx'],
  ])('%s for %s', async (code, taskToken) => {
    expect(await codeOf(makeRegion().api('SendTaskHeartbeat', { taskToken }))).toBe(code);
  });
});

describe('the history has the API model’s shape', () => {
  const everything = {
    StartAt: 'Fan',
    States: {
      Fan: {
        Type: 'Parallel',
        Branches: [
          {
            StartAt: 'Call',
            States: {
              Call: {
                ...lambda.States.Only,
                Assign: { x: 1 },
                Catch: [{ ErrorEquals: ['States.ALL'], Next: 'After' }],
              },
              After: { Type: 'Succeed' },
            },
          },
        ],
        Next: 'Each',
      },
      Each: {
        Type: 'Map',
        Items: [1],
        ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Pass', End: true } } },
        Next: 'Bad',
      },
      Bad: { Type: 'Pass', Output: '{% $nothing %}', End: true },
    },
  };
  it.each([
    { case: 'of a success', answer: () => ({ StatusCode: 200, Payload: json(1) }) },
    { case: 'of a failure', answer: () => ({ FunctionError: 'x', Payload: json({ errorType: 'E' }) }) },
  ])('$case', async ({ answer }) => {
    const { events } = await ended(everything, answer);
    const problems = events.flatMap((event) => misfits(NormalizedSchema.of(HistoryEvent$), event, String(event.type)));
    expect(problems).toEqual([]);
    expect(events.length).toBeGreaterThan(15);
    for (const { id, previousEventId } of events) expect(Number(previousEventId)).toBeLessThan(Number(id));
  });
  it('and a member that the model lacks would be noticed (control)', () => {
    expect(
      misfits(NormalizedSchema.of(HistoryEvent$), { id: 'one', stateEnteredEventDetails: { colour: 1 } }, 'x'),
    ).toHaveLength(2);
  });
});

function misfits(schema: NormalizedSchema, value: unknown, at: string): string[] {
  if (value === undefined) return [];
  if (schema.isMapSchema() && typeof value === 'object') return [];
  if (schema.isStructSchema()) {
    const members = schema.getMemberSchemas();
    return Object.entries(value as object).flatMap(([name, item]) =>
      members[name] ? misfits(members[name], item, `${at}.${name}`) : [`${at}.${name} is not in the model`],
    );
  }
  const fits =
    (schema.isTimestampSchema() && value instanceof Date) ||
    (schema.isNumericSchema() && typeof value === 'number') ||
    (schema.isBooleanSchema() && typeof value === 'boolean') ||
    (schema.isStringSchema() && typeof value === 'string');
  return fits ? [] : [`${at} is ${typeof value}`];
}
