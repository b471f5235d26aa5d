/** What a person sees: finished lines that stay, and on a terminal one living line below them. */
import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'waiting' | 'plain';

const marks: Record<Tone, string> = { good: '✓', bad: '✗', waiting: '…', plain: ' ' };
const colours = { good: 'green', bad: 'red', waiting: 'yellow', plain: 'white' } as const;

/** Seconds as people say them: 0.4 s, 12.3 s, 4 min 05 s, 1 h 02 min. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600)
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round((whole % 3600) / 60);
  return minutes === 0 ? `${Math.floor(whole / 3600)} h` : `${Math.floor(whole / 3600)} h ${pad(minutes)} min`;
}

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #silent: boolean;
  #living = '';

  /** `silent` writes nothing: for --json. */
  constructor(options: { silent?: boolean; out?: NodeJS.WriteStream } = {}) {
    this.#out = options.out ?? process.stdout;
    this.#silent = options.silent ?? false;
  }

  line(text = ''): void {
    if (this.#silent) return;
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  heading(text: string): void {
    this.line();
    this.line(this.#style('bold', text));
  }

  /** A finished thing: mark, name, duration, what came of it. */
  item(tone: Tone, name: string, seconds: number | undefined, rest: string): void {
    const mark = this.#style(colours[tone], marks[tone]);
    const time = seconds === undefined ? '' : duration(seconds);
    this.line(`  ${mark} ${name.padEnd(24)} ${time.padStart(9)}  ${rest}`.trimEnd());
  }

  /** The line that is rewritten in place; on anything but a terminal it is not shown. */
  living(text: string): void {
    if (this.#silent || !this.#out.isTTY) return;
    this.#clear();
    this.#living = text;
    this.#draw();
  }

  /** Rows with aligned columns; the first row is the heading. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
    const format = (row: readonly string[]) =>
      `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
    rows.forEach((row, index) => {
      this.line(index === 0 ? this.#style('dim', format(row)) : format(row));
    });
  }

  good(text: string): string {
    return this.#style('green', text);
  }
  bad(text: string): string {
    return this.#style('red', text);
  }

  #style(format: Parameters<typeof styleText>[0], text: string): string {
    return styleText(format, text, { stream: this.#out, validateStream: true });
  }
  #clear(): void {
    if (this.#living) this.#out.write('\r\x1b[K');
  }
  #draw(): void {
    if (this.#living) this.#out.write(this.#living.slice(0, (this.#out.columns ?? 80) - 1));
  }
}
