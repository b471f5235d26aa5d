/** The execution environment of a function: loads the handler once and runs one invocation at a time, in a thread of its own or in one that many share. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../kernel.ts';
import type { Boot, Failure, Report, Request } from './protocol.ts';
import { exitOf } from './runtime.ts';

export interface EnvironmentOptions extends Boot {
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  /** Where compiled code is kept, so that the next environment of the function starts faster. */
  readonly compileCache: string;
  readonly clock: Clock;
  readonly onLog: (text: string) => void;
}

/** What runs one invocation at a time, of a handler that was loaded once. */
export interface Environment {
  /** False once it died: it then runs no further invocation. */
  readonly alive: boolean;
  /** Resolves to why the handler could not be loaded; undefined when it is ready. */
  ready(timeoutMs: number): Promise<Failure | undefined>;
  /** Runs one invocation; one that takes longer than the request's time limit kills the environment. */
  invoke(request: Request): Promise<Outcome>;
  /** Ends it at once; the invocation in it fails with `failure`. */
  kill(failure?: Failure): Promise<unknown>;
}

export type Outcome =
  | { readonly kind: 'returned'; readonly payload: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Where the code of an environment runs. */
export interface Seat {
  send(request: Request): void;
  /** Ends it at once: nothing of it acts any more. Safe to repeat. */
  end(): Promise<unknown>;
}

export interface SeatEvents {
  readonly report: (report: Report) => void;
  /** It ended, by itself or because it was ended. */
  readonly ended: (failure: Failure) => void;
}

export type OpenSeat = (options: EnvironmentOptions, events: SeatEvents) => Seat;

/** Lambda's own bound on the time before the handler is ready. */
const initTimeoutMs = 10_000;

export class ExecutionEnvironment implements Environment {
  readonly #seat: Seat;
  readonly #clock: Clock;
  readonly #ready = Promise.withResolvers<Failure | undefined>();
  #settle: (outcome: Outcome) => void = () => {};
  #alive = true;
  #fatal: Failure | undefined;

  constructor(options: EnvironmentOptions, open: OpenSeat = ownThread) {
    const { clock, onLog } = options;
    this.#clock = clock;
    this.#seat = open(options, {
      report: (report) => {
        if (report.kind === 'log') onLog(report.text);
        else if (report.kind === 'ready') this.#ready.resolve(undefined);
        else if (report.kind === 'unready') this.#ready.resolve(report.failure);
        else if (report.kind === 'returned') this.#settle(report);
        else this.#fail(report.failure, report.fatal);
      },
      ended: (failure) => this.#fail(failure, true),
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  async ready(timeoutMs: number): Promise<Failure | undefined> {
    const limit = Math.max(initTimeoutMs, timeoutMs);
    const failure = await this.#within(limit, this.#ready.promise, () => timedOut(limit));
    if (failure !== undefined) this.kill(failure);
    return failure;
  }

  async invoke(request: Request): Promise<Outcome> {
    if (this.#fatal !== undefined) return { kind: 'failed', failure: this.#fatal };
    const outcome = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    this.#seat.send(request);
    return this.#within(request.timeoutMs, outcome, () => {
      const failure = timedOut(request.timeoutMs);
      this.kill(failure);
      return { kind: 'failed', failure };
    });
  }

  kill(failure: Failure = killed): Promise<unknown> {
    this.#fail(failure, true);
    return this.#seat.end();
  }

  #fail(failure: Failure, fatal: boolean): void {
    if (fatal && this.#alive) {
      this.#alive = false;
      this.#fatal = failure;
      void this.#seat.end();
      this.#ready.resolve(failure);
    }
    this.#settle({ kind: 'failed', failure: fatal ? (this.#fatal ?? failure) : failure });
  }

  async #within<T>(ms: number, work: Promise<T>, late: () => T): Promise<T> {
    const done = new AbortController();
    const limit = this.#clock.limit(ms, done.signal).then(late, () => work);
    return Promise.race([work, limit]).finally(() => done.abort());
  }
}

/** A worker thread for this environment alone. */
function ownThread(options: EnvironmentOptions, { report, ended }: SeatEvents): Seat {
  const { variables, memoryMb, compileCache, clock: _clock, onLog: _onLog, ...boot } = options;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: boot satisfies Boot,
    env: { ...variables, NODE_COMPILE_CACHE: compileCache },
    // The parent's own flags (a test runner's loader, an inspector) are none of the function's.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    stdout: true,
    stderr: true,
  });
  worker.on('message', report);
  worker.on('error', (error: NodeJS.ErrnoException) => ended(deathOf(error)));
  worker.on('exit', (code) => ended(exitOf(code)));
  return { send: (request) => worker.postMessage(request), end: () => worker.terminate() };
}

/** How the death of an environment's process is reported. */
export const killed: Failure = {
  errorType: 'Runtime.ExitError',
  errorMessage: 'Runtime exited with error: signal: killed',
};

export function timedOut(ms: number): Failure {
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `Error: Task timed out after ${(ms / 1000).toFixed(2)} seconds`,
  };
}

/** On AWS a function that outgrows its memory is killed by the kernel. */
export function deathOf(error: NodeJS.ErrnoException): Failure {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { errorType: 'Runtime.OutOfMemory', errorMessage: 'Error: Runtime exited with error: signal: killed' };
  }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}
