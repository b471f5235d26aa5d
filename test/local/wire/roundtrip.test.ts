/** Every operation of every installed client: random input and output through the real client, HTTP and the wire. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceName } from '../../../local/kernel.ts';
import { loadService, members, type OperationShape, type ServiceShape, signingNameOf } from '../../../local/wire/schema.ts';
import { createWire, type Wire } from '../../../local/wire/server.ts';
import { type Generator, normal, randomValue, seeded } from './values.ts';

const require = createRequire(import.meta.url);
const seed = Number(process.env.WIRE_SEED ?? 7);

const names = [
  ...['rds', 'sfn', 'lambda', 'eventbridge', 'scheduler', 'cloudwatch', 'cloudwatch-logs', 'sns', 'sqs', 'dynamodb'],
  ...['s3', 'ssm', 'secrets-manager', 'kms', 'iam', 'sts', 'ec2', 'eks', 'codebuild', 'route-53'],
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
const excluded: Readonly<Record<string, string>> = {};

const hasEventStream = (operation: OperationShape) =>
  [...members(operation.input), ...members(operation.output)].some(([, m]) => m.isStreaming() && m.isStructSchema());

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
  });
  return { client, commands };
}

async function roundTrip(shape: ServiceShape, operation: OperationShape, client: Client, Command: Command, g: Generator) {
  const input = inputFor(shape, operation, g);
  answerWith = (randomValue(operation.output, g) ?? {}) as Record<string, unknown>;
  seen = undefined;
  const output = await client.send(new Command(structuredClone(input)), { abortSignal: AbortSignal.timeout(5000) });
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
      // Computed from the body by client and server; random ones would contradict it.
      without: (member) =>
        /^(ContentLength|ContentMD5|Checksum\w+|ContentEncoding|ExpectedBucketOwner|WriteOffsetBytes)$/.test(member) &&
        shape.rest.length > 0,
    };
    const failures: unknown[] = [];
    let tried = 0;
    for (const operation of shape.operations.values()) {
      const Command = commands[`${operation.name}Command`];
      if (!Command || hasEventStream(operation) || excluded[`${name}:${operation.name}`]) continue;
      tried++;
      try {
        const { input, output } = await roundTrip(shape, operation, client, Command, g);
        expect(seen?.operation).toBe(operation.name);
        expect(seen?.region).toBe('eu-west-1');
        expect(normal(seen?.input)).toEqual(normal(input));
        expect(normal(output)).toEqual(normal(answerWith));
      } catch (error) {
        failures.push(`${operation.name}: ${(error as Error).message}`);
      }
    }
    client.destroy();
    expect(tried).toBeGreaterThan(10);
    expect(failures, failures.join('\n\n')).toEqual([]);
  });
});
