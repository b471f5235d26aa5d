import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Call } from '../../../../local/kernel.ts';
import { type LambdaService, lambda } from '../../../../local/services/lambda/index.ts';
import { ACCOUNT, arnOf, context, fakeHome, operator, REGION } from '../fake-home.ts';

const root = mkdtempSync(join(tmpdir(), 'lambda-test-'));
const services: LambdaService[] = [];
afterAll(async () => {
  await Promise.all(services.map((each) => each.stop?.()));
  rmSync(root, { recursive: true });
});

/** A function that fails as often as its event says, then answers. */
const code = `let calls = 0;
exports.handler = async ({ failures }) => { if (++calls <= failures) throw new Error('again'); return { calls }; };`;

async function deploy(settings: Record<string, unknown> = {}, config?: Record<string, unknown>) {
  const home = Object.assign(fakeHome(), { dataDirectory: root });
  const service = lambda.create(home) as LambdaService;
  services.push(service);
  home.answer = ({ operation }) =>
    operation === 'AssumeRole' ? { Credentials: { AccessKeyId: 'k', SecretAccessKey: 's', SessionToken: 't' } } : {};
  const create = (type: string, properties: Record<string, unknown>) =>
    service.resources?.[`AWS::Lambda::${type}`]?.create(properties, context);
  await create('Function', {
    FunctionName: 'work',
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Code: { ZipFile: code },
    Role: arnOf('iam', 'role/work'),
    ...settings,
  });
  if (config) await create('EventInvokeConfig', { FunctionName: 'work', Qualifier: '$LATEST', ...config });
  const call: Call = { account: ACCOUNT, region: REGION, principal: operator, requestId: 'r' };
  const invoke = (event: object, type = 'Event') =>
    service.operations.Invoke?.run(
      { FunctionName: 'work', InvocationType: type, Payload: JSON.stringify(event) },
      call,
    );
  const invocations = () => home.metrics.filter(({ metric }) => metric === 'Invocations').length;
  return { home, service, create, invoke, invocations, call };
}

describe('an asynchronous invocation', () => {
  it('is accepted at once and retried after one minute, then two', async () => {
    const { home, invoke, invocations } = await deploy();
    expect(await invoke({ failures: 2 })).toEqual({ StatusCode: 202 });
    await expect.poll(invocations).toBe(1);
    await home.clock.advance(59_000);
    expect(invocations()).toBe(1);
    await home.clock.advance(1_000);
    await expect.poll(invocations).toBe(2);
    await home.clock.advance(120_000);
    await expect.poll(invocations).toBe(3);
    expect(home.metrics.filter(({ metric }) => metric === 'AsyncEventsDropped')).toEqual([]);
  });

  it('that fails for good goes to the dead-letter queue as it came, saying why', async () => {
    const queue = arnOf('sqs', 'dead');
    const { home, invoke } = await deploy({ DeadLetterConfig: { TargetArn: queue } }, { MaximumRetryAttempts: 0 });
    await invoke({ failures: 9 });
    await expect.poll(() => home.callsTo('sqs', 'SendMessage').length).toBe(1);
    expect(home.callsTo('sqs', 'SendMessage')[0]).toMatchObject({
      input: { MessageBody: '{"failures":9}', MessageAttributes: { ErrorMessage: { StringValue: 'again' } } },
      as: { kind: 'role', sessionName: 'work' },
    });
  });

  it.each([
    { case: 'success', failures: 0, condition: 'Success', payload: { calls: 1 } },
    { case: 'failure', failures: 9, condition: 'RetriesExhausted', payload: { errorType: 'Error' } },
  ])('tells its destination of $case', async ({ failures, condition, payload }) => {
    const Destination = arnOf('sns', 'outcomes');
    const { home, invoke } = await deploy(
      {},
      { MaximumRetryAttempts: 0, DestinationConfig: { OnSuccess: { Destination }, OnFailure: { Destination } } },
    );
    await invoke({ failures });
    await expect.poll(() => home.callsTo('sns', 'Publish').length).toBe(1);
    expect(JSON.parse(home.callsTo('sns', 'Publish')[0]?.input.Message)).toMatchObject({
      requestContext: {
        condition,
        approximateInvokeCount: 1,
        functionArn: `${arnOf('lambda', 'function:work')}:$LATEST`,
      },
      requestPayload: { failures },
      responsePayload: payload,
    });
  });
});

