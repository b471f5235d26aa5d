/** What stands still, who is refused and what goes on when a Region of a whole cloud is dark. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribeAlarmsCommandOutput } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetParameterCommand, type GetParameterCommandOutput, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scaledClock } from '../../../local/clock.ts';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import type { ServiceName } from '../../../local/kernel.ts';
import type { RdsService } from '../../../local/services/rds/index.ts';
import { type StackSource, writeAssembly } from '../assembly/write-assembly.ts';

const [EAST, WEST] = ['us-east-1', 'us-west-2'];
const root = mkdtempSync(join(tmpdir(), 'dark-test-'));

const code = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(import.meta.url)});
const { SSMClient, GetParameterCommand, PutParameterCommand } = require('@aws-sdk/client-ssm');
const { IAMClient, GetRoleCommand } = require('@aws-sdk/client-iam');
const ssm = (region) => new SSMClient({ region, maxAttempts: 1 });
export const beat = async () => {
  const { Parameter } = await ssm().send(new GetParameterCommand({ Name: '/beats' }));
  await ssm().send(new PutParameterCommand({ Name: '/beats', Value: String(Number(Parameter.Value) + 1), Overwrite: true }));
};
export const look = async ({ region, Name = '/beats' }) => (await ssm(region).send(new GetParameterCommand({ Name }))).Parameter.Value;
export const role = async () => (await new IAMClient({ maxAttempts: 1 }).send(new GetRoleCommand({ RoleName: 'worker-us-west-2' }))).Role.RoleName;
export const rest = async () => {
  await ssm().send(new PutParameterCommand({ Name: '/resting', Value: 'yes', Type: 'String' }));
  await new Promise((resolve) => setTimeout(resolve, 15_000));
};
const { connect } = require('node:net');
export const dial = ({ port }) => new Promise((resolve) => {
  const socket = connect({ port, host: '127.0.0.1' }, () => resolve('connected'));
  socket.on('error', ({ code }) => resolve(code)).on('connect', () => socket.destroy());
});
export const echo = async () => ({ statusCode: 200, body: 'here' });
`;

const trust = (...Service: string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }],
});
const role = (RoleName: string, service: string, Action: string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    ...{ RoleName, AssumeRolePolicyDocument: trust(service) },
    Policies: [
      {
        PolicyName: 'inline',
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] },
      },
    ],
  },
});
const arnOf = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });

function stack(region: string) {
  const worker = (handler: string) => ({
    Type: 'AWS::Lambda::Function',
    Properties: {
      ...{ FunctionName: handler, Runtime: 'nodejs24.x', Handler: `index.${handler}`, Timeout: 20 },
      ...{ Code: { S3Bucket: 'assets', S3Key: 'abc.zip' }, Role: arnOf('Role') },
    },
  });
  const states = {
    QueryLanguage: 'JSONata',
    StartAt: 'Wait',
    States: {
      Wait: { Type: 'Wait', Seconds: 60, Next: 'Beat' },
      Beat: {
        ...{ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', TimeoutSeconds: 60, End: true },
        Arguments: { FunctionName: 'beat' },
      },
    },
  };
  return {
    region,
    assets: { abc: { 'index.mjs': code } },
    template: {
      Resources: {
        Role: role(`worker-${region}`, 'lambda.amazonaws.com', ['ssm:*', 'logs:*', 'iam:GetRole']),
        Caller: role(`caller-${region}`, 'states.amazonaws.com', ['lambda:InvokeFunction']),
        Clockwork: role(`clockwork-${region}`, 'scheduler.amazonaws.com', ['lambda:InvokeFunction']),
        ...{ Beat: worker('beat'), Look: worker('look'), Rest: worker('rest'), Echo: worker('echo') },
        ...{ GetsRole: worker('role'), Dial: worker('dial') },
        Url: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'AWS_IAM', TargetFunctionArn: { Ref: 'Echo' } } },
        Schedule: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: {
            ...{ Name: 'beat', ScheduleExpression: 'rate(1 minute)', FlexibleTimeWindow: { Mode: 'OFF' } },
            Target: { Arn: arnOf('Beat'), RoleArn: arnOf('Clockwork') },
          },
        },
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: { StateMachineName: 'slow', RoleArn: arnOf('Caller'), DefinitionString: JSON.stringify(states) },
        },
        Alarm: {
          Type: 'AWS::CloudWatch::Alarm',
          Properties: {
            ...{ AlarmName: 'silent', Namespace: 'Stocker', MetricName: 'None', Statistic: 'Sum', Period: 60 },
            ...{ EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: 'LessThanThreshold' },
            TreatMissingData: 'breaching',
          },
        },
      },
      Outputs: { Url: { Value: { 'Fn::GetAtt': ['Url', 'FunctionUrl'] } } },
    },
  };
}

let cloud: Cloud;
beforeAll(async () => {
  const assembly = writeAssembly(join(root, 'cdk.out'), { East: stack(EAST), West: stack(WEST) });
  cloud = await startCloud({
    assemblies: [assembly],
    directory: root,
    clock: scaledClock(120),
    async prepare({ call }) {
      for (const region of [EAST, WEST])
        await call('ssm', 'PutParameter', { Name: '/beats', Value: '0', Type: 'String' }, region);
    },
  });
});
afterEach(async () => {
  for (const region of cloud.regions) if (cloud.isDark(region)) await cloud.comeBack(region);
});
afterAll(async () => {
  await cloud.stop();
  rmSync(root, { recursive: true });
});

const client = (region: string) => ({
  ...{ region, endpoint: cloud.endpoint, maxAttempts: 1 },
  credentials: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' },
});
async function invoke(region: string, name: string, event: object = {}) {
  const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
  const { Payload } = await new LambdaClient(client(region)).send(command);
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}
/** Looks past the API: what is true of a Region that nobody can ask. */
async function look(region: string, service: ServiceName, operation: string, input: object): Promise<unknown> {
  const principal = { kind: 'operator', arn: '', accessKeyId: '' } as const;
  const found = cloud.service(service, region).operations[operation];
  return found?.run(input, { account: cloud.account, region, principal, requestId: '' });
}
async function beats(region: string): Promise<number> {
  const { Parameter } = (await look(region, 'ssm', 'GetParameter', { Name: '/beats' })) as GetParameterCommandOutput;
  return Number(Parameter?.Value);
}
async function alarm(region: string): Promise<string | undefined> {
  const { MetricAlarms } = (await look(region, 'cloudwatch', 'DescribeAlarms', {})) as DescribeAlarmsCommandOutput;
  return MetricAlarms?.[0]?.StateValue;
}
/** The other Region shows that time passes: so many of its minutes. */
async function minutesIn(region: string, count: number): Promise<void> {
  const before = await beats(region);
  await expect.poll(() => beats(region)).toBeGreaterThanOrEqual(before + count);
}

