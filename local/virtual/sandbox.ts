/**
 * A function's code inside this process: the bundle's own files, evaluated once per execution environment, with time,
 * chance, sockets, variables and output of the cloud that holds it instead of the machine's. Evaluating takes tens of
 * milliseconds, a run takes few: an environment that a cloud gives back as it got it serves the next cloud too.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { format } from 'node:util';
import type { Dispatch } from '../wire/server.ts';
import type { VirtualClock } from './clock.ts';
import { codeOf, type Globals, hidden, loadCommon, settled } from './code.ts';
import { shorten } from './direct.ts';
import { httpModule, virtualFetch } from './http.ts';
import type { VirtualNetwork } from './network.ts';
import { netModule, tlsModule } from './sockets.ts';

/** What a sandbox leans on now; another cloud gives it another. */
export interface Surroundings {
  readonly clock: VirtualClock;
  /** Epoch milliseconds, as the Region's clock has it. */
  readonly now: () => number;
  readonly network: VirtualNetwork;
  /** In [0, 1). */
  readonly random: () => number;
  readonly variables: Record<string, string>;
  /** Milliseconds that a request takes before it arrives. */
  readonly latency: () => number;
  /** The short way to the cloud; without, every call takes the long one. */
  readonly dispatch: Dispatch | undefined;
  readonly newToken: () => string;
  readonly onOutput: (text: string) => void;
}

export class Sandbox {
  /** False once a call failed in a way that clients remember, or the environment was killed: it serves no other cloud. */
  reusable = true;
  /** The file that holds the handler, once it was loaded: another asset's file with the same code is not loaded again. */
  entry: string | undefined;
  #surroundings: Surroundings | undefined;
  /** Modules that draw while they are evaluated must not draw from the run: the next run finds them evaluated. */
  #evaluating = 0;
  readonly #modules = new Map<string, { exports: object }>();
  readonly #globals: Globals;
  readonly #builtins: Readonly<Record<string, unknown>>;
  readonly #ends = new Set<() => void>();

  constructor() {
    this.#globals = globalsOf(this);
    this.#builtins = builtinsOf(this, this.#globals);
  }

  enter(surroundings: Surroundings): void {
    this.#surroundings = surroundings;
  }

  /** Cuts it off: its sockets close, no timer fires, no answer reaches it any more. */
  leave(): void {
    this.#surroundings = undefined;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  random(): number {
    return this.#evaluating > 0 ? 0.5 : (this.#surroundings?.random() ?? 0);
  }

  /** Undefined once it was cut off: what it still asks is never answered. */
  get around(): Surroundings | undefined {
    return this.#surroundings;
  }

  /** `end` is called when the sandbox is cut off; the answer takes it back. */
  onLeave(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  /** The exports of a file, which is evaluated once. */
  load(path: string): object {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports;
    const file = codeOf(path);
    if (file.isCommon && !file.passesRequireOn) return loadCommon(path);
    const module = { exports: {} };
    this.#modules.set(path, module);
    this.#evaluating++;
    file.wrapper(
      module.exports,
      (name) => this.#require(path, name),
      module,
      `file://${path}`,
      ...hidden.map((name) => this.#globals[name]),
    );
    this.#evaluating--;
    module.exports = settled(module.exports);
    shorten(module.exports, this);
    return module.exports;
  }

  #require(from: string, name: string): unknown {
    if (name.startsWith('.')) return this.load(resolve(dirname(from), name));
    const builtin = name.replace(/^node:/, '');
    if (builtin === 'module') return { createRequire: () => (other: string) => this.#require(from, other) };
    return this.#builtins[builtin] ?? requireBuiltin(`node:${builtin}`);
  }
}

const requireBuiltin = createRequire(import.meta.url);

function globalsOf(sandbox: Sandbox): Globals {
  const now = () => sandbox.around?.now() ?? 0;
  const random = () => sandbox.random();
  const setTimeout = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) =>
    new Timer(sandbox, ms, () => run(...values), false);
  const setInterval = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) =>
    new Timer(sandbox, ms, () => run(...values), true);
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel();
  };
  return {
    process: processOf(sandbox),
    Date: dateOf(now),
    Math: Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(Math), random: { value: random } }),
    performance: { now, timeOrigin: 0, mark: () => undefined, measure: () => undefined },
    console: consoleOf(sandbox),
    crypto: { ...bareCrypto(random), subtle: globalThis.crypto.subtle },
    fetch: virtualFetch(sandbox),
    AbortSignal: abortSignalOf(setTimeout),
    setTimeout,
    setInterval,
    clearTimeout: clear,
    clearInterval: clear,
  };
}

/** What setTimeout answers. */
class Timer {
  #cancel: () => void = () => {};
  readonly #forget: () => void;

