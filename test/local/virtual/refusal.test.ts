/** A refusal that takes the short way is what the SDK makes of it on the long one. */
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsError, type ServiceName } from '../../../local/kernel.ts';
import { type Reader, refusalOf } from '../../../local/virtual/refusal.ts';
import { loadService } from '../../../local/wire/schema.ts';
import { createWire, type Wire } from '../../../local/wire/server.ts';

const names: readonly ServiceName[] = ['dynamodb', 'rds', 'eks', 's3', 'sns', 'sqs', 'sfn', 'ssm', 'cloudwatch'];
let wire: Wire;
let error: AwsError;
let calls = 0;
beforeAll(async () => {
  wire = await createWire({
    services: names.map((name) => ({ name, sdk: `@aws-sdk/client-${name}` })),
    dispatch() {
      calls++;
      return Promise.reject(error);
    },
  });
});
afterAll(() => wire.close());

interface Client {
  readonly config: { readonly protocol?: Reader };
  send(command: object): Promise<unknown>;
}
const config = () => ({
  endpoint: wire.endpoint,
  region: 'us-west-2',
  forcePathStyle: true,
  retryMode: 'standard',
  maxAttempts: 2,
  credentials: { accessKeyId: 'operator', secretAccessKey: 'any' },
});
const made = (Class: new (given: ReturnType<typeof config>) => object) => new Class(config()) as Client;

async function bothWays(client: Client, command: object, service: ServiceName) {
  const { schema = [] } = command as { schema?: readonly unknown[] };
  const short = await refusalOf(error, loadService(service, `@aws-sdk/client-${service}`), schema, client.config);
  calls = 0;
  const long = await client.send(command).catch((thrown: unknown) => thrown);
  return { short, long };
}

/** All that a caller can read of it. */
const told = (exception: unknown) => {
  const { name, message, $metadata, ...said } = exception as Error & { $metadata: object };
  const metadata = { ...$metadata, requestId: 'any', extendedRequestId: 'any' };
  const kind = Object.getPrototypeOf(exception).constructor;
  return {
    name,
    message,
    metadata,
    kind,
    said: JSON.parse(JSON.stringify({ ...said, RequestId: 'any', HostId: 'any' })),
  };
};

describe('a refusal for good', () => {
  const key = { TableName: 't', Key: { id: { S: 'a' } } };
  test.each([
    {
      case: 'awsJson1_0, with its fields',
      service: 'dynamodb',
      refused: new AwsError('ConditionalCheckFailedException', 'The conditional request failed', {
        Item: { id: { S: 'a' }, count: { N: '3' } },
      }),
      call: () => [made(DynamoDBClient), new DeleteItemCommand(key)],
    },
    {
      case: 'awsJson1_0',
      service: 'sfn',
      refused: new AwsError('TaskTimedOut', 'Task Timed Out'),
      call: () => [made(SFNClient), new SendTaskSuccessCommand({ taskToken: 't', output: '{}' })],
    },
    {
      case: 'awsJson1_1',
      service: 'ssm',
      refused: new AwsError('ParameterNotFound', ''),
      call: () => [made(SSMClient), new GetParameterCommand({ Name: 'n' })],
    },
    {
      case: 'awsJson, of a service that once had a query protocol',
      service: 'sqs',
      refused: new AwsError('QueueDoesNotExist', 'none'),
      call: () => [made(SQSClient), new ReceiveMessageCommand({ QueueUrl: 'http://q/1/q' })],
    },
    {
      case: 'awsQuery, by the shape’s name',
      service: 'rds',
      refused: new AwsError('DBInstanceNotFoundFault', 'DBInstance <a> & "b" not found.'),
      call: () => [made(RDSClient), new DescribeDBInstancesCommand({})],
    },
    {
      case: 'awsQuery, by the wire’s code',
      service: 'rds',
      refused: new AwsError('InvalidDBInstanceState', 'it is being deleted'),
      call: () => [made(RDSClient), new DescribeDBInstancesCommand({})],
    },
    {
      case: 'awsQuery of another service',
      service: 'sns',
      refused: new AwsError('NotFound', 'Topic does not exist'),
      call: () => [made(SNSClient), new PublishCommand({ TopicArn: 't', Message: 'm' })],
    },
    {
      case: 'restJson1, with its fields',
      service: 'eks',
      refused: new AwsError('ResourceNotFoundException', 'No cluster found', { clusterName: 'stocker' }),
      call: () => [made(EKSClient), new DescribeClusterCommand({ name: 'stocker' })],
    },
    {
      case: 'restXml',
      service: 's3',
      refused: new AwsError('NoSuchKey', 'The specified key does not exist.'),
      call: () => [made(S3Client), new GetObjectCommand({ Bucket: 'b', Key: 'k' })],
    },
  ] as const)('is the same on both ways: $case', async ({ service, refused, call }) => {
    error = refused;
    const [client, command] = call() as unknown as [Client, object];
    const { short, long } = await bothWays(client, command, service);
    expect(calls).toBe(1);
    expect(told(short)).toEqual(told(long));
  });
});

describe('takes the long way', () => {
  test.each([
    { what: 'throttling', code: 'ThrottlingException' },
    { what: 'a throughput that is used up', code: 'ProvisionedThroughputExceededException' },
    { what: 'a fault of the service', code: 'InternalServerError' },
    { what: 'what the model does not know', code: 'ValidationException' },
    { what: 'a denied call: clocks that differ are told by it', code: 'AccessDeniedException' },
  ])('$what', async ({ code }) => {
    error = new AwsError(code, 'not now');
    const { short, long } = await bothWays(
      made(DynamoDBClient),
      new DeleteItemCommand({ TableName: 't', Key: {} }),
      'dynamodb',
    );
    expect(short).toBeUndefined();
    expect(told(long)).toMatchObject({ name: code });
  });

  test('a protocol that nothing here writes', async () => {
    error = new AwsError('ResourceNotFound', 'none');
    const client = { ...made(CloudWatchClient), config: { protocol: { ...unknownProtocol } } } as Client;
    const { schema = [] } = new DescribeAlarmsCommand({}) as { schema?: readonly unknown[] };
    const shape = loadService('cloudwatch', '@aws-sdk/client-cloudwatch');
    expect(await refusalOf(error, shape, schema, client.config)).toBeUndefined();
  });
});

const unknownProtocol: Reader = {
  getShapeId: () => 'smithy.protocols#rpcv2Cbor',
  deserializeResponse: () => Promise.reject(new Error('nobody asks it')),
};