describe('a function', () => {
  it('presents the ARN by which it is invoked, and is found by name, partial ARN and ARN', async () => {
    const { service, call } = await deploy();
    const arn = arnOf('lambda', 'function:work');
    for (const FunctionName of ['work', `${ACCOUNT}:function:work`, arn]) {
      expect(await service.operations.Invoke?.access({ FunctionName }, call)).toMatchObject([
        { action: 'lambda:InvokeFunction', resources: [arn] },
      ]);
      expect(await service.operations.GetFunctionConfiguration?.run({ FunctionName }, call)).toMatchObject({
        FunctionArn: arn,
      });
    }
  });

  it('keeps its permissions as the policy that AddPermission writes', async () => {
    const { service, create } = await deploy();
    await create('Permission', {
      Action: 'lambda:InvokeFunction',
      FunctionName: 'work',
      Principal: 'events.amazonaws.com',
      SourceArn: arnOf('events', 'rule/r'),
    });
    expect(service.resourcePolicy?.(arnOf('lambda', 'function:work'))?.Statement).toMatchObject([
      {
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnLike: { 'AWS:SourceArn': arnOf('events', 'rule/r') } },
      },
    ]);
  });

  it.each([
    { case: 'another runtime', settings: { Runtime: 'python3.13' }, code: 'NotImplemented' },
    { case: 'a layer', settings: { Layers: ['arn'] }, code: 'NotImplemented' },
  ])('with $case is refused', async ({ settings, code: expected }) => {
    await expect(deploy(settings)).rejects.toMatchObject({ code: expected });
  });

  it('has no URL that anybody may call', async () => {
    const { create } = await deploy();
    expect(() => create('Url', { AuthType: 'NONE', TargetFunctionArn: 'work' })).toThrow(/anybody could call it/);
  });
});

describe('a function in a VPC that nobody has called for two weeks', () => {
  const day = 86_400_000;
  const VpcConfig = { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] };
  const start = async (settings = { VpcConfig }) => {
    const { home, service, invoke, call, invocations } = await deploy(settings);
    const state = async () => {
      const configuration = await service.operations.GetFunctionConfiguration?.run({ FunctionName: 'work' }, call);
      return (configuration as { readonly State?: string } | undefined)?.State;
    };
    return { home, state, invocations, invoke: (type = 'RequestResponse') => invoke({ failures: 0 }, type) };
  };

  it('fails its next call, which wakes it: a minute later it answers', async () => {
    const { home, state, invoke } = await start();
    await home.clock.advance(14 * day);
    await expect(invoke()).resolves.toMatchObject({ StatusCode: 200 });
    await home.clock.advance(15 * day);
    expect(await state()).toBe('Inactive');
    await expect(invoke()).rejects.toMatchObject({ code: 'ResourceNotReadyException' });
    expect(await state()).toBe('Pending');
    await expect(invoke()).rejects.toMatchObject({ code: 'ResourceConflictException' });
    await home.clock.advance(60_000);
    await expect(invoke()).resolves.toMatchObject({ StatusCode: 200 });
    expect(await state()).toBe('Active');
  });

  it('takes an event all the same, and runs when it is awake', async () => {
    const { home, invoke, invocations } = await start();
    await home.clock.advance(15 * day);
    expect(await invoke('Event')).toEqual({ StatusCode: 202 });
    expect(invocations()).toBe(0);
    await home.clock.advance(130_000);
    await expect.poll(invocations).toBe(1);
  });

  it('never sleeps outside of a VPC, where there is no network to take back', async () => {
    const { home, invoke } = await start({ VpcConfig: { SubnetIds: [], SecurityGroupIds: [] } });
    await home.clock.advance(400 * day);
    await expect(invoke()).resolves.toMatchObject({ StatusCode: 200 });
  });
});
