import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../local/cloud.ts';
import { AwsError } from '../../local/kernel.ts';
import { testAccount, writeAssembly } from './assembly/write-assembly.ts';

const root = mkdtempSync(join(tmpdir(), 'cloud-test-'));
const regions = ['us-east-1', 'us-west-2'] as const;

/** Functions that call the cloud as the SDK would, and one that answers what its URL gave it. */
const code = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(import.meta.url)});
const { SSMClient, GetParameterCommand, PutParameterCommand } = require('@aws-sdk/client-ssm');
const ssm = new SSMClient({ maxAttempts: 1 });
export const read = async ({ name }) => (await ssm.send(new GetParameterCommand({ Name: name }))).Parameter.Value;
export const write = async ({ name, value }) => {
  await ssm.send(new PutParameterCommand({ Name: name, Value: value, Type: 'String', Overwrite: true }));
  return 'written';
};
export const keys = async () => ({
  accessKeyId: process.env.AWS_ACCESS_KEY_ID,
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  sessionToken: process.env.AWS_SESSION_TOKEN,
});
export const echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });
`;

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const allow = (Action: string[], Resource: unknown) => ({ Effect: 'Allow', Action, Resource });

function stack(region: string) {
  const worker = (handler: string, properties = {}) => ({
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: handler,
      Runtime: 'nodejs24.x',
      Handler: `index.${handler}`,
      Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: 'abc.zip' },
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
      Timeout: 20,
      LoggingConfig: { LogGroup: { Ref: 'Log' } },
      ...properties,
    },
  });
  return {
    region,
    assets: { abc: { 'index.mjs': code } },
    template: {
      Resources: {
        Read: worker('read'),
        Write: worker('write'),
        Keys: worker('keys'),
        Echo: worker('echo'),
        Log: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/functions', RetentionInDays: 7 } },
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            RoleName: `worker-${region}`,
            AssumeRolePolicyDocument: trust,
            Policies: [
              {
                PolicyName: 'inline',
                PolicyDocument: {
                  Version: '2012-10-17',
                  Statement: [
                    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], { 'Fn::GetAtt': ['Log', 'Arn'] }),
                    allow(['ssm:GetParameter'], {
                      'Fn::Sub': 'arn:aws:ssm:${AWS::Region}:${AWS::AccountId}:parameter/*',
                    }),
                    allow(['lambda:InvokeFunctionUrl'], '*'),
                  ],
                },
              },
            ],
          },
        },
        Url: { Type: 'AWS::Lambda::Url', Properties: { AuthType: 'AWS_IAM', TargetFunctionArn: { Ref: 'Echo' } } },
      },
      Outputs: { Url: { Value: { 'Fn::GetAtt': ['Url', 'FunctionUrl'] } } },
    },
  };
}

let cloud: Cloud;
beforeAll(async () => {
  const assembly = writeAssembly(join(root, 'cdk.out'), { East: stack('us-east-1'), West: stack('us-west-2') });
  cloud = await startCloud({
    assemblies: [assembly],
    directory: root,
    async prepare({ call, stacks }) {
      expect(stacks()).toEqual([]);
      for (const region of regions) {
        await call('ssm', 'PutParameter', { Name: '/where', Value: region, Type: 'String' }, region);
      }
    },
  });
});
afterAll(async () => {
  await cloud.stop();
  rmSync(root, { recursive: true });
});

const operator = { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' };
const client = (region: string) => ({ region, endpoint: cloud.endpoint, credentials: operator, maxAttempts: 1 });

async function invoke(region: string, name: string, event: object) {
  const command = new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) });
  const { Payload, FunctionError } = await new LambdaClient(client(region)).send(command);
  return { result: JSON.parse(Buffer.from(Payload ?? []).toString()), failed: FunctionError !== undefined };
}

describe('a cloud', () => {
  it.each(regions.map((region) => ({ case: region })))(
    'runs a function in $case on the state of that Region',
    async ({ case: region }) => {
      expect(await invoke(region, 'read', { name: '/where' })).toEqual({ result: region, failed: false });
    },
  );

  it('denies a function what its role does not allow, naming the permission', async () => {
    const { failed, result } = await invoke('us-east-1', 'write', { name: '/where', value: 'x' });
    expect(failed).toBe(true);
    expect(result.errorMessage).toMatch(
      /assumed-role\/worker-us-east-1\/write is not authorized to perform: ssm:PutParameter/,
    );
  });

  const onlyRead = { Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:lambda:*:*:function:read' } } };
  it.each([
    { case: 'trusts another service', first: 'Role', Principal: { Service: 'ec2.amazonaws.com' } },
    { case: 'trusts it for another', first: 'Other', Principal: { Service: 'lambda.amazonaws.com' }, ...onlyRead },
  ])('refuses a function whose role $case, after one that it made', async ({ case: _, first, ...statement }) => {
    const made = stack('us-west-2');
    const { Read, Log, Role } = made.template.Resources;
    const Statement = [{ Effect: 'Allow', Action: 'sts:AssumeRole', ...statement }];
    const other = { RoleName: 'other', AssumeRolePolicyDocument: { Version: '2012-10-17', Statement } };
    const worker = (FunctionName: string, role: string) => ({
      ...Read,
      Properties: { ...Read.Properties, FunctionName, Role: { 'Fn::GetAtt': [role, 'Arn'] } },
    });
    const workers = { First: worker('read', first), Second: worker('second', 'Other') };
    const template = { Resources: { Log, Role, Other: { ...Role, Properties: other }, ...workers } };
    const assembly = writeAssembly(mkdtempSync(join(root, 'refused-')), { West: { ...made, template } });
    const refused = startCloud({ assemblies: [assembly], directory: root });
    await expect(refused).rejects.toThrow(/Second .*not authorized to perform: sts:AssumeRole on .*role\/other/);
  });

  it("keeps a function's log lines in its group", async () => {
    await invoke('us-west-2', 'read', { name: '/where' });
    const logs = new CloudWatchLogsClient(client('us-west-2'));
    const search = () => logs.send(new FilterLogEventsCommand({ logGroupName: '/functions', filterPattern: 'REPORT' }));
    await expect.poll(async () => (await search()).events?.length).toBeGreaterThan(0);
  });

  it('answers NotImplemented for an operation that it does not have', async () => {
    await expect(cloud.call('ssm', 'CreateAssociation', {}, 'us-east-1')).rejects.toMatchObject({
      code: 'NotImplemented',
      message: 'ssm:CreateAssociation is not implemented by the embedded cloud',
    });
  });

  it('kills the function that makes a call, half-way, when a fault says so', async () => {
    const remove = cloud.faults.inject({
      service: 'ssm',
      operation: 'GetParameter',
      times: 1,
      effect: { kind: 'crash', when: 'after' },
    });
    expect((await invoke('us-east-1', 'read', { name: '/where' })).result).toMatchObject({
      errorType: 'Runtime.ExitError',
    });
    expect(await invoke('us-east-1', 'read', { name: '/where' })).toEqual({ result: 'us-east-1', failed: false });
    remove();
  });

  it('fails an operation as an injected fault says, as often as it says', async () => {
    cloud.faults.inject({
      service: 'ssm',
      operation: 'GetParameter',
      times: 1,
      effect: { kind: 'throw', error: new AwsError('ThrottlingException', 'Rate exceeded') },
    });
    const read = () => cloud.call('ssm', 'GetParameter', { Name: '/where' }, 'us-east-1');
    await expect(read()).rejects.toMatchObject({ code: 'ThrottlingException' });
    await expect(read()).resolves.toMatchObject({ Parameter: { Value: 'us-east-1' } });
  });
});

describe('a function URL', () => {
  const url = () => new URL(String(cloud.stacks()[0]?.outputs.Url));

  it('hands the function who called', async () => {
    const response = await send(url(), operator);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      version: '2.0',
      rawPath: '/approve',
      rawQueryString: 'token=a%20b',
      queryStringParameters: { token: 'a b' },
      body: '{"approve":true}',
      requestContext: {
        http: { method: 'POST', path: '/approve' },
        authorizer: { iam: { accountId: testAccount, userArn: `arn:aws:iam::${testAccount}:root` } },
      },
    });
  });

  it('refuses a caller without lambda:InvokeFunction, however much it may invoke URLs', async () => {
    const { result: credentials } = await invoke('us-east-1', 'keys', {});
    const response = await send(url(), credentials);
    expect(response.status).toBe(403);
    expect(await response.text()).toMatch(/not authorized to perform: lambda:InvokeFunction /);
  });

  it('refuses who does not sign', async () => {
    expect((await fetch(url())).status).toBe(403);
  });
});

describe('clouds on one machine', () => {
  it('do not disturb each other', async () => {
    const other = await startCloud({ assemblies: [], directory: root });
    await other.call('ssm', 'PutParameter', { Name: '/where', Value: 'elsewhere', Type: 'String' }, 'us-east-1');
    await other.stop();
    expect(existsSync(other.dataDirectory)).toBe(false);
    expect(existsSync(cloud.dataDirectory)).toBe(true);
    expect((await invoke('us-east-1', 'read', { name: '/where' })).result).toBe('us-east-1');
  });

  it.each([
    { case: 'killed with -9', signal: 'SIGKILL', leaves: true },
    { case: 'interrupted', signal: 'SIGINT', leaves: false },
    { case: 'terminated', signal: 'SIGTERM', leaves: false },
  ] as const)('leave nothing for the next when $case', async ({ signal, leaves }) => {
    const directory = mkdtempSync(join(root, 'killed-'));
    const source = `
      const { startCloud } = await import(${JSON.stringify(new URL('../../local/cloud.ts', import.meta.url).href)});
      console.log((await startCloud({ assemblies: [], directory: ${JSON.stringify(directory)} })).dataDirectory);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const path = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data).trim())),
    );
    const exited = new Promise((resolve) => child.once('exit', (_, by) => resolve(by)));
    child.kill(signal);
    expect(await exited).toBe(signal);
    expect(existsSync(path)).toBe(leaves);
    const next = await startCloud({ assemblies: [], directory });
    expect(existsSync(path)).toBe(false);
    await next.stop();
  });
});

async function send(url: URL, credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) {
  const body = '{"approve":true}';
  const request = new HttpRequest({
    method: 'POST',
    hostname: url.hostname,
    path: `${url.pathname}approve`,
    query: { token: 'a b' },
    headers: { host: url.host, 'content-type': 'application/json' },
    body,
  });
  const signer = new SignatureV4({ credentials, region: 'us-east-1', service: 'lambda', sha256: Sha256 });
  const { headers } = await signer.sign(request);
  return fetch(new URL('approve?token=a%20b', url), { method: 'POST', headers, body });
}

/** SHA-256 and HMAC-SHA-256 in the form that the signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }
  update(data: unknown) {
    this.#hash.update(data as string);
  }
  digest = async () => new Uint8Array(this.#hash.digest());
  reset() {}
}
