import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { only } from '../../states/run.ts';
import { account, codeOf, makeRegion, region, roleArn } from './home.ts';

const pass = only({ Type: 'Pass', End: true });
const wait = only({ Type: 'Wait', Seconds: 1000, End: true });
const lambda = only({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: 'f', Payload: { a: 1 } },
  End: true,
});

describe('StartExecution', () => {
  it('answers the running execution for the same name and input, and ExecutionAlreadyExists otherwise', async () => {
    const cloud = makeRegion();
    const machine = await cloud.deploy(wait);
    const first = await cloud.start(machine, { name: 'one', input: '{"a":1}' });
    expect(await cloud.start(machine, { name: 'one', input: '{"a":1}' })).toBe(first);
    expect(await codeOf(cloud.start(machine, { name: 'one', input: '{}' }))).toBe('ExecutionAlreadyExists');
    await cloud.service.completion(first);
    expect(await codeOf(cloud.start(machine, { name: 'one', input: '{"a":1}' }))).toBe('ExecutionAlreadyExists');
    expect(await cloud.start(machine)).not.toBe(await cloud.start(machine));
  });
  const arn = `arn:aws:states:${region}:${account}:stateMachine:machine-1`;
  it.each([
    { case: 'an ARN of something else', input: { stateMachineArn: 'arn:aws:s3:::x' }, code: 'InvalidArn' },
    { case: 'an unknown machine', input: { stateMachineArn: `${arn}x` }, code: 'StateMachineDoesNotExist' },
    { case: 'input that is no JSON', input: { stateMachineArn: arn, input: '{' }, code: 'InvalidExecutionInput' },
    {
      case: 'input beyond 262,144 bytes',
      input: { stateMachineArn: arn, input: `"${'x'.repeat(262_143)}"` },
      code: 'InvalidExecutionInput',
    },
    { case: 'a name with a blank', input: { stateMachineArn: arn, name: 'a b' }, code: 'InvalidName' },
    { case: 'a name of 81 characters', input: { stateMachineArn: arn, name: 'x'.repeat(81) }, code: 'InvalidName' },
    {
      case: 'nothing (control)',
      input: { stateMachineArn: arn, input: `"${'x'.repeat(262_142)}"`, name: 'x'.repeat(80) },
      code: 'nothing thrown',
    },
  ])('refuses $case with $code', async ({ input, code }) => {
    const cloud = makeRegion();
    await cloud.deploy(pass);
    expect(await codeOf(cloud.api('StartExecution', input))).toBe(code);
  });
});

describe('an execution', () => {
  it('is described and its status changes are on the bus', async () => {
    const cloud = makeRegion();
    const machine = await cloud.deploy(pass);
    const executionArn = await cloud.start(machine, { name: 'one', input: '{"a":1}' });
    expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'RUNNING',
      name: 'one',
      input: '{"a":1}',
    });
    await cloud.service.completion(executionArn);
    expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"a":1}',
      stateMachineArn: machine,
      stopDate: expect.any(Date),
    });
    expect(cloud.events.map(({ detail }) => detail.status)).toEqual(['RUNNING', 'SUCCEEDED']);
    expect(cloud.events[1]).toMatchObject({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [executionArn],
      detail: {
        executionArn,
        stateMachineArn: machine,
        name: 'one',
        input: '{"a":1}',
        output: '{"a":1}',
        startDate: cloud.clock.now(),
        error: null,
      },
    });
  });
  it('that is stopped is ABORTED at once', async () => {
    const cloud = makeRegion();
    const executionArn = await cloud.start(await cloud.deploy(wait));
    await cloud.api('StopExecution', { executionArn, error: 'E', cause: 'C' });
    expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({
      status: 'ABORTED',
      error: 'E',
      cause: 'C',
    });
    expect(cloud.events.at(-1)?.detail).toMatchObject({ status: 'ABORTED', error: 'E' });
  });
  it.each(['DescribeExecution', 'GetExecutionHistory', 'StopExecution', 'DescribeStateMachineForExecution'])(
    'that does not exist is refused by %s',
    async (operation) => {
      const executionArn = `arn:aws:states:${region}:${account}:execution:m:e`;
      expect(await codeOf(makeRegion().api(operation, { executionArn }))).toBe('ExecutionDoesNotExist');
      expect(await codeOf(makeRegion().api(operation, { executionArn: 'e' }))).toBe('InvalidArn');
    },
  );
  it('says nothing on the bus when the cloud itself stops', async () => {
    const cloud = makeRegion();
    const arn = await cloud.start(await cloud.deploy(wait));
    await cloud.service.stop?.();
    await cloud.service.completion(arn);
    expect(cloud.events.map(({ detail }) => detail.status)).toEqual(['RUNNING']);
  });
  it('tells its history as it happens', async () => {
    const cloud = makeRegion();
    const seen: unknown[] = [];
    const end = cloud.service.onHistory((arn, event) => seen.push([arn, event.type]));
    const arn = await cloud.start(await cloud.deploy(pass));
    await cloud.service.completion(arn);
    end();
    await cloud.service.completion(await cloud.start(await cloud.deploy(pass)));
    expect(seen).toEqual(
      ['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded'].map((type) => [arn, type]),
    );
  });
});

