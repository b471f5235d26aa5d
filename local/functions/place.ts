/** A function's place in a thread that many share: what it keeps open, and what its code finds instead of the thread's own. */
import { AsyncLocalStorage } from 'node:async_hooks';
import https from 'node:https';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import timers from 'node:timers';
import timersPromises from 'node:timers/promises';
import { format } from 'node:util';
import { type Keeping, type Modules, type Realm, SharedCode } from './code.ts';
import type { Boot, Report, Request } from './protocol.ts';
import { connectUnlessCut, exitOf, levels, log, onConnect, type Surroundings } from './runtime.ts';

/** Pools of connections are each function's own, as in a process of its own. */
interface Dispatcher {
  destroy(): Promise<void>;
}

export class Place implements Surroundings, Keeping {
  readonly boot: Boot;
  readonly variables: Record<string, string>;
  readonly #tell: (report: Report) => void;
  current: Request | undefined;
  alive = true;
  readonly modules: Modules = new Map();
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #agent: https.Agent | undefined;
  #dispatcher: Dispatcher | undefined;

  constructor(boot: Boot, variables: Record<string, string>, tell: (report: Report) => void) {
    this.boot = boot;
    this.variables = variables;
    this.#tell = tell;
  }

  readonly report = (report: Report): void => {
    if (this.alive) this.#tell(report);
  };

  /** Runs code of this function, with all that it begins. */
  readonly within = <T>(work: () => T): T => running.run(this, work);

  /** The exports of its first file. */
  load(path: string): object {
    return code.enter(path, this);
  }

  /** Cuts it off: its sockets close, no timer fires, it opens nothing any more. */
  leave(): void {
    this.alive = false;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#agent?.destroy();
    void this.#dispatcher?.destroy();
  }

  /** Ends it as `failure` says, before the code that runs goes on. */
  die(report: Report): void {
    this.report(report);
    this.leave();
  }

  connect(socket: Socket, port: number, connect: () => Socket): Socket {
    if (!this.alive) return socket;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return connectUnlessCut(this.boot.ways, socket, port, connect);
  }

  /** Resolves with what `work` does, unless this place is cut off meanwhile. */
  async later<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    return this.alive ? result : never();
  }

  startTimer(start: (fire: () => void) => NodeJS.Timeout, run: () => void, again: boolean): NodeJS.Timeout {
    const timer = start(() => {
      if (!again) this.#timers.delete(timer);
      run();
    });
    if (this.alive) this.#timers.add(timer);
    else clearTimeout(timer);
    return timer;
  }

  stopTimer(timer: NodeJS.Timeout | undefined): void {
    if (timer !== undefined) this.#timers.delete(timer);
    clearTimeout(timer);
  }

  get agent(): https.Agent {
    this.#agent ??= new https.Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }); // as Node's own
    return this.#agent;
  }

  get dispatcher(): Dispatcher {
    this.#dispatcher ??= makeDispatcher();
    return this.#dispatcher;
  }
}

const running = new AsyncLocalStorage<Place>();

/** The function whose code runs now; undefined for what all share. */
export const here = (): Place | undefined => running.getStore();

/** Nobody hears a function that is gone. One each: what waits for a promise is kept as long as that. */
const never = () => new Promise<never>(() => {});

/** Loading a class of fetch's loads all of it, and with it the dispatcher that it would use. */
function makeDispatcher(): Dispatcher {
  void globalThis.Response;
  const of = globalThis as unknown as Record<symbol, { readonly constructor: unknown }>;
  const Agent = of[Symbol.for('undici.globalDispatcher.1')]?.constructor as new () => Dispatcher;
  return new Agent();
}

const requireBuiltin = createRequire(import.meta.url);

/** What files find: each looks where it is called from. */
const globals = {
  process: makeProcess(),
  Date,
  Math,
  performance,
  console: { ...console, ...makeConsole() },
  crypto,
  fetch: (input: string | URL, init: object = {}) =>
    fetch(input, { dispatcher: here()?.dispatcher, ...init } as RequestInit),
  AbortSignal,
  setTimeout: (run: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) =>
    timer(setTimeout, run, ms, values, false),
  setInterval: (run: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) =>
    timer(setInterval, run, ms, values, true),
  clearTimeout: clear,
  clearInterval: clear,
};

const realm: Realm = {
  globals,
  builtins: {
    process: globals.process,
    console: { ...requireBuiltin('node:console'), ...globals.console },
    timers: {
      ...timers,
      setTimeout: globals.setTimeout,
      setInterval: globals.setInterval,
      clearTimeout: clear,
      clearInterval: clear,
    },
    'timers/promises': {
      ...timersPromises,
      setTimeout: (...given: Parameters<typeof timersPromises.setTimeout>) => {
        const wait = timersPromises.setTimeout(...given);
        return here()?.later(wait) ?? wait;
      },
    },
  },
};

const code = new SharedCode({ realm, caller: here, outside: (work) => running.exit(work) });

function timer(
  start: (fire: () => void, ms?: number) => NodeJS.Timeout,
  run: (...values: unknown[]) => void,
  ms: number | undefined,
  values: unknown[],
  again: boolean,
): NodeJS.Timeout {
  const fire = () => run(...values);
  return here()?.startTimer((given) => start(given, ms), fire, again) ?? start(fire, ms);
}

function clear(timer: NodeJS.Timeout | undefined): void {
  const place = here();
  if (place === undefined) clearTimeout(timer);
  else place.stopTimer(timer);
}

function makeConsole(): object {
  return Object.fromEntries(
    Object.entries(levels).map(([method, level]) => [
      method,
      (...values: unknown[]) => {
        const place = here();
        if (place !== undefined) log(place, level, format(...values));
      },
    ]),
  );
}

function makeProcess(): object {
  const variables = () => here()?.variables ?? {};
  // Whole writes, at once: who writes is known until then.
  const output = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      here()?.report({ kind: 'log', text: String(chunk) });
      done();
    },
  });
  const overrides = {
    env: new Proxy({} as Record<string, string>, {
      get: (_target, name) => variables()[String(name)],
      has: (_target, name) => String(name) in variables(),
      set: (_target, name, value) => Reflect.set(variables(), name, String(value)),
      deleteProperty: (_target, name) => Reflect.deleteProperty(variables(), name),
      ownKeys: () => Object.keys(variables()),
      getOwnPropertyDescriptor: (_target, name) =>
        String(name) in variables()
          ? { value: variables()[String(name)], enumerable: true, configurable: true, writable: true }
          : undefined,
    }),
    stdout: output,
    stderr: output,
    exit(code = 0): never {
      here()?.die({ kind: 'failed', failure: exitOf(code), fatal: true });
      throw new Error('process.exit'); // Nothing of it acts any more; this ends what runs.
    },
    emitWarning() {},
    on: () => globals.process,
    once: () => globals.process,
    off: () => globals.process,
  };
  return Object.defineProperties(Object.create(process), Object.getOwnPropertyDescriptors(overrides)) as object;
}

/** Before a function's code is loaded. */
export function takeThread(): void {
  onConnect((socket, port, connect) => here()?.connect(socket, port, connect) ?? connect());
  const common = https.globalAgent;
  Object.defineProperty(https, 'globalAgent', { get: () => here()?.agent ?? common });
}