describe('a Region that is dark', () => {
  it('refuses every call, while the other answers', async () => {
    await cloud.goDark(EAST);
    const read = (region: string) => new SSMClient(client(region)).send(new GetParameterCommand({ Name: '/beats' }));
    await expect(read(EAST)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(read(WEST)).resolves.toBeDefined();
    await expect(cloud.call('ssm', 'GetParameter', { Name: '/beats' }, EAST)).rejects.toThrow('us-east-1 is dark');
    const [east, west] = cloud.stacks().map(({ outputs }) => String(outputs.Url));
    await expect(fetch(east ?? '')).rejects.toThrow('fetch failed');
    // Nobody signs here: that this is refused says that somebody is there.
    expect((await fetch(west ?? '')).status).toBe(403);
    await cloud.comeBack(EAST);
    expect((await fetch(east ?? '')).status).toBe(403);
    await expect(read(EAST)).resolves.toBeDefined();
  });

  it('leaves callers hanging where it is told to, until it returns', async () => {
    await cloud.goDark(EAST, 'hang');
    let ended = false;
    const reading = new SSMClient(client(EAST))
      .send(new GetParameterCommand({ Name: '/beats' }))
      .catch(({ code }: { code: string }) => code)
      .finally(() => {
        ended = true;
      });
    await minutesIn(WEST, 2);
    expect(ended).toBe(false);
    await cloud.comeBack(EAST);
    expect(await reading).toBe('ECONNRESET');
  });

  it('makes no progress in schedules and alarms, and goes on when it returns', async () => {
    await minutesIn(EAST, 1);
    // It watches what nobody publishes: the next evaluation finds it in ALARM again.
    const calm = { AlarmName: 'silent', StateValue: 'OK', StateReason: 'by hand' };
    await cloud.call('cloudwatch', 'SetAlarmState', calm, EAST);
    await cloud.goDark(EAST);
    const before = await beats(EAST);
    await minutesIn(WEST, 3);
    expect([await beats(EAST), await alarm(EAST), await alarm(WEST)]).toEqual([before, 'OK', 'ALARM']);
    await cloud.comeBack(EAST);
    await minutesIn(EAST, 2);
    expect(await alarm(EAST)).toBe('ALARM');
  });

  it('holds state machines where they are, and lets them end when it returns', async () => {
    const stateMachineArn = `arn:aws:states:${EAST}:${cloud.account}:stateMachine:slow`;
    const { executionArn } = await cloud.call<{ executionArn: string }>(
      'sfn',
      'StartExecution',
      { stateMachineArn },
      EAST,
    );
    const statusOf = async () =>
      (await cloud.call<{ status: string }>('sfn', 'DescribeExecution', { executionArn }, EAST)).status;
    await cloud.goDark(EAST);
    await minutesIn(WEST, 3);
    await cloud.comeBack(EAST);
    expect(await statusOf()).toBe('RUNNING');
    await expect.poll(statusOf).toBe('SUCCEEDED');
  });

  it('ends its functions in mid-work', async () => {
    const invoking = invoke(EAST, 'rest').catch(({ code }: { code: string }) => code);
    const isResting = () =>
      look(EAST, 'ssm', 'GetParameter', { Name: '/resting' }).then(
        () => true,
        () => false,
      );
    await expect.poll(isResting).toBe(true);
    const begun = performance.now();
    await cloud.goDark(EAST);
    expect(await invoking).toBe('ECONNRESET');
    expect(performance.now() - begun).toBeLessThan(5000);
    await cloud.comeBack(EAST);
    expect(Number(await invoke(EAST, 'look'))).toBeGreaterThanOrEqual(0);
  });

  it('is unreachable for functions of the other, which see a cut connection', async () => {
    expect(await invoke(WEST, 'look', { region: EAST })).toMatch(/^\d+$/);
    await cloud.goDark(EAST);
    expect(await invoke(WEST, 'look', { region: EAST })).toMatchObject({ errorMessage: 'socket hang up' });
    expect(await invoke(WEST, 'look')).toMatch(/^\d+$/);
  });

  it('takes the control plane of IAM with it, while roles go on to work', async () => {
    expect(await invoke(WEST, 'role')).toBe('worker-us-west-2');
    await cloud.goDark(EAST);
    expect(await invoke(WEST, 'role')).toMatchObject({ errorMessage: 'socket hang up' });
    const session = { RoleArn: `arn:aws:iam::${cloud.account}:role/worker-us-west-2`, RoleSessionName: 'x' };
    await expect(cloud.call('sts', 'AssumeRole', session, WEST)).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(cloud.call('iam', 'GetRole', { RoleName: 'worker-us-west-2' }, WEST)).rejects.toThrow('is dark');
  });

  it('lets no stack make a role, and none make anything in it', async () => {
    const { Role, Alarm } = stack(WEST).template.Resources;
    const deploy = (name: string, region: string, resource: object) =>
      cloud.deploy(
        writeAssembly(join(root, name), {
          [name]: { region, template: { Resources: { Thing: resource } } } as StackSource,
        }),
      );
    await cloud.goDark(EAST);
    const role = { ...Role, Properties: { ...Role.Properties, RoleName: 'late' } };
    await expect(deploy('WestRole', WEST, role)).rejects.toThrow('us-east-1 is dark');
    await expect(deploy('EastAlarm', EAST, Alarm)).rejects.toThrow('us-east-1 is dark');
    await expect(deploy('WestAlarm', WEST, Alarm)).resolves.toBeDefined();
  });

  it('can be the other one: the first goes on with Route 53 and IAM', async () => {
    await cloud.goDark(WEST);
    await expect(cloud.call('ssm', 'GetParameter', { Name: '/beats' }, WEST)).rejects.toThrow('us-west-2 is dark');
    await expect(cloud.call('route-53', 'ListHostedZones', {}, WEST)).resolves.toBeDefined();
    expect(await invoke(EAST, 'look')).toMatch(/^\d+$/);
  });

  it('is one of the cloud, and is dark once', async () => {
    await expect(cloud.goDark('eu-west-1')).rejects.toMatchObject({ code: 'NotImplemented' });
    await cloud.goDark(EAST);
    await expect(cloud.goDark(EAST)).rejects.toThrow('dark already');
  });
});

describe('Regions that are parted', () => {
  afterEach(() => cloud.join(EAST, WEST));

  it('lose each other and nothing else, until they are joined', async () => {
    await cloud.part(EAST, WEST);
    for (const [from, to] of [
      [EAST, WEST],
      [WEST, EAST],
    ] as const) {
      expect(await invoke(from, 'look', { region: to })).toMatchObject({ errorMessage: 'socket hang up' });
      expect(await invoke(from, 'look')).toMatch(/^\d+$/);
      await expect(cloud.call('ssm', 'GetParameter', { Name: '/beats' }, to)).resolves.toBeDefined();
    }
    await minutesIn(EAST, 1);
    await minutesIn(WEST, 1);
    await cloud.join(EAST, WEST);
    expect(await invoke(EAST, 'look', { region: WEST })).toMatch(/^\d+$/);
  });

  it('leave callers hanging where they are told to', async () => {
    await cloud.part(EAST, WEST, 'hang');
    let ended = false;
    const looking = invoke(EAST, 'look', { region: WEST }).finally(() => {
      ended = true;
    });
    await minutesIn(WEST, 2);
    expect(ended).toBe(false);
    await cloud.join(EAST, WEST);
    expect(await looking).toMatchObject({ errorMessage: 'socket hang up' });
  });

  it('lose the ports of each other: their functions find no route to what listens there', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { darkness } = homeOf(EAST);
    darkness.locatePort(port, EAST);
    expect(await invoke(WEST, 'dial', { port })).toBe('connected');
    await cloud.part(EAST, WEST);
    expect(await invoke(WEST, 'dial', { port })).toBe('EHOSTUNREACH');
    expect(await invoke(EAST, 'dial', { port })).toBe('connected');
    await cloud.join(EAST, WEST);
    expect(await invoke(WEST, 'dial', { port })).toBe('connected');
    server.close();
  });

  it('are two of the cloud, and parted once', async () => {
    await expect(cloud.part(EAST, 'eu-west-1')).rejects.toThrow('no way');
    await cloud.part(EAST, WEST);
    await expect(cloud.part(WEST, EAST)).rejects.toThrow('parted already');
  });
});

/** What a service of that Region is given. */
const homeOf = (region: string) => (cloud.service('rds', region) as RdsService).region.home;

describe('a cloud', () => {
  it('stops while a Region is dark', async () => {
    const other = await startCloud({ assemblies: [], directory: root });
    await other.goDark(EAST);
    await other.stop();
  });
});
