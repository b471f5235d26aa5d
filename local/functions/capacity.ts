/** Workers that start at once. */
const maximumStarts = 4;

/**
 * How many workers one Region keeps: the machine's bound, not Lambda's. At the bound the longest idle worker makes
 * room; when all are busy, an invocation waits for one. Few start at once: that is work of the machine's cores, and
 * events that arrive faster than they are handled would each start one more, which slows all of them down.
 */
export class Capacity {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: (() => void)[] = [];
  /** In order of idleness; each ends one idle worker. */
  readonly #idle = new Set<() => void>();
  #starting = 0;
  readonly #turns: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when it is this one's turn to start a worker; the caller ends its turn when that runs, or is not needed. */
  async turn(): Promise<() => void> {
    if (this.#starting < maximumStarts) this.#starting++;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    return () => {
      const next = this.#turns.shift();
      if (next === undefined) this.#starting--;
      else next();
    };
  }

  /** Resolves when one more worker may start. */
  async take(): Promise<void> {
    const [endOldest] = this.#idle;
    if (this.#used >= this.#limit && endOldest !== undefined) endOldest();
    if (this.#used < this.#limit) this.#used++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A worker ended: its place goes to who waits longest. */
  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#used--;
    else next();
  }

  /** Offers an idle worker; `end` must end it and call `release`. */
  offer(end: () => void): void {
    this.#idle.add(end);
    if (this.#waiting.length > 0) end();
  }

  withdraw(end: () => void): void {
    this.#idle.delete(end);
  }
}
