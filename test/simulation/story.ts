/** What happened in a run, in the order of the virtual clock: for people to read when an invariant was violated. */
export interface StoryLine {
  /** Milliseconds since the installation was quiet. */
  readonly atMs: number;
  readonly text: string;
}

export class Story {
  readonly lines: StoryLine[] = [];
  readonly #now: () => number;
  readonly #begun: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#begun = now();
  }

  tell(text: string): void {
    this.lines.push({ atMs: this.#now() - this.#begun, text });
  }

  toString(): string {
    return this.lines.map(({ atMs, text }) => `${clockTime(atMs)}  ${text}`).join('\n');
  }
}

/** `1:02:03.004` */
function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${time}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`;
}
