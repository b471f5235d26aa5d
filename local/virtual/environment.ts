/** An execution environment inside this process. What worker.ts is in a thread of its own, this is around a sandbox. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '../functions/code.ts';
import { type Environment, type EnvironmentOptions, killed, type Outcome, timedOut } from '../functions/environment.ts';
import type { Failure, Request } from '../functions/protocol.ts';
import type { VirtualClock } from './clock.ts';
import { here, runIn, type Surroundings } from './here.ts';
import { Sandbox } from './sandbox.ts';

type Handler = (event: unknown, context: object) => unknown;

/** Sandboxes that no cloud uses now, by the code and the Region that they were made for. */
const idle = new Map<string, Sandbox[]>();

export interface VirtualEnvironmentOptions extends EnvironmentOptions {
  /** The Region's clock tells the time, this one waits. */
  readonly timers: VirtualClock;
  readonly surroundings: Omit<Surroundings, 'now' | 'clock' | 'variables' | 'onOutput'>;
  /** Milliseconds of an environment's start. */
  readonly initMs: () => number;
}

export class VirtualEnvironment implements Environment {
  readonly #options: VirtualEnvironmentOptions;
  readonly #sandbox: Sandbox;
  readonly #key: string;
  readonly #dead = Promise.withResolvers<Outcome>();
  #alive = true;
  #running = false;
  #handler: Handler | undefined;
  #ready: Promise<Failure | undefined> | undefined;

  constructor(options: VirtualEnvironmentOptions) {
    this.#options = options;
    const { taskRoot, handler, variables, clock, timers, surroundings, onLog } = options;
    this.#key = [codeKeyOf(taskRoot, handler), handler, variables.AWS_REGION].join(' ');
    this.#sandbox = idle.get(this.#key)?.pop() ?? new Sandbox();
    this.#sandbox.enter({
      ...surroundings,
      clock: timers,
      now: clock.now,
      variables: { ...variables },
      onOutput: onLog,
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  ready(): Promise<Failure | undefined> {
    this.#ready ??= this.#load();
    return this.#ready;
  }

  async invoke(request: Request): Promise<Outcome> {
    if (!this.#alive) return this.#dead.promise;
    this.#running = true;
    const inTime = this.#options.timers.after(request.timeoutMs, () => void this.kill(timedOut(request.timeoutMs)));
    const outcome = await Promise.race([this.#call(request), this.#dead.promise]);
    inTime();
    this.#running = false;
    return outcome;
  }

  /** A cut-off sandbox in which nothing ran serves another cloud. */
  async kill(failure: Failure = killed): Promise<void> {
    if (!this.#alive) return;
    this.#alive = false;
    const clean = this.#sandbox.reusable && !this.#running;
    this.#sandbox.leave();
    if (clean) idle.set(this.#key, [...(idle.get(this.#key) ?? []), this.#sandbox]);
    this.#dead.resolve({ kind: 'failed', failure });
  }

  async #load(): Promise<Failure | undefined> {
    await this.#options.clock.limit(this.#options.initMs());
    try {
      this.#handler = this.#find();
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      await this.kill(failure);
      return failure;
    }
  }

  #find(): Handler {
    const { taskRoot, handler } = this.#options;
    const { module, name } = partsOf(handler);
    const file = this.#sandbox.entry ?? fileOf(join(taskRoot, module));
    if (file === undefined) throw new Error(`Cannot find module '${module}'`);
    this.#sandbox.entry = file;
    const found = (this.#sandbox.load(file) as Record<string, unknown>)[name];
    if (typeof found !== 'function') throw new Error(`${handler} is undefined or not exported`);
    return found as Handler;
  }

  async #call(request: Request): Promise<Outcome> {
    const { variables, clock } = this.#options;
    const context = contextOf(variables, request, clock.now() + request.timeoutMs);
    try {
      const result = await runIn(this.#sandbox, () => this.#handler?.(JSON.parse(request.event), context));
      return { kind: 'returned', payload: JSON.stringify(result === undefined ? null : result) };
    } catch (error) {
      return { kind: 'failed', failure: failureOf(error) };
    }
  }
}

/** Holds nothing of the cloud: what keeps it longer does not keep that. */
function contextOf(variables: Readonly<Record<string, string>>, request: Request, deadline: number): object {
  const { invokedFunctionArn, requestId: awsRequestId } = request;
  return {
    functionName: variables.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: variables.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn,
    awsRequestId,
    getRemainingTimeInMillis: () => Math.max(0, deadline - (here().around?.now() ?? deadline)),
  };
}

/** `area/verb-noun.handler` is the export `handler` of the module `area/verb-noun`. */
function partsOf(handler: string): { readonly module: string; readonly name: string } {
  const dot = handler.indexOf('.', handler.lastIndexOf('/') + 1);
  return { module: handler.slice(0, dot), name: handler.slice(dot + 1) };
}

const codeKeys = new Map<string, string>();

/** The same for the same code in whichever asset. An asset's data counts as read by all of its code. */
function codeKeyOf(taskRoot: string, handler: string): string {
  const path = join(taskRoot, partsOf(handler).module);
  const known = codeKeys.get(path);
  if (known !== undefined) return known;
  const key = `${dataKeyOf(taskRoot)} ${identityOfModule(path)}`;
  codeKeys.set(path, key);
  return key;
}

/** What cannot be loaded is like nothing else: loading it says why. */
function identityOfModule(path: string): string {
  try {
    return identityOf(fileOf(path) ?? path);
  } catch {
    return path;
  }
}

const dataKeys = new Map<string, string>();

function dataKeyOf(taskRoot: string): string {
  const known = dataKeys.get(taskRoot);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const beside = existsSync(taskRoot) ? readdirSync(taskRoot, { withFileTypes: true }) : [];
  for (const { name } of beside.filter((each) => each.isFile() && !/\.[cm]?js$/.test(each.name)))
    hash.update(`${name}\0`).update(readFileSync(join(taskRoot, name)));
  const key = hash.digest('hex');
  dataKeys.set(taskRoot, key);
  return key;
}

const files = new Map<string, string>();

/** With its extension; undefined where there is none. */
function fileOf(path: string): string | undefined {
  const file = files.get(path) ?? ['.mjs', '.js', '.cjs'].map((extension) => path + extension).find(existsSync);
  if (file !== undefined) files.set(path, file);
  return file;
}

/** An error of the sandbox is of this process's own classes: both share one realm. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}