describe('lists', () => {
  it('ListExecutions pages, the newest first, and filters by status', async () => {
    const cloud = makeRegion();
    const machine = await cloud.deploy(wait);
    const arns = [];
    for (const name of ['a', 'b', 'c']) arns.push(await cloud.start(machine, { name }));
    await cloud.api('StopExecution', { executionArn: arns[1] });
    type Page = { executions: { name: string }[]; nextToken?: string };
    const first = await cloud.api<Page>('ListExecutions', { stateMachineArn: machine, maxResults: 2 });
    expect(first.executions.map(({ name }) => name)).toEqual(['c', 'b']);
    const second = await cloud.api<Page>('ListExecutions', {
      stateMachineArn: machine,
      maxResults: 2,
      nextToken: first.nextToken,
    });
    expect(second).toMatchObject({ executions: [{ name: 'a' }], nextToken: undefined });
    expect(await cloud.api('ListExecutions', { stateMachineArn: machine, statusFilter: 'ABORTED' })).toMatchObject({
      executions: [{ name: 'b' }],
    });
    expect(await codeOf(cloud.api('ListExecutions', { stateMachineArn: machine, nextToken: 'x' }))).toBe(
      'InvalidToken',
    );
  });
  it('GetExecutionHistory pages both ways and can leave data out', async () => {
    const cloud = makeRegion(() => ({ StatusCode: 200, Payload: Buffer.from('{"b":2}') }));
    const executionArn = await cloud.start(await cloud.deploy(lambda));
    await cloud.service.completion(executionArn);
    type Page = { events: { id: number }[]; nextToken?: string };
    const whole = await cloud.api<Page>('GetExecutionHistory', { executionArn });
    expect(whole.events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const back = await cloud.api<Page>('GetExecutionHistory', { executionArn, reverseOrder: true, maxResults: 4 });
    const rest = await cloud.api<Page>('GetExecutionHistory', {
      executionArn,
      reverseOrder: true,
      maxResults: 4,
      nextToken: back.nextToken,
    });
    expect([...back.events, ...rest.events].map(({ id }) => id)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(JSON.stringify(whole)).toContain('{\\"a\\":1}');
    const bare = JSON.stringify(await cloud.api('GetExecutionHistory', { executionArn, includeExecutionData: false }));
    expect(bare).not.toMatch(/"(input|output|parameters)":/);
    expect(bare).toContain('"resourceType":"lambda"');
  });
});

describe('a state machine', () => {
  it('is described, listed, and found by its execution', async () => {
    const cloud = makeRegion();
    const stateMachineArn = await cloud.deploy(pass, {
      Tags: [{ Key: 'k', Value: 'v' }],
      TracingConfiguration: { Enabled: true },
    });
    const shown = { stateMachineArn, name: 'machine-1', roleArn, tracingConfiguration: { enabled: true } };
    expect(await cloud.api('DescribeStateMachine', { stateMachineArn })).toMatchObject({
      ...shown,
      status: 'ACTIVE',
      type: 'STANDARD',
    });
    expect(await cloud.api('ListStateMachines', {})).toMatchObject({ stateMachines: [{ stateMachineArn }] });
    expect(await cloud.api('ListTagsForResource', { resourceArn: stateMachineArn })).toEqual({
      tags: [{ key: 'k', value: 'v' }],
    });
    expect(
      await cloud.api('DescribeStateMachineForExecution', { executionArn: await cloud.start(stateMachineArn) }),
    ).toMatchObject(shown);
  });
  it('takes its definition from an asset of the assembly, with its substitutions', async () => {
    const assembly = await mkdtemp(path.join(tmpdir(), 'sfn-assembly-'));
    const cloud = makeRegion(undefined, assembly);
    await writeFile(
      path.join(assembly, 'asset.0abc.json'),
      JSON.stringify({ QueryLanguage: 'JSONata', ...only({ Type: 'Pass', Output: '${what}', End: true }) }),
    );
    try {
      const location = { DefinitionString: undefined, DefinitionS3Location: { Bucket: 'b', Key: '0abc.json' } };
      const executionArn = await cloud.start(
        await cloud.deploy({}, { ...location, DefinitionSubstitutions: { what: 'this' } }),
      );
      await cloud.service.completion(executionArn);
      expect(await cloud.api('DescribeExecution', { executionArn })).toMatchObject({ output: '"this"' });
      expect(await codeOf(cloud.deploy({}, location))).toBe('InvalidDefinition');
    } finally {
      await rm(assembly, { recursive: true });
    }
  });
  const task = (Resource: string, Arguments: object = {}) => only({ Type: 'Task', Resource, Arguments, End: true });
  it.each([
    { case: 'JSONPath', definition: { ...pass, QueryLanguage: 'JSONPath' }, code: 'InvalidDefinition' },
    {
      case: 'an unknown field',
      definition: only({ Type: 'Pass', Colour: 'red', End: true }),
      code: 'InvalidDefinition',
    },
    {
      case: 'an unknown operation of the SDK',
      definition: task('arn:aws:states:::aws-sdk:rds:makeCoffee'),
      code: 'InvalidDefinition',
    },
    {
      case: 'a service that is not there',
      definition: task('arn:aws:states:::aws-sdk:redshift:describeClusters'),
      code: 'InvalidDefinition',
    },
    {
      case: 'a member that the operation lacks',
      definition: task('arn:aws:states:::aws-sdk:rds:describeDBInstances', { Colour: 1 }),
      code: 'InvalidDefinition',
    },
    { case: 'the Express type', definition: pass, properties: { StateMachineType: 'EXPRESS' }, code: 'NotImplemented' },
    {
      case: 'a property that is not honoured',
      definition: pass,
      properties: { EncryptionConfiguration: {} },
      code: 'NotImplemented',
    },
    {
      case: 'nothing (control)',
      definition: task('arn:aws:states:::aws-sdk:rds:describeDBInstances', { DbInstanceIdentifier: 'x' }),
      code: 'nothing thrown',
    },
  ])('is refused for $case', async ({ definition, properties, code }) => {
    expect(await codeOf(makeRegion().deploy(definition, properties))).toBe(code);
  });
  it('is validated without being made', async () => {
    const validate = (definition: object) =>
      makeRegion().api('ValidateStateMachineDefinition', { definition: JSON.stringify(definition) });
    expect(await validate({ QueryLanguage: 'JSONata', ...pass })).toMatchObject({ result: 'OK' });
    expect(await validate(pass)).toMatchObject({ result: 'FAIL', diagnostics: [{ severity: 'ERROR' }] });
  });
});

describe('access', () => {
  const machine = `arn:aws:states:${region}:${account}:stateMachine:m`;
  const execution = `arn:aws:states:${region}:${account}:execution:m:e`;
  it.each([
    ['StartExecution', { stateMachineArn: machine }, machine],
    ['ListExecutions', { stateMachineArn: machine }, machine],
    ['DescribeExecution', { executionArn: execution }, execution],
    ['StopExecution', { executionArn: execution }, execution],
    ['ListStateMachines', {}, '*'],
    ['SendTaskSuccess', { taskToken: 'x' }, '*'],
  ])('of %s presents its resource', async (operation, input, resource) => {
    const { service } = makeRegion();
    const call = { account, region, requestId: 'r', principal: { kind: 'service', service: 's' } } as const;
    expect(await service.operations[operation]?.access(input, call)).toEqual([
      { action: `states:${operation}`, resources: [resource] },
    ]);
  });
});
