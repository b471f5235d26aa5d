import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { deploy, endFunctions, mark, worldOf } from './deploy.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(endFunctions);

/** Answers when it is told to, so that it runs while its neighbours die. */
const patient = `${mark}export const handler = async ({ port }) => {
  await fetch('http://127.0.0.1:' + port);
  return process.env.AWS_LAMBDA_FUNCTION_NAME;
};`;

/** A server and the connections that it got. */
async function listen() {
  const connections: Socket[] = [];
  const server = createServer((socket) => connections.push(socket.on('error', () => {}).on('data', () => {})));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const first = async () => {
    await expect.poll(() => connections.length).toBeGreaterThan(0);
    return connections[0] as Socket;
  };
  return { port: (server.address() as AddressInfo).port, connections, first };
}

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

describe('a thread that many functions share', () => {
  it('evaluates what keeps nothing once for all, and what keeps something for each', async () => {
    const world = worldOf(true);
    const code = `import { drawn } from './common.mjs'; import { count } from './kept.mjs';
      export const handler = async () => ({ drawn, count: count() });`;
    const files = {
      'common.mjs': 'export const drawn = Math.random();',
      'kept.mjs': `${mark}let counted = 0; export const count = () => ++counted;`,
    };
    const [one, other] = [deploy(code, { world, files }), deploy(code, { world, files })];
    const first = (await one.invoke()).result;
    expect((await one.invoke()).result).toEqual({ drawn: first.drawn, count: 2 });
    expect((await other.invoke()).result).toEqual({ drawn: first.drawn, count: 1 });
  });

  it('takes no asset that does not say what it keeps', async () => {
    const world = worldOf(true);
    const code = 'globalThis.seen = (globalThis.seen ?? 0) + 1; export const handler = async () => globalThis.seen;';
    const seen = async (text: string) => (await deploy(text, { world }).invoke()).result;
    expect([await seen(code), await seen(code)]).toEqual([1, 1]);
    // (control)
    expect([await seen(mark + code), await seen(mark + code)]).toEqual([1, 2]);
  });

  it.each([
    { case: 'ends its process', code: 'export const handler = async () => process.exit(3);' },
    {
      case: 'throws where nobody catches',
      code: "export const handler = () => new Promise(() => setTimeout(() => { throw new Error('stray'); }));",
    },
    {
      case: 'rejects where nobody catches',
      code: "export const handler = () => new Promise(() => { Promise.reject(new Error('stray')); });",
    },
    { case: 'cannot be loaded', code: "throw new Error('bad');" },
    { case: 'is late', code: 'export const handler = () => new Promise(() => {});' },
  ])('goes on with a function whose neighbour $case', async ({ code }) => {
    const world = worldOf(true);
    const { port, first } = await listen();
    const neighbour = deploy(patient, { world, settings: { timeoutSeconds: 60 } });
    const waiting = neighbour.invoke({ port });
    const connection = await first();
    expect((await deploy(mark + code, { world, settings: { timeoutSeconds: 0.2 } }).invoke()).failed).toBe(true);
    connection.write(answer);
    expect((await waiting).result).toBe('work');
  });

  it('lets nothing of a function act that was crashed: connections close, none is opened, no timer fires', async () => {
    const world = worldOf(true);
    const [{ port, connections }, late, beside] = [await listen(), await listen(), await listen()];
    const code = `${mark}import { connect } from 'node:net';
      export const handler = ({ port, late }) => new Promise((resolve) => {
        const open = () => connect(late, '127.0.0.1').on('error', () => {});
        setInterval(() => globalThis.beats = (globalThis.beats ?? 0) + 1, 1);
        fetch('http://127.0.0.1:' + port).catch(open).then(resolve);
        connect(port, '127.0.0.1').on('close', open);
      });`;
    const { run, invoke } = deploy(code, { world, accessKeyId: 'ASIACRASHED' });
    const neighbour = deploy(`${mark}export const handler = async () => globalThis.beats;`, { world });
    const waiting = deploy(patient, { world, settings: { timeoutSeconds: 60 } }).invoke({ port: beside.port });
    const other = await beside.first();
    const crashed = invoke({ port, late: late.port });
    await expect.poll(() => connections.length).toBe(2);
    const closed = connections.map((connection) => once(connection, 'close'));
    await expect.poll(async () => (await neighbour.invoke()).result).toBeGreaterThan(0);
    expect(run.crash('ASIACRASHED')).toBe(true);
    expect((await crashed).result).toMatchObject({ errorType: 'Runtime.ExitError' });
    await Promise.all(closed);
    const beats = (await neighbour.invoke()).result;
    other.write(answer);
    expect((await waiting).result).toBe('work');
    expect((await neighbour.invoke()).result).toBe(beats);
    expect(late.connections).toEqual([]);
  });

  it('ends with a function that never yields, and begins anew', async () => {
    const world = worldOf(true);
    const { port, first } = await listen();
    const neighbour = deploy(patient, { world, settings: { timeoutSeconds: 60 } });
    const waiting = neighbour.invoke({ port });
    await first();
    const code = `${mark}export const handler = async () => { for (;;); };`;
    const { result } = await deploy(code, { world, settings: { timeoutSeconds: 0.2 } }).invoke();
    expect(result).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect((await waiting).result).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect((await deploy(`${mark}export const handler = async () => 1;`, { world }).invoke()).result).toBe(1);
  });
});
