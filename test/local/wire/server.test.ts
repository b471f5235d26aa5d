/** What the round trip does not show: errors, signatures, bodies and clients of other makers. */
import { execFile, spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeSecurityGroupsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateDBInstanceCommand, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CborCodec } from '@smithy/core/cbor';
import { HttpRequest } from '@smithy/core/protocols';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AwsError, type IssuedCredentials, type ServiceName } from '../../../local/kernel.ts';
import { createWire, type Dispatch, type Wire } from '../../../local/wire/server.ts';
import * as boto3 from './boto3.ts';

const names = [
  ...['rds', 'sfn', 'lambda', 'eventbridge', 'scheduler', 'cloudwatch', 'cloudwatch-logs', 'sns', 'sqs', 'dynamodb'],
  ...['s3', 'ssm', 'secrets-manager', 'kms', 'iam', 'sts', 'ec2', 'eks', 'codebuild'],
] as ServiceName[];
const issued: IssuedCredentials = { accessKeyId: 'ASIAISSUED', secretAccessKey: 's3cret', sessionToken: 'token+/=' };

let wire: Wire;
let dispatch: Dispatch;
beforeAll(async () => {
  wire = await createWire({
    services: names.map((name) => ({ name, sdk: `@aws-sdk/client-${name}` })),
    dispatch: (request) => dispatch(request),
    secretFor: (accessKeyId) => (accessKeyId === issued.accessKeyId ? issued : undefined),
    route: (path) => (path.startsWith('/_url/') ? (_request, response) => response.end('raw') : undefined),
  });
});
afterAll(() => wire.close());
afterEach(() => vi.restoreAllMocks());

const config = (credentials: Partial<IssuedCredentials> = {}) => ({
  endpoint: wire.endpoint,
  region: 'us-west-2',
  maxAttempts: 1,
  credentials: { accessKeyId: 'operator', secretAccessKey: 'any', ...credentials },
});
const failWith = (error: Error) => {
  dispatch = async () => {
    throw error;
  };
};

describe('errors', () => {
  it.each([
    {
      case: 'awsQuery, by wire code',
      error: new AwsError('DBInstanceAlreadyExists', 'it <exists>'),
      send: () => new RDSClient(config()).send(new CreateDBInstanceCommand(instance)),
      name: 'DBInstanceAlreadyExistsFault',
      status: 400,
    },
    {
      case: 'awsQuery, by shape name',
      error: new AwsError('DBInstanceNotFoundFault', 'none'),
      send: () => new RDSClient(config()).send(new DescribeDBInstancesCommand({})),
      name: 'DBInstanceNotFoundFault',
      status: 404,
    },
    {
      case: 'ec2Query, unmodelled',
      error: new AwsError('InvalidGroup.NotFound', 'none'),
      send: () => new EC2Client(config()).send(new DescribeSecurityGroupsCommand({})),
      name: 'InvalidGroup.NotFound',
      status: 400,
    },
    {
      case: 'awsJson',
      error: new AwsError('ConditionalCheckFailedException', 'no', { Item: { id: { S: 'a' } } }),
      send: () => new DynamoDBClient(config()).send(new PutItemCommand({ TableName: 't', Item: {} })),
      name: 'ConditionalCheckFailedException',
      status: 400,
      fields: { Item: { id: { S: 'a' } } },
    },
    {
      case: 'awsJson with a query code',
      error: new AwsError('QueueDoesNotExist', 'none'),
      send: () => new SQSClient(config()).send(new ReceiveMessageCommand({ QueueUrl: 'q' })),
      name: 'QueueDoesNotExist',
      status: 400,
      fields: { Code: 'AWS.SimpleQueueService.NonExistentQueue' },
    },
    {
      case: 'restJson1, with a member in a header',
      error: new AwsError('TooManyRequestsException', 'slow', {
        retryAfterSeconds: '3',
        Reason: 'CallerRateLimitExceeded',
      }),
      send: () => new LambdaClient(config()).send(new InvokeCommand({ FunctionName: 'f' })),
      name: 'TooManyRequestsException',
      status: 429,
      fields: { retryAfterSeconds: '3', Reason: 'CallerRateLimitExceeded' },
    },
    {
      case: 'restXml',
      error: new AwsError('NoSuchKey', 'none'),
      send: () =>
        new S3Client({ ...config(), forcePathStyle: true }).send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })),
      name: 'NoSuchKey',
      status: 404,
    },
    {
      case: 'restXml, HEAD has no body to say why',
      error: new AwsError('NotFound', 'none'),
      send: () =>
        new S3Client({ ...config(), forcePathStyle: true }).send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' })),
      name: 'NotFound',
      status: 404,
    },
  ])('arrive under the client’s name: $case', async ({ error, send, name, status, fields }) => {
    failWith(error);
    const thrown = await send().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(thrown).toMatchObject({ name, $metadata: { httpStatusCode: status }, ...fields });
    if (name !== 'NotFound') expect((thrown as Error).message).toBe(error.message);
  });

  const instance = { DBInstanceIdentifier: 'a', DBInstanceClass: 'c', Engine: 'postgres' };

  it('are InternalFailure, and printed, when the cloud itself is at fault', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const fault = new TypeError('undefined is not a function');
    failWith(fault);
    const thrown = new RDSClient(config()).send(new DescribeDBInstancesCommand({}));
    await expect(thrown).rejects.toMatchObject({
      name: 'InternalFailure',
      message: fault.message,
      $metadata: { httpStatusCode: 500 },
    });
    expect(printed).toHaveBeenCalledWith(fault);
  });

  it('name service and operation when it is not implemented', async () => {
    const headers = {
      'x-amz-target': 'AWSStepFunctions.Guess',
      'content-type': 'application/x-amz-json-1.0',
      authorization: scope('states'),
    };
    const response = await fetch(wire.endpoint, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({ __type: 'NotImplemented', message: 'sfn:Guess is not implemented' });
  });
});

