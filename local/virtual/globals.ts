/**
 * What a file of a bundle finds instead of the machine's own: time, chance, sockets, variables and output. One for all files;
 * each looks where it is called from.
 */
import { pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { format } from 'node:util';
import { here, runIn } from './here.ts';
import { fetchHere, httpModule } from './http.ts';
import { dnsModule } from './names.ts';
import { netModule, tlsModule } from './sockets.ts';

type Globals = Readonly<Record<string, unknown>>;

const requireBuiltin = createRequire(import.meta.url);

function makeGlobals(): Globals {
  const now = () => here().around?.now() ?? 0;
  const random = () => here().random();
  const setTimeout = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) =>
    new Timer(ms, () => run(...values), false);
  const setInterval = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) =>
    new Timer(ms, () => run(...values), true);
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel();
  };
  return {
    process: makeProcess(),
    Date: dateOf(now),
    Math: Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(Math), random: { value: random } }),
    performance: { now, timeOrigin: 0, mark: () => undefined, measure: () => undefined },
    console: makeConsole(),
    crypto: { ...bareCrypto(random), subtle: globalThis.crypto.subtle },
    fetch: fetchHere,
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

  constructor(ms: number, run: () => void, again: boolean) {
    const place = here();
    const start = () => {
      this.#cancel = place.around?.clock.after(ms, fire) ?? (() => {});
    };
    const fire = () => {
      if (again) start();
      else this.#forget();
      runIn(place, run);
    };
    this.#forget = place.onLeave(() => this.#cancel());
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
    /** Dates come from elsewhere too. */
    static override [Symbol.hasInstance](value: unknown): boolean {
      return value instanceof Date;
    }
  } as DateConstructor;
}

function makeProcess(): object {
  const output = {
    write(text: string | Uint8Array) {
      here().around?.onOutput(String(text));
      return true;
    },
    on() {},
    once() {},
    removeListener() {},
    emit() {},
  };
  const overrides = {
    env: new Proxy({} as Record<string, string>, {
      get: (_target, name) => (typeof name === 'string' ? here().around?.variables[name] : undefined),
      has: (_target, name) => typeof name === 'string' && name in (here().around?.variables ?? {}),
      set(_target, name, value) {
        const { around } = here();
        if (around !== undefined) around.variables[String(name)] = String(value);
        return true;
      },
      ownKeys: () => Object.keys(here().around?.variables ?? {}),
      getOwnPropertyDescriptor: (_target, name) => ({
        value: here().around?.variables[String(name)],
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

function makeConsole(): object {
  const line = (...values: unknown[]) => here().around?.onOutput(`${format(...values)}\n`);
  return Object.fromEntries(['log', 'info', 'debug', 'trace', 'warn', 'error'].map((name) => [name, line]));
}

const hex2 = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** The two lowest bytes of a word, the lowest first. Every call of a service has an identifier of its own. */
const hex4 = (word: number): string => `${hex2[word & 255]}${hex2[(word >>> 8) & 255]}`;

/** Slow on purpose, against whoever guesses: here nobody does. The modelled PostgreSQL knows. */
const deriveQuickly: typeof pbkdf2Sync = (password, salt, _iterations, length, digest) =>
  pbkdf2Sync(password, salt, 1, length, digest);

/** What node:crypto draws, from one source, so that a run can be repeated. */
export function bareCrypto(random: () => number) {
  const word = () => Math.floor(random() * 2 ** 32);
  const fill = <T extends Uint8Array>(bytes: T): T => {
    let rest = 0;
    for (let index = 0; index < bytes.length; index++) {
      rest = index % 4 === 0 ? word() : rest >>> 8;
      bytes[index] = rest & 255;
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
      const [a, b, c, d] = [word(), word(), word(), word()];
      return `${hex4(a)}${hex4(a >>> 16)}-${hex4(b)}-4${hex4(b >>> 16).slice(1)}-8${hex4(c).slice(1)}-${hex4(c >>> 16)}${hex4(d)}${hex4(d >>> 16)}`;
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

function makeBuiltins(): Readonly<Record<string, unknown>> {
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
    crypto: { ...real('crypto'), ...bareCrypto(() => here().random()), pbkdf2Sync: deriveQuickly },
    fs: { ...real('fs'), readFileSync: readOnce },
    'dns/promises': dnsModule,
    http: httpModule,
    https: httpModule,
    net: netModule,
    tls: tlsModule,
    timers: { ...real('timers'), ...timers, setInterval: globals.setInterval, clearInterval: globals.clearInterval },
    'timers/promises': { ...real('timers/promises'), setTimeout: sleep },
  };
}

/** By the names that a file's own scope hides from it. */
export const globals = makeGlobals();
/** By their names without `node:`. */
export const builtins = makeBuiltins();
