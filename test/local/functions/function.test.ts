import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FunctionDefinition } from '../../../local/functions/definition.ts';
import { deploy as deployIn, endFunctions, mark, root, worldOf } from './deploy.ts';

afterAll(endFunctions);

describe.each([
  { where: 'in a thread of its own', sharesThread: false },
  { where: 'in a thread that many share', sharesThread: true },
])('a function $where', ({ sharesThread }) => {
  const deploy = (code: string, settings: Partial<FunctionDefinition> = {}, capacity = 4) =>
    deployIn(sharesThread ? `${mark}${code}` : code, { settings, capacity, world: worldOf(sharesThread) });

  it('answers what its handler returns, from one environment for invocations in turn', async () => {
    const { invoke } = deploy('let n = 0; export const handler = async (event) => ({ event, n: ++n });');
    expect((await invoke({ a: 1 })).result).toEqual({ event: { a: 1 }, n: 1 });
    expect((await invoke({ a: 2 })).result).toEqual({ event: { a: 2 }, n: 2 });
  });

  it('starts few environments for many events at once: those that wait take what becomes idle', async () => {
    const { invoke } = deploy('const id = Math.random(); export const handler = async () => id;', {}, 40);
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await invoke()).result));
    expect(new Set(ids).size).toBeLessThan(20);
  });

  it('runs invocations at once in environments of their own', async () => {
    const { invoke } = deploy(
      'let n = 0; export const handler = async () => { await new Promise((r) => setTimeout(r, 50)); return ++n; };',
    );
    const answers = await Promise.all([invoke(), invoke(), invoke()]);
    expect(answers.map(({ result }) => result)).toEqual([1, 1, 1]);
  });

  it("sees the template's environment and Lambda's, and nothing of this machine's", async () => {
    const { invoke } = deploy('export const handler = async () => process.env;', {
      environment: { TABLE: 'incidents', PGSSLROOTCERT: '/var/runtime/ca-cert.pem' },
    });
    const { result } = await invoke();
    expect(result).toMatchObject({
      TABLE: 'incidents',
      PGSSLROOTCERT: join(root, 'runtime', 'ca-cert.pem'),
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'work',
      AWS_ACCESS_KEY_ID: 'ASIATEST',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-/),
    });
    expect(result).not.toHaveProperty('HOME');
    expect(result).not.toHaveProperty('NODE_COMPILE_CACHE');
  });

  it('gives its context the request, the ARN it was invoked by and the time left', async () => {
    const { invoke } = deploy(
      'export const handler = async (_, c) => ({ id: c.awsRequestId, arn: c.invokedFunctionArn, left: c.getRemainingTimeInMillis() });',
    );
    const { result, requestId } = await invoke();
    expect(result).toMatchObject({ id: requestId, arn: 'arn:aws:lambda:us-east-1:111122223333:function:work:live' });
    expect(result.left).toBeGreaterThan(8000);
    expect(result.left).toBeLessThanOrEqual(10_000);
  });

  it("fails under the error's own name, which is what Retry and Catch match", async () => {
    const { invoke } = deploy(
      "export const handler = async () => { throw Object.assign(new Error('not yet'), { name: 'SnapshotNotReady' }); };",
    );
    const { failed, result } = await invoke();
    expect(failed).toBe(true);
    expect(result).toMatchObject({ errorType: 'SnapshotNotReady', errorMessage: 'not yet' });
    expect(result.trace[0]).toContain('not yet');
  });

  it.each([
    {
      case: 'loops for ever',
      code: 'export const handler = async () => { for (;;); };',
      settings: { timeoutSeconds: 0.2 },
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: /^RequestId: \S+ Error: Task timed out after 0\.20 seconds$/,
      },
    },
    {
      case: 'waits for ever',
      code: 'export const handler = () => new Promise(() => setInterval(() => {}, 1000));',
      settings: { timeoutSeconds: 0.2 },
      error: { errorType: 'Sandbox.Timedout', errorMessage: /Task timed out/ },
    },
    {
      case: 'ends its process',
      code: 'export const handler = async () => process.exit(3);',
      error: { errorType: 'Runtime.ExitError', errorMessage: /exit status 3/ },
    },
    {
      case: 'throws where nobody catches',
      code: "export const handler = () => new Promise(() => setTimeout(() => { throw new TypeError('stray'); }));",
      error: { errorType: 'TypeError', errorMessage: /stray/ },
    },
    {
      case: 'rejects where nobody catches',
      code: "export const handler = () => new Promise(() => { Promise.reject(new Error('stray')); });",
      error: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: /stray/ },
    },
    {
      case: 'is not in the asset',
      code: '',
      settings: { handler: 'other.handler' },
      error: { errorType: 'Runtime.ImportModuleError', errorMessage: /Cannot find module 'other'/ },
    },
    {
      case: 'is not exported',
      code: 'export const other = 1;',
      error: { errorType: 'Runtime.HandlerNotFound', errorMessage: /index\.handler/ },
    },
    {
      case: 'cannot be loaded',
      code: "throw new RangeError('bad configuration');",
      error: { errorType: 'RangeError', errorMessage: /bad configuration/ },
    },
    {
      case: 'answers too much',
      code: "export const handler = async () => 'x'.repeat(6_300_000);",
      error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage: /6291556 bytes/ },
    },
  ])('fails as on AWS when its handler $case', async ({ code, settings, error }) => {
    const { invoke } = deploy(code, settings);
    const { failed, result } = await invoke();
    expect(failed).toBe(true);
    expect(result).toMatchObject({ ...error, errorMessage: expect.stringMatching(error.errorMessage) });
  });

  it('runs on in a new environment after one died', async () => {
    const { invoke } = deploy(
      "export const handler = async (event) => { if (event.die) process.exit(1); return 'alive'; };",
    );
    expect((await invoke({ die: true })).failed).toBe(true);
    expect((await invoke()).result).toBe('alive');
  });

  it('dies half-way when its environment is crashed', async () => {
    const { invoke, run } = deploy('export const handler = () => new Promise(() => setInterval(() => {}, 1000));');
    const answer = invoke();
    await expect.poll(() => run.crash('ASIATEST')).toBe(true);
    expect((await answer).result).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(run.crash('ASIAOTHER')).toBe(false);
  });

  it('refuses what exceeds its reserved concurrency', async () => {
    const { invoke } = deploy('export const handler = () => new Promise((r) => setTimeout(r, 100));', {
      reservedConcurrency: 1,
    });
    const first = invoke();
    await expect(invoke()).rejects.toMatchObject({ code: 'TooManyRequestsException' });
    expect((await first).failed).toBe(false);
  });

  it('waits for a worker when the machine has no more', async () => {
    const { invoke } = deploy('export const handler = () => new Promise((r) => setTimeout(r, 20));');
    const answers = await Promise.all(Array.from({ length: 7 }, () => invoke()));
    expect(answers.every(({ failed }) => !failed)).toBe(true);
  });

  it('starts nothing for invocations that wait while the cloud stops: a thread that nobody ends holds the process', async () => {
    const begun: Worker[] = [];
    const note = (worker: Worker) => void begun.push(worker);
    process.on('worker', note);
    onTestFinished(() => void process.off('worker', note));
    const { invoke, stop } = deploy('export const handler = () => new Promise(() => {});', {}, 20);
    const all = Promise.allSettled(Array.from({ length: 9 }, () => invoke()));
    await expect.poll(() => begun.length).toBeGreaterThan(0);
    await stop();
    const failures = (await all).map((each) => (each.status === 'rejected' ? each.reason.message : each.value.failed));
    expect(failures).toContain('the cloud stopped');
    // Node's documentation: a thread that has ended has the number -1.
    await expect.poll(() => begun.map(({ threadId }) => threadId).filter((id) => id !== -1)).toEqual([]);
  });

  it('writes its console between the START and REPORT lines of its log stream', async () => {
    const { home, invoke } = deploy(
      "export const handler = async () => { console.log('counted %d', 3); process.stdout.write('raw\\n'); };",
    );
    const { requestId, logTail } = await invoke();
    await expect.poll(() => home.callsTo('cloudwatch-logs', 'PutLogEvents').length).toBe(1);
    const [put] = home.callsTo('cloudwatch-logs', 'PutLogEvents');
    expect(put?.as).toEqual({ kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/work', sessionName: 'work' });
    const lines = put?.input.logEvents.map(({ message }: { message: string }) => message);
    expect(lines).toEqual([
      `START RequestId: ${requestId} Version: $LATEST`,
      expect.stringMatching(new RegExp(`Z\t${requestId}\tINFO\tcounted 3$`)),
      'raw',
      `END RequestId: ${requestId}`,
      expect.stringMatching(/^REPORT RequestId: .*\tDuration: .* ms\t.*\tInit Duration: /),
    ]);
    expect(logTail.toString()).toContain('counted 3');
  });

  it('writes to a stream of its own name where its log group is shared', async () => {
    const streamIn = async (change: Parameters<typeof deploy>[1]) => {
      const { home, invoke } = deploy('export const handler = () => {};', change);
      await invoke();
      await expect.poll(() => home.callsTo('cloudwatch-logs', 'PutLogEvents').length).toBe(1);
      return home.callsTo('cloudwatch-logs', 'PutLogEvents')[0]?.input.logStreamName;
    };
    expect(await streamIn({})).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
    expect(await streamIn({ logGroup: '/aws/lambda/area' })).toMatch(/\/work\[\$LATEST\][0-9a-f]{32}$/);
  });

  it('keeps no console output below the log level of its JSON logs', async () => {
    const { home, invoke } = deploy(
      "export const handler = async () => { console.info('quiet'); console.warn('loud'); };",
      { logFormat: 'JSON', applicationLogLevel: 'WARN', quiet: true },
    );
    await invoke();
    await expect.poll(() => home.callsTo('cloudwatch-logs', 'PutLogEvents').length).toBe(1);
    const [put] = home.callsTo('cloudwatch-logs', 'PutLogEvents');
    expect(put?.input.logEvents.map(({ message }: { message: string }) => JSON.parse(message))).toMatchObject([
      { level: 'WARN', message: 'loud' },
    ]);
  });
});

it('a function that outgrows its memory is killed', async () => {
  const code = 'export const handler = async () => { const all = []; for (;;) all.push(new Array(1e5).fill({})); };';
  const { failed, result } = await deployIn(code, { settings: { memoryMb: 32 } }).invoke();
  expect(failed).toBe(true);
  expect(result).toMatchObject({
    errorType: 'Runtime.OutOfMemory',
    errorMessage: expect.stringMatching(/signal: killed/),
  });
});