it('refuses a body that is not what its type says', async () => {
  const headers = {
    'x-amz-target': 'AWSStepFunctions.StartExecution',
    'content-type': 'application/x-amz-json-1.0',
    authorization: scope('states'),
  };
  const response = await fetch(wire.endpoint, { method: 'POST', headers, body: '{"stateMachineArn": ' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ __type: 'SerializationException' });
});

const scope = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=operator/20260101/us-west-2/${service}/aws4_request, SignedHeaders=host, Signature=0`;

describe('signatures of issued credentials', () => {
  const clients = (credentials: IssuedCredentials) => [
    new RDSClient(config(credentials)).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'ü b' })),
    new S3Client({ ...config(credentials), forcePathStyle: true }).send(
      new PutObjectCommand({ Bucket: 'b', Key: 'a b/ü+c', Body: 'text', Metadata: { a: 'b' } }),
    ),
    new LambdaClient(config(credentials)).send(
      new InvokeCommand({
        FunctionName: 'arn:aws:lambda:us-west-2:1:function:f',
        Payload: Buffer.from('{}'),
        Qualifier: 'a b',
      }),
    ),
    new DynamoDBClient(config(credentials)).send(new PutItemCommand({ TableName: 't', Item: {} })),
  ];

  it('pass, and tell the dispatcher who called', async () => {
    const keys: unknown[] = [];
    dispatch = async ({ accessKeyId }) => {
      keys.push(accessKeyId);
      return {};
    };
    await Promise.all(clients(issued));
    expect(keys).toEqual(Array(4).fill('ASIAISSUED'));
  });

  it.each([
    { case: 'another secret', wrong: { secretAccessKey: 'guess' }, name: 'SignatureDoesNotMatch' },
    { case: 'another session token', wrong: { sessionToken: 'guess' }, name: 'InvalidClientTokenId' },
  ])('are refused with $case', async ({ wrong, name }) => {
    dispatch = async () => ({});
    const results = await Promise.allSettled(clients({ ...issued, ...wrong }));
    expect(results.map((r) => r.status === 'rejected' && r.reason.name)).toEqual(Array(4).fill(name));
  });
});

describe('a presigned request, as the EKS token is one', () => {
  const presign = async () => {
    const { hostname, port } = new URL(wire.endpoint);
    const signer = new SignatureV4({
      credentials: issued,
      service: 'sts',
      region: 'us-west-2',
      sha256: Hash.bind(null, 'sha256'),
    });
    const { query } = await signer.presign(
      new HttpRequest({
        hostname,
        port: Number(port),
        path: '/',
        headers: { host: `${hostname}:${port}`, 'x-k8s-aws-id': 'cluster' },
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      }),
      { expiresIn: 60 },
    );
    return new URLSearchParams(query as Record<string, string>);
  };
  const get = (query: URLSearchParams, cluster: string) =>
    fetch(`${wire.endpoint}/?${query}`, { headers: { 'x-k8s-aws-id': cluster } });

  it('verifies for what was signed, and for nothing else', async () => {
    dispatch = async ({ accessKeyId }) => ({ Arn: accessKeyId });
    const query = await presign();
    expect(await (await get(query, 'cluster')).text()).toContain('<Arn>ASIAISSUED</Arn>');
    expect(await (await get(query, 'another')).text()).toContain('SignatureDoesNotMatch');
  });
});

describe('bodies', () => {
  it('arrive without the framing of a streamed upload, its checksum as a member', async () => {
    let input: Record<string, unknown> = {};
    dispatch = async (request) => {
      input = request.input;
      return {};
    };
    const Body = Readable.from([Buffer.from('one '), Buffer.alloc(100_000, 'x')]);
    const s3 = new S3Client({ ...config(issued), forcePathStyle: true });
    await s3.send(
      new PutObjectCommand({ Bucket: 'b', Key: 'k', Body, ContentLength: 100_004, ContentEncoding: 'gzip' }),
    );
    expect(Buffer.from(input.Body as Uint8Array).toString()).toBe(`one ${'x'.repeat(100_000)}`);
    expect(input).toMatchObject({ ContentEncoding: 'gzip', ChecksumCRC32: expect.stringMatching(/==$/) });
  });

  it('are streamed out', async () => {
    dispatch = async () => ({ Body: Readable.from([Buffer.from('a'), Buffer.from('b')]), ContentLength: 2 });
    const s3 = new S3Client({ ...config(), forcePathStyle: true });
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' }));
    expect(await Body?.transformToString()).toBe('ab');
  });

  it('have the length that HEAD tells', async () => {
    dispatch = async () => ({ ContentLength: 12345, ETag: '"x"' });
    const s3 = new S3Client({ ...config(), forcePathStyle: true });
    const { ContentLength, ETag } = await s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' }));
    expect({ ContentLength, ETag }).toEqual({ ContentLength: 12345, ETag: '"x"' });
  });
});

it('gives every request its own id', async () => {
  dispatch = async () => ({});
  const sns = new SNSClient(config());
  const publish = () => sns.send(new PublishCommand({ TopicArn: 't', Message: 'm' }));
  const [a, b] = [await publish(), await publish()];
  expect(a.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(a.$metadata.requestId).not.toBe(b.$metadata.requestId);
});

it('hands raw routes over unread', async () => {
  expect(await (await fetch(`${wire.endpoint}/_url/x/`)).text()).toBe('raw');
});

describe('CloudWatch', () => {
  const alarms = {
    MetricAlarms: [{ AlarmName: 'a', Threshold: 1.5, AlarmConfigurationUpdatedTimestamp: new Date(1e12) }],
  };

  it('answers in CBOR when asked in CBOR', async () => {
    dispatch = async () => alarms;
    const codec = new CborCodec();
    const serializer = codec.createSerializer();
    serializer.write(15, { AlarmNames: ['a'] });
    const response = await fetch(`${wire.endpoint}/service/GraniteServiceVersion20100801/operation/DescribeAlarms`, {
      method: 'POST',
      headers: {
        'smithy-protocol': 'rpc-v2-cbor',
        'content-type': 'application/cbor',
        authorization: scope('monitoring'),
      },
      body: Buffer.from(serializer.flush()),
    });
    const document = await codec.createDeserializer().read(15, new Uint8Array(await response.arrayBuffer()));
    expect(response.headers.get('content-type')).toBe('application/cbor');
    expect(document).toMatchObject({ MetricAlarms: [{ AlarmName: 'a', Threshold: 1.5 }] });
  });

  it('answers a form with XML', async () => {
    let input: unknown;
    dispatch = async (request) => {
      input = request.input;
      return alarms;
    };
    const body = new URLSearchParams({ Action: 'DescribeAlarms', Version: '2010-08-01', 'AlarmNames.member.1': 'a' });
    const response = await fetch(wire.endpoint, {
      method: 'POST',
      headers: { authorization: scope('monitoring') },
      body,
    });
    expect(input).toEqual({ AlarmNames: ['a'] });
    expect(await response.text()).toContain('<MetricAlarms><member><AlarmName>a</AlarmName>');
  });

  it('answers its own client', async () => {
    dispatch = async () => alarms;
    const { MetricAlarms } = await new CloudWatchClient(config()).send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms).toEqual(alarms.MetricAlarms);
  });
});

const installed = (command: string, args: string[]) => spawnSync(command, args).status === 0;

describe.runIf(installed('python3', ['-c', 'import boto3']))('boto3, where installed', () => {
  it('is understood, and understands outputs and errors, in every protocol', async () => {
    dispatch = async ({ service, operation, input }) => {
      if (operation === 'GetQueueUrl') throw new AwsError('QueueDoesNotExist', 'none');
      if (operation === 'ListObjectsV2') throw new AwsError('NoSuchBucket', 'none');
      return boto3.outputs[`${service}:${operation}`]?.(input) ?? {};
    };
    const { stdout } = await promisify(execFile)('python3', ['-c', boto3.script, wire.endpoint], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toEqual(boto3.expected);
  });
});

describe.runIf(installed('aws', ['--version']))('the AWS command line, where installed', () => {
  it('reads an answer and names an error', async () => {
    dispatch = async ({ operation }) => {
      if (operation === 'DescribeDBInstances') throw new AwsError('DBInstanceNotFound', 'no such instance');
      return { Account: '123456789012', Arn: 'arn:x', UserId: 'u' };
    };
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: 'o',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_REGION: 'us-west-2',
      AWS_MAX_ATTEMPTS: '1',
    };
    const aws = (...args: string[]) =>
      promisify(execFile)('aws', ['--endpoint-url', wire.endpoint, '--region', 'us-west-2', ...args], {
        env,
        timeout: 20_000,
      });
    const [identity, missing] = await Promise.allSettled([
      aws('sts', 'get-caller-identity', '--output', 'json'),
      aws('rds', 'describe-db-instances'),
    ]);
    expect(identity).toMatchObject({
      status: 'fulfilled',
      value: { stdout: expect.stringContaining('"123456789012"') },
    });
    expect(missing).toMatchObject({
      status: 'rejected',
      reason: { stderr: expect.stringContaining('(DBInstanceNotFound)') },
    });
  });
});
