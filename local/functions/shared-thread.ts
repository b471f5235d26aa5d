/**
 * One thread for many environments: what their bundles have in common is compiled once, loaded once and learnt once. For
 * assets that say which of their files keep something (ADR 0023); all others have threads of their own. No memory limit of a
 * function holds here, and one that never yields takes the others with it when its time is up.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { mark } from './code.ts';
import { deathOf, type EnvironmentOptions, killed, type OpenSeat, type SeatEvents } from './environment.ts';
import type { Answer, Order } from './protocol.ts';

/** How long the thread may take to end one of its environments before it is ended whole. */
const patienceMs = 5_000;
const memoryMb = 2048;

interface Occupant extends SeatEvents {
  /** Called when the thread has ended it. */
  left: () => void;
}

export class SharedThread {
  #worker: Worker | undefined;
  /** By number; one that was ended stays until the thread says so. */
  readonly #occupants = new Map<number, Occupant>();
  #last = 0;

  open: OpenSeat = (
    { variables, memoryMb: _memoryMb, compileCache, clock: _clock, onLog: _onLog, ...boot }: EnvironmentOptions,
    events,
  ) => {
    const seat = ++this.#last;
    const worker = this.#start(compileCache);
    const order = (given: Order) => worker.postMessage(given);
    const gone = Promise.withResolvers<void>();
    this.#occupants.set(seat, { ...events, left: gone.resolve });
    order({ kind: 'open', seat, boot, variables });
    let end: Promise<unknown> | undefined;
    return {
      send: (request) => order({ kind: 'invoke', seat, request }),
      end: () => {
        order({ kind: 'close', seat });
        end ??= this.#whenGone(seat, worker, gone.promise);
        return end;
      },
    };
  };

  async #whenGone(seat: number, worker: Worker, gone: Promise<void>): Promise<void> {
    const late = setTimeout(() => void worker.terminate(), patienceMs);
    await gone;
    clearTimeout(late);
    this.#occupants.delete(seat);
    if (this.#occupants.size > 0 || this.#worker !== worker) return;
    this.#worker = undefined;
    await worker.terminate();
  }

  #start(compileCache: string): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL('./shared-worker.ts', import.meta.url), {
      env: { NODE_COMPILE_CACHE: compileCache },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      stdout: true,
      stderr: true,
    });
    this.#worker = worker;
    let failure = killed;
    worker.on('message', ({ seat, report }: Answer) => {
      const occupant = this.#occupants.get(seat);
      if (report.kind === 'closed') occupant?.left();
      else occupant?.report(report);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      failure = deathOf(error);
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const all = [...this.#occupants.values()];
      this.#occupants.clear();
      for (const { ended, left } of all) {
        left();
        ended(failure);
      }
    });
    return worker;
  }
}

const known = new Map<string, boolean>();

/** Whether an asset says which of its files keep something from one call to the next. */
export function isShareable(taskRoot: string): boolean {
  const found = known.get(taskRoot) ?? modulesIn(taskRoot).some((file) => readFileSync(file, 'utf8').includes(mark));
  known.set(taskRoot, found);
  return found;
}

const modulesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?js$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
