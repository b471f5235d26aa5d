/** Route 53 and Regions that go dark, inside one process: hours in an instant, and names answered without sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as sdk from '@aws-sdk/client-route-53';
import * as packet from 'dns-packet';
import { buildSync } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import { VirtualWorld } from '../../../local/virtual/world.ts';
import { randomOf } from '../../simulation/random.ts';
import { testAccount, writeAssembly } from '../assembly/write-assembly.ts';
import { record } from '../services/route53/home.ts';

const root = mkdtempSync(join(tmpdir(), 'virtual-route53-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const [EAST, WEST] = ['us-east-1', 'us-west-2'];
const [SECOND, HOUR] = [1000, 3_600_000];
/** Bundled as the product's functions are; the base of the clients is exported, so that calls go the short way. */
const source = `
import { ListHostedZonesCommand, Route53Client } from '@aws-sdk/client-route-53';
export const Client = Object.getPrototypeOf(Route53Client);
export const zones = async () => (await new Route53Client().send(new ListHostedZonesCommand({}))).HostedZones.map(({ Name }) => Name);
export const rest = ({ ms }) => new Promise((resolve) => setTimeout(resolve, ms, 'rested'));
`;
const [bundle] = buildSync({
  ...{ stdin: { contents: source, resolveDir: import.meta.dirname }, write: false, bundle: true },
  ...{ format: 'esm', platform: 'node', target: 'node24', mainFields: ['module', 'main'] },
  banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
}).outputFiles;
const code = bundle?.text ?? '';
const handler = (name: string) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    ...{ FunctionName: name, Runtime: 'nodejs24.x', Handler: `index.${name}`, Timeout: 60 },
    ...{ Code: { S3Bucket: 'assets', S3Key: 'abc.zip' }, Role: { 'Fn::GetAtt': ['Role', 'Arn'] } },
  },
});
const stack = (region: string) => ({
  region,
  assets: { abc: { 'index.mjs': code } },
  template: {
    Resources: {
      Zones: handler('zones'),
      Rest: handler('rest'),
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: `function-${region}`,
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
          },
          Policies: [
            {
              PolicyName: 'inline',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [{ Effect: 'Allow', Action: 'route53:ListHostedZones', Resource: '*' }],
              },
            },
          ],
        },
      },
    },
  },
});
const assembly = writeAssembly(join(root, 'cdk.out'), { East: stack(EAST), West: stack(WEST) });

interface Site {
  readonly world: VirtualWorld;
  readonly cloud: Cloud;
  call<O = unknown>(operation: string, input: object): Promise<O>;
  invoke(region: string, name: string, event?: object): Promise<unknown>;
  /** What the name server's port answers. */
  ask(name: string): string[];
}

async function open(): Promise<Site> {
  const world = new VirtualWorld({
    start: Date.UTC(2026, 10, 1),
    random: randomOf(1, 'world'),
    latencies: { request: () => 5, coldStart: () => 400, containerStart: () => 1000 },
    openEngine: () => Promise.reject(new Error('no database here')),
  });
  const cloud = await world.clock.run(
    startCloud({ assemblies: [assembly], account: testAccount, world, directory: root }),
    HOUR,
  );
  const port = Number(cloud.nameServer.split(':')[1]);
  return {
    world,
    cloud,
    call: <O>(operation: string, input: object) =>
      world.clock.run(cloud.call<O>('route-53', operation, input, EAST), HOUR),
    async invoke(region, FunctionName, event = {}) {
      const input = { FunctionName, Payload: Buffer.from(JSON.stringify(event)) };
      const answer = cloud.call<{ Payload: Uint8Array }>('lambda', 'Invoke', input, region);
      return JSON.parse(Buffer.from((await world.clock.run(answer, HOUR)).Payload).toString());
    },
    ask(name) {
      const query = packet.encode({ type: 'query', id: 1, questions: [{ type: 'A', name }] });
      const { answers = [] } = packet.decode(world.network.askName(port, query) ?? Buffer.alloc(0));
      return answers.map((answer) => String((answer as { data?: unknown }).data));
    },
  };
}