  constructor(sandbox: Sandbox, ms: number, run: () => void, again: boolean) {
    const start = () => {
      this.#cancel = sandbox.around?.clock.after(ms, fire) ?? (() => {});
    };
    const fire = () => {
      if (again) start();
      else this.#forget();
      run();
    };
    this.#forget = sandbox.onLeave(() => this.#cancel());
    start();
  }

  cancel(): void {
    this.#cancel();
    this.#forget();
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return false;
  }
}

function dateOf(now: () => number): DateConstructor {
  return class extends Date {
    constructor(...values: [] | [string | number | Date]) {
      if (values.length === 0) super(now());
      else super(...(values as [string]));
    }
    static override now(): number {
      return now();
    }
  } as DateConstructor;
}

function processOf(sandbox: Sandbox): object {
  const output = {
    write(text: string | Uint8Array) {
      sandbox.around?.onOutput(String(text));
      return true;
    },
    on() {},
    once() {},
    removeListener() {},
    emit() {},
  };
  const overrides = {
    env: new Proxy({} as Record<string, string>, {
      get: (_target, name) => (typeof name === 'string' ? sandbox.around?.variables[name] : undefined),
      has: (_target, name) => typeof name === 'string' && name in (sandbox.around?.variables ?? {}),
      set(_target, name, value) {
        if (sandbox.around !== undefined) sandbox.around.variables[String(name)] = String(value);
        return true;
      },
      ownKeys: () => Object.keys(sandbox.around?.variables ?? {}),
      getOwnPropertyDescriptor: (_target, name) => ({
        value: sandbox.around?.variables[String(name)],
        enumerable: true,
        configurable: true,
      }),
    }),
    stdout: output,
    stderr: output,
    emitWarning() {},
    on() {},
    once() {},
    off() {},
  };
  return Object.defineProperties(Object.create(process), Object.getOwnPropertyDescriptors(overrides)) as object;
}

function consoleOf(sandbox: Sandbox): object {
  const line = (...values: unknown[]) => sandbox.around?.onOutput(`${format(...values)}\n`);
  return Object.fromEntries(['log', 'info', 'debug', 'trace', 'warn', 'error'].map((name) => [name, line]));
}

/** What node:crypto draws, from one source, so that a run can be repeated. */
export function bareCrypto(random: () => number) {
  const fill = <T extends Uint8Array>(bytes: T): T => {
    let word = 0;
    for (let index = 0; index < bytes.length; index++) {
      word = index % 4 === 0 ? Math.floor(random() * 2 ** 32) : word >>> 8;
      bytes[index] = word & 255;
    }
    return bytes;
  };
  const randomBytes = (size: number) => fill(Buffer.alloc(size));
  return {
    randomBytes,
    randomFillSync: fill,
    getRandomValues: fill,
    randomInt: (low: number, high?: number) =>
      high === undefined ? Math.floor(random() * low) : low + Math.floor(random() * (high - low)),
    randomUUID() {
      const hex = randomBytes(16).toString('hex');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
  };
}

/** One for all: making it is dear, and most fire when nobody listens any more. */
const timeoutError = new DOMException('The operation was aborted due to timeout', 'TimeoutError');

const texts = new Map<string, string>();

/** What a function reads is its bundle's and its runtime's, and stays as it is. */
function readOnce(path: string, encoding?: BufferEncoding): string | Buffer {
  if (encoding === undefined) return readFileSync(path);
  const text = texts.get(path) ?? readFileSync(path, encoding);
  texts.set(path, text);
  return text;
}

function abortSignalOf(setTimeout: (run: () => void, ms: number) => unknown): object {
  return {
    [Symbol.hasInstance]: (value: unknown) => value instanceof AbortSignal,
    any: (signals: AbortSignal[]) => AbortSignal.any(signals),
    abort: (reason?: unknown) => AbortSignal.abort(reason),
    timeout(ms: number) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(timeoutError), ms);
      return controller.signal;
    },
  };
}

function builtinsOf(sandbox: Sandbox, globals: Globals): Readonly<Record<string, unknown>> {
  const real = (name: string): object => requireBuiltin(`node:${name}`);
  const timers = { setTimeout: globals.setTimeout, clearTimeout: globals.clearTimeout };
  const sleep = (ms: number, value?: unknown) =>
    new Promise((resolve) => (globals.setTimeout as typeof setTimeout)(() => resolve(value), ms));
  return {
    process: globals.process,
    console: {
      Console: class {
        constructor() {
          Object.assign(this, globals.console);
        }
      },
    },
    crypto: { ...real('crypto'), ...bareCrypto(() => sandbox.random()) },
    fs: { ...real('fs'), readFileSync: readOnce },
    http: httpModule(sandbox),
    https: httpModule(sandbox),
    net: netModule(sandbox),
    tls: tlsModule,
    timers: { ...real('timers'), ...timers, setInterval: globals.setInterval, clearInterval: globals.clearInterval },
    'timers/promises': { ...real('timers/promises'), setTimeout: sleep },
  };
}
