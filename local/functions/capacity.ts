/**
 * How many workers one Region keeps: the machine's bound, not Lambda's. At the bound the longest idle worker makes
 * room; when all are busy, an invocation waits for one.
 */
export class Capacity {
  readonly #limit: number;
  #used = 0;
  readonly #waiting: (() => void)[] = [];
  /** In order of idleness; each ends one idle worker. */
  readonly #idle = new Set<() => void>();

  constructor(limit: number) {
    this.#limit = limit;
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