/** A zone whose record fails over when what listens on port 8080 does. */
async function withFailover({ world, call }: Site): Promise<void> {
  const made = await call<sdk.CreateHostedZoneResponse>('CreateHostedZone', {
    ...{ Name: 'stocker.example', CallerReference: '1' },
  });
  const config = { Type: 'HTTP', IPAddress: '127.0.0.1', Port: 8080, RequestInterval: 10, FailureThreshold: 3 };
  const { HealthCheck } = await call<sdk.CreateHealthCheckResponse>('CreateHealthCheck', {
    ...{ CallerReference: '1', HealthCheckConfig: config },
  });
  const role = (Failover: 'PRIMARY' | 'SECONDARY', value: string, HealthCheckId?: string) =>
    record('CREATE', 'api.stocker.example', value, { SetIdentifier: Failover, Failover, HealthCheckId });
  const Changes = [role('PRIMARY', '192.0.2.1', HealthCheck?.Id), role('SECONDARY', '192.0.2.2')];
  await call('ChangeResourceRecordSets', { HostedZoneId: made.HostedZone?.Id, ChangeBatch: { Changes } });
  await world.clock.pass(61 * SECOND);
}

it('checks and answers on the virtual clock, and goes on while us-east-1 is dark', async () => {
  const site = await open();
  const { world, cloud, ask } = site;
  const { close } = await world.network.listen((_, response) => void response.writeHead(200).end(), { port: 8080 });
  await withFailover(site);
  expect(ask('api.stocker.example')).toEqual(['192.0.2.1']);
  expect(await site.invoke(WEST, 'zones')).toEqual(['stocker.example.']);
  await cloud.goDark(EAST);
  await close();
  await world.clock.pass(19 * SECOND);
  expect(ask('api.stocker.example')).toEqual(['192.0.2.1']);
  await world.clock.pass(12 * SECOND);
  expect(ask('api.stocker.example')).toEqual(['192.0.2.2']);
  expect(await site.invoke(WEST, 'zones')).toMatchObject({ errorMessage: 'socket hang up' });
  await cloud.comeBack(EAST);
  expect(await site.invoke(WEST, 'zones')).toEqual(['stocker.example.']);
  await world.clock.run(cloud.stop(), HOUR);
});

it('holds a dark Region still for as long as it is dark', async () => {
  const { world, cloud, invoke } = await open();
  const input = { FunctionName: 'rest', InvocationType: 'RequestResponse', Payload: Buffer.from('{"ms":20000}') };
  const cut = cloud.call('lambda', 'Invoke', input, EAST).catch((error: Error) => error.message);
  await world.clock.pass(5 * SECOND);
  await cloud.goDark(EAST);
  expect(await world.clock.run(cut, HOUR)).toBe('the Region us-east-1 is dark');
  const went = world.clock.now();
  expect(await invoke(WEST, 'rest', { ms: 20_000 })).toBe('rested');
  expect(world.clock.now() - went).toBeLessThan(25 * SECOND);
  await expect(invoke(EAST, 'rest')).rejects.toThrow('us-east-1 is dark');
  await cloud.comeBack(EAST);
  expect(await invoke(EAST, 'rest', { ms: 10 })).toBe('rested');
  await world.clock.run(cloud.stop(), HOUR);
});

it('is the same twice', async () => {
  const story = async () => {
    const site = await open();
    await withFailover(site);
    await site.cloud.goDark(EAST);
    await site.world.clock.pass(HOUR);
    await site.cloud.comeBack(EAST);
    await site.world.clock.pass(HOUR);
    return [site.world.clock.now(), site.ask('api.stocker.example')];
  };
  expect(await story()).toEqual(await story());
});
