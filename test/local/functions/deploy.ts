/** Functions with a few lines of code, on this machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../../local/clock.ts';
import { Capacity } from '../../../local/functions/capacity.ts';
import type { FunctionDefinition } from '../../../local/functions/definition.ts';
import { LambdaFunction } from '../../../local/functions/function.ts';
import { machineWorld, type World } from '../../../local/world.ts';
import { fakeHome } from '../services/fake-home.ts';

/** In the code of a function that may share a thread. */
export const mark = '/*! @per-environment: all */';

export const root = mkdtempSync(join(tmpdir(), 'function-test-'));
const functions: LambdaFunction[] = [];

/** After each file: another one in this process begins anew. */
export async function endFunctions(): Promise<void> {
  await Promise.all(functions.splice(0).map((each) => each.stop()));
  rmSync(root, { recursive: true });
}

const clock = realClock();
export const worldOf = (sharesThread: boolean): World => machineWorld(clock, { sharesThread });

interface Deployed {
  readonly settings?: Partial<FunctionDefinition>;
  readonly capacity?: number;
  readonly world?: World;
  /** Further files of the asset, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly accessKeyId?: string;
}

let made = 0;
export function deploy(code: string, options: Deployed = {}) {
  const { settings = {}, capacity = 4, world = worldOf(false), files = {}, accessKeyId = 'ASIATEST' } = options;
  const taskRoot = join(root, String(made++));
  mkdirSync(taskRoot, { recursive: true });
  for (const [name, text] of Object.entries({ 'index.mjs': code, ...files })) writeFileSync(join(taskRoot, name), text);
  const home = { ...fakeHome(), clock, world };
  const credentials = { accessKeyId, secretAccessKey: 'secret', sessionToken: 'token' };
  const stopping = new AbortController();
  const run = new LambdaFunction(
    {
      name: 'work',
      arn: 'arn:aws:lambda:us-east-1:111122223333:function:work',
      version: '$LATEST',
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      taskRoot,
      environment: {},
      timeoutSeconds: 10,
      memoryMb: 128,
      roleArn: 'arn:aws:iam::111122223333:role/work',
      logGroup: '/aws/lambda/work',
      logFormat: 'Text',
      quiet: false,
      tracing: 'PassThrough',
      ...settings,
    },
    {
      home,
      capacity: new Capacity(capacity),
      runtimeDirectory: join(root, 'runtime'),
      assumeRole: async () => credentials,
      stopping: stopping.signal,
    },
  );
  functions.push(run);
  const invoke = async (event: unknown = {}) => {
    const { payload, ...rest } = await run.invoke(JSON.stringify(event), `${run.definition.arn}:live`);
    return { ...rest, result: JSON.parse(payload) };
  };
  const stop = () => {
    stopping.abort(new Error('the cloud stopped'));
    return run.stop();
  };
  return { home, run, invoke, stop };
}
