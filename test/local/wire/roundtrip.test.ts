/** Every operation of every installed client: random input and output through the real client, HTTP and the wire. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceName } from '../../../local/kernel.ts';
import {
  loadService,
  members,
  type OperationShape,
  type ServiceShape,
  signingNameOf,
} from '../../../local/wire/schema.ts';
import { createWire, type Wire } from '../../../local/wire/server.ts';
import { differences, type Generator, normal, randomValue, seeded } from './values.ts';

const require = createRequire(import.meta.url);
const seed = Number(process.env.WIRE_SEED ?? 7);

const names = [
  ...['rds', 'sfn', 'lambda', 'eventbridge', 'scheduler', 'cloudwatch', 'cloudwatch-logs', 'sns', 'sqs', 'dynamodb'],
  ...[
    's3',
    'ssm',
    'secrets-manager',
    'kms',
    'iam',
    'sts',
    'ec2',
    'ecr',
    'eks',
    'codebuild',
    'route-53',
    'service-quotas',
  ],
] as ServiceName[];
const services = names.map((name) => ({ name, sdk: `@aws-sdk/client-${name}` }));

interface Command {
  new (input: object): object;
}
interface Client {
  send(command: object, options?: object): Promise<Record<string, unknown>>;
  destroy(): void;
}

/** Operations the test leaves out, each with its reason. */
const excluded: Readonly<Record<string, string>> = {
  's3:ListDirectoryBuckets': 'signed for S3 Express, a service of its own',
  's3:WriteGetObjectResponse': 'signed for S3 Object Lambda, a service of its own',
};
/** Unsigned operations carry no Region: they count as us-east-1. */
const unsigned = new Set(['AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity']);

const hasEventStream = (operation: OperationShape) =>
  [...members(operation.input), ...members(operation.output)].some(([, m]) => m.isStreaming() && m.isStructSchema());

/** Top-level members that clients compute, encode or check themselves, so that random ones would not arrive as they were. */
const computed = new RegExp(
  `^(${[
    'ContentLength|ContentMD5|Checksum\\w+|ContentEncoding|WriteOffsetBytes', // from the body
    'ExpiresString', // Expires, once more, as it came
    '(CopySource)?SSECustomerKey(MD5)?', // encoded and hashed
    'CreateBucketConfiguration', // the client's Region, where absent
    'Pre[sS]ignedUrl', // EC2, RDS: signed by the client for the source Region
    'EndpointId', // EventBridge: asks for a SigV4a signature, which needs another package
  ].join('|')})$`,
);
/** Top-level members that clients add where absent: S3's type, EC2's Region, an empty payload of Lambda. */
const defaulted = /^(ContentType|DestinationRegion|Error)$/;
const withoutComputed = (received: Record<string, unknown>, sent: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(received).filter(([key]) => key in sent || !(computed.test(key) || defaulted.test(key))),
  );

let wire: Wire;
let answerWith: Record<string, unknown> = {};
let seen: { service: string; operation: string; input: Record<string, unknown>; region: string } | undefined;

beforeAll(async () => {
  wire = await createWire({
    services,
    dispatch: async (request) => {
      seen = request;
      return answerWith;
    },
  });
});
afterAll(() => wire.close());

function clientOf(shape: ServiceShape): { client: Client; commands: Record<string, Command> } {
  const commands = require(`@aws-sdk/client-${shape.name}`);
  const name = Object.keys(commands).find((key) => key.endsWith('Client') && key !== '__Client') ?? '';
  const client: Client = new commands[name]({
    endpoint: wire.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
    forcePathStyle: true,
    disableHostPrefix: true,
    md5: false, // SQS: random values have no true checksum
  });
  return { client, commands };
}

async function roundTrip(
  shape: ServiceShape,
  operation: OperationShape,
  client: Client,
  Command: Command,
  g: Generator,
) {
  const input = inputFor(shape, operation, g);
  answerWith = (randomValue(operation.output, g) ?? {}) as Record<string, unknown>;
  seen = undefined;
  const output = await client.send(new Command(structuredClone(input)), { abortSignal: AbortSignal.timeout(20_000) });
  for (const [key, value] of Object.entries(output)) {
    const stream = value as { transformToByteArray?(): Promise<Uint8Array> } | null;
    if (stream?.transformToByteArray) output[key] = await stream.transformToByteArray();
  }
  return { input, output };
}

function inputFor(shape: ServiceShape, operation: OperationShape, g: Generator): Record<string, unknown> {
  if (!operation.input.isStructSchema()) return {};
  const input = randomValue(operation.input, g) as Record<string, unknown>;
  for (const [name, member] of members(operation.input))
    if (member.isIdempotencyToken()) input[name] ??= 'token-0123456789-0123456789-0123456789';
  if (shape.name === 's3' && 'Bucket' in input) input.Bucket = 'bucket-x';
  return input;
}

describe.each(names)('%s', (name) => {
  const shape = loadService(name, `@aws-sdk/client-${name}`);

  it('is routed by the signing name of its client', () => {
    expect(signingNameOf(name)).toBe(shape.signingName);
  });

  it('reads what its client sends and is read by its client', async () => {
    const { client, commands } = clientOf(shape);
    const g: Generator = {
      random: seeded(seed),
      special: shape.rest.length === 0,
      without: (member) => computed.test(member),
    };
    const failures: string[] = [];
    let tried = 0;
    for (const operation of shape.operations.values()) {
      const Command = commands[`${operation.name}Command`];
      if (!Command || hasEventStream(operation) || excluded[`${name}:${operation.name}`]) continue;
      tried++;
      try {
        const { input, output } = await roundTrip(shape, operation, client, Command, g);
        const found =
          seen?.operation === operation.name &&
          seen.region === (unsigned.has(operation.name) ? 'us-east-1' : 'eu-west-1')
            ? [
                ...differences(normal(input), normal(withoutComputed(seen.input, input)), 'input'),
                ...differences(normal(answerWith), normal(withoutComputed(output, answerWith)), 'output'),
              ]
            : [`taken for ${seen?.operation} in ${seen?.region}`];
        failures.push(...found.map((difference) => `${operation.name}: ${difference}`));
      } catch (error) {
        failures.push(`${operation.name}: ${(error as Error).message}`);
      }
    }
    client.destroy();
    expect(tried).toBeGreaterThan(10);
    expect(failures).toEqual([]);
  });
});

it('would notice a member that is lost or changed', () => {
  const sent = { Tags: [{ Key: 'a', Value: 'b' }], Port: 1 };
  expect(differences(normal(sent), normal({ Tags: [{ Key: 'a' }], Port: '1' }))).toEqual([
    'Port: expected 1, got "1"',
    'Tags.0.Value: expected "b", got undefined',
  ]);
});
