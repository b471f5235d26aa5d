/**
 * Time that passes only when nothing is left to do: whatever waits, for a second or for a day, waits as long as the work
 * before it takes to compute. The same work in the same order gives the same times.
 */
import type { Clock } from '../kernel.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  /** Undefined once it was cancelled. */
  fire: (() => void) | undefined;
}

/** What keeps Node.js busy for now, and will be done by itself: a file, an immediate. Sockets and timers do not count. */
const busy = /^(Immediate|FS|.*(REQ|Req|WRAP_JOB)|CompressionStream|Zlib)/;

export class VirtualClock implements Clock {
  readonly kind = 'virtual';
  readonly factor = 1;
  #now: number;
  #order = 0;
  readonly #timers: Timer[] = [];

  /** `start` in epoch milliseconds. */
  constructor(start: number) {
    this.#now = start;
  }

  readonly now = (): number => this.#now;
  readonly scale = (ms: number): number => ms;
  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => this.#wait(ms, signal);
  readonly limit = (ms: number, signal?: AbortSignal): Promise<void> => this.#wait(ms, signal);

  /** Calls back once, at least a millisecond from now; the answer cancels it. */
  after(ms: number, fire: () => void): () => void {
    const delay = Math.max(1, Math.ceil(Number.isFinite(ms) ? ms : 1));
    const timer: Timer = { at: this.#now + delay, order: this.#order++, fire };
    push(this.#timers, timer);
    return () => {
      timer.fire = undefined;
    };
  }

  /**
   * Lets time pass until `work` has settled, and answers as it does. Rejects where nothing is left to happen before it
   * has, or where it takes longer than `limitMs` of this clock.
   */
  async run<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    work.then(settle, settle);
    const until = this.#now + limitMs;
    for (;;) {
      await quiet();
      if (settled) return work;
      const next = this.#next();
      if (next === undefined) throw new Error('the virtual clock stands still: nothing is left to happen');
      if (next.at > until) throw new Error(`not over after ${limitMs / 1000} s on the virtual clock`);
      this.#now = next.at;
      // All that fall due together are one moment: what they do runs before any later one.
      for (let due: Timer | undefined = next; due?.at === next.at; due = this.#next()) {
        pop(this.#timers);
        due.fire?.();
      }
    }
  }

  /** Lets that much time pass. */
  async pass(ms: number): Promise<void> {
    return this.run(this.sleep(ms), ms + 1);
  }

  #next(): Timer | undefined {
    while (this.#timers[0] !== undefined && this.#timers[0].fire === undefined) pop(this.#timers);
    return this.#timers[0];
  }

  #wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

/** Resolves when every promise, tick, immediate and file is done. */
async function quiet(): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (process.getActiveResourcesInfo().some((name) => busy.test(name)));
}

const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A binary heap, the earliest first. */
function push(heap: Timer[], timer: Timer): void {
  let index = heap.push(timer) - 1;
  for (;;) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (index === 0 || above === undefined || before(above, timer)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left === undefined) break;
    if (right !== undefined && before(right, left)) child++;
    const lesser = child === 2 * index + 1 ? left : (right as Timer);
    if (before(last, lesser)) break;
    heap[index] = lesser;
    index = child;
  }
  heap[index] = last;
}
