import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../../local/cloud.ts';
import { VirtualWorld } from '../../../local/virtual/world.ts';
import { randomOf } from '../../simulation/random.ts';
import { testAccount, writeAssembly } from '../assembly/write-assembly.ts';

const root = mkdtempSync(join(tmpdir(), 'virtual-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a function of the product does: an SDK client, timers, chance, output, state of the module. */
const code = `
import { createRequire } from 'node:module';
const require = createRequire(${JSON.stringify(import.meta.url)});
import { request } from 'node:http';
import { Resolver } from 'node:dns/promises';
let calls = 0;
export const look = async () => {
  console.log('looked');
  calls += 1;
  return { calls, now: Date.now(), name: process.env.AWS_LAMBDA_FUNCTION_NAME, chance: Math.random(), home: process.env.HOME };
};
export const rest = async ({ ms }) => {
  const begun = new Date();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return new Date() - begun;
};
export const find = async ({ server, names }) => {
  const resolver = new Resolver();
  resolver.setServers([server]);
  const found = (asking) => asking.catch(({ code }) => code);
  return Promise.all(names.map(async (name) => [await found(resolver.resolve4(name)), await found(resolver.resolveSrv(name))]));
};
export const ask = () => new Promise((resolve, reject) => {
  const { port } = new URL(process.env.AWS_ENDPOINT_URL);
  const sent = request({ port, path: '/', method: 'POST', headers: {} }, (response) => resolve(response.statusCode));
  sent.on('error', reject);
  sent.end('');
});
`;

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const handler = (name: string) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    FunctionName: name,
    Runtime: 'nodejs24.x',
    Handler: `index.${name}`,
    Code: { S3Bucket: 'assets', S3Key: 'abc.zip' },
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    Timeout: 20,
  },
});
const assembly = writeAssembly(join(root, 'cdk.out'), {
  Functions: {
    region: 'us-east-1',
    assets: { abc: { 'index.mjs': code } },
    template: {
      Resources: {
        Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'function', AssumeRolePolicyDocument: trust } },
        Look: handler('look'),
        Rest: handler('rest'),
        Ask: handler('ask'),
        Find: handler('find'),
      },
    },
  },
});

async function open(
  seed: number,
  skewMs = {},
  networkOf?: ConstructorParameters<typeof VirtualWorld>[0]['networkOf'],
): Promise<{ world: VirtualWorld; cloud: Cloud }> {
  const world = new VirtualWorld({
    ...(networkOf && { networkOf }),
    start: Date.UTC(2026, 10, 1),
    random: randomOf(seed, 'world'),
    latencies: { request: () => 5, coldStart: () => 400, containerStart: () => 1000 },
    openEngine: () => Promise.reject(new Error('no database here')),
    skewMs,
  });
  const options = { assemblies: [assembly], account: testAccount, world, directory: root };
  return { world, cloud: await world.clock.run(startCloud(options), 1e9) };
}

async function invoke({ world, cloud }: Awaited<ReturnType<typeof open>>, FunctionName: string, event: object = {}) {
  const input = { FunctionName, Payload: Buffer.from(JSON.stringify(event)) };
  type Answer = { Payload: Uint8Array; FunctionError?: string };
  const answer = await world.clock.run(cloud.call<Answer>('lambda', 'Invoke', input, 'us-east-1'), 1e9);
  return JSON.parse(Buffer.from(answer.Payload).toString());
}

describe('a cloud inside one process', () => {
  it('runs a function with the cloud’s time, chance and variables, and none of the machine’s', async () => {
    const site = await open(1);
    const seen = await invoke(site, 'look');
    expect(seen).toEqual({ calls: 1, now: site.world.clock.now(), name: 'look', chance: expect.any(Number) });
    expect(seen.now).toBeGreaterThanOrEqual(Date.UTC(2026, 10, 1) + 400);
  });

  it('waits on the virtual clock', async () => {
    const begun = performance.now();
    expect(await invoke(await open(1), 'rest', { ms: 15_000 })).toBe(15_000);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('ends a function that outlasts its time', async () => {
    expect(await invoke(await open(1), 'rest', { ms: 25_000 })).toMatchObject({ errorType: 'Sandbox.Timedout' });
  });

  it('answers on its own network', async () => {
    expect(await invoke(await open(1), 'ask')).toBe(501);
  });

  it('resolves names by the cloud’s name server, whose silence and emptiness are errors as Node’s', async () => {
    const site = await open(1);
    const { world, cloud } = site;
    const call = <O>(operation: string, input: object) =>
      world.clock.run(cloud.call<O>('route-53', operation, input, 'us-east-1'), 1e9);
    const made = await call<{ HostedZone: { Id: string } }>('CreateHostedZone', {
      Name: 'a.example',
      CallerReference: '1',
    });
    const set = (Name: string, Type: string, Value: string) => ({
      Action: 'CREATE',
      ResourceRecordSet: { Name, Type, TTL: 60, ResourceRecords: [{ Value }] },
    });
    const Changes = [set('b.a.example', 'A', '127.0.0.1'), set('c.a.example', 'SRV', '0 0 8080 b.a.example')];
    await call('ChangeResourceRecordSets', { HostedZoneId: made.HostedZone.Id, ChangeBatch: { Changes } });
    await world.clock.pass(61_000);
    const names = ['b.a.example', 'c.a.example', 'd.a.example'];
    const service = { name: 'b.a.example', port: 8080, priority: 0, weight: 0 };
    expect(await invoke(site, 'find', { server: cloud.nameServer, names })).toEqual([
      [['127.0.0.1'], 'ENODATA'],
      ['ENODATA', [service]],
      ['ENOTFOUND', 'ENOTFOUND'],
    ]);
    expect(await invoke(site, 'find', { server: '127.0.0.1:1', names: ['b.a.example'] })).toEqual([
      ['ECONNREFUSED', 'ECONNREFUSED'],
    ]);
  });

  it('shows a function the network as its world has it, and every other as it is', async () => {
    const cut = Object.assign(new Error('cut'), { code: 'ECONNREFUSED' });
    const site = await open(1, {}, (name, network) =>
      name === 'ask' ? { ask: () => Promise.reject(cut), connect: () => undefined, askName: () => undefined } : network,
    );
    expect(await invoke(site, 'ask')).toMatchObject({ errorMessage: 'cut' });
    expect(await invoke(site, 'look')).toMatchObject({ name: 'look' });
  });

  it('cuts off what it kills, and starts anew', async () => {
    const site = await open(1);
    const hanging = invoke(site, 'rest', { ms: 15_000 });
    const lambda = site.cloud.service('lambda', 'us-east-1') as unknown as { goDark(): Promise<void> };
    void site.world.clock.sleep(2000).then(() => lambda.goDark());
    expect(await hanging).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(await invoke(site, 'rest', { ms: 10 })).toBe(10);
  });

  it('is the same twice from one seed, and another from another', async () => {
    const chanceOf = async (seed: number) => (await invoke(await open(seed), 'look')).chance;
    expect(await chanceOf(7)).toBe(await chanceOf(7));
    expect(await chanceOf(8)).not.toBe(await chanceOf(7));
  });

  it('gives a Region a clock that is ahead', async () => {
    const site = await open(1, { 'us-east-1': 90_000 });
    expect((await invoke(site, 'look')).now).toBe(site.world.clock.now() + 90_000);
  });
});
