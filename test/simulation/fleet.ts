/** Many runs at once: as many processes as there are cores, each of which does one thing after another. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answers, Done, Order, Work } from './worker.ts';

/**
 * What a run makes fits into the young generation, which worker.ts collects behind it; what V8 would make among the old
 * objects, because others like it have lived long, would keep the run's whole cloud (decisions/0023). Most code is used again
 * only many runs later. Where an error comes from is asked of one seed alone, in this process.
 */
const youngMb = 128;
const flags = [
  ...[`--min-semi-space-size=${youngMb}`, `--max-semi-space-size=${youngMb}`],
  ...['--expose-gc', '--no-allocation-site-pretenuring', '--no-flush-bytecode', '--stack-trace-limit=0'],
];

interface Waiting extends Order {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class Fleet {
  readonly #size: number;
  readonly #waiting: Waiting[] = [];
  readonly #working = new Map<ChildProcess, Waiting>();
  readonly #idle: ChildProcess[] = [];
  #ids = 0;

  constructor(size = availableParallelism()) {
    this.#size = size;
  }

  /** In the order in which they were asked for. Rejects where the simulation itself fails. */
  run<K extends keyof Answers>(work: Extract<Work, { readonly kind: K }>): Promise<Answers[K]> {
    return new Promise<Answers[K]>((resolve, reject) => {
      this.#waiting.push({ id: ++this.#ids, work, resolve: resolve as Waiting['resolve'], reject });
      this.#next();
    });
  }

  /** Ends every process; what has not ended is given up. */
  close(): void {
    const over = new Error('the fleet was closed');
    for (const { reject } of this.#waiting.splice(0)) reject(over);
    for (const child of this.#idle.splice(0)) child.disconnect();
    for (const child of this.#working.keys()) child.kill('SIGKILL');
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const child = this.#idle.pop() ?? (this.#working.size < this.#size ? this.#start() : undefined);
    const order = child && this.#waiting.shift();
    if (child === undefined || order === undefined) return;
    this.#working.set(child, order);
    child.send({ id: order.id, work: order.work } satisfies Order);
  }

  #start(): ChildProcess {
    const child = fork(join(import.meta.dirname, 'worker.ts'), {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // The parent's own flags (a test runner's loader, an inspector) are none of its.
      execArgv: flags,
      // Compiled code is kept from run to run, as for a synth.
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'node-compile-cache'),
      },
    });
    child.on('message', ({ answer, crash }: Done) => {
      const order = this.#working.get(child);
      this.#working.delete(child);
      this.#idle.push(child);
      if (crash !== undefined) order?.reject(new Error(crash));
      else order?.resolve(answer as never);
      this.#next();
    });
    child.on('exit', (code, signal) => {
      const order = this.#working.get(child);
      this.#working.delete(child);
      order?.reject(new Error(`a process of the simulation ended with ${code ?? signal}`));
      this.#next();
    });
    return child;
  }
}
