/** What a person sees: finished lines that stay, and on a terminal one living line below them. */
import { stripVTControlCharacters, styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'plain';

const marks: Record<Tone, string> = { good: '✓', bad: '✗', plain: ' ' };
const colours = { good: 'green', bad: 'red', plain: 'white' } as const;

/** Seconds as people say them: 0.4 s, 12.3 s, 4 min 05 s, 1 h 02 min. */
export function duration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const whole = Math.round(seconds);
  if (whole < 3600)
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `2026-11-22 23:42:08 UTC`: nobody reads milliseconds. */
export const clock = (moment: string): string => `${moment.slice(0, 10)} ${moment.slice(11, 19)} UTC`;

/** The least width that lines are fitted into; below it a terminal wraps by itself. */
const narrowest = 40;
const itemIndent = 2 + 2 + 21 + 1 + 9 + 2;

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #silent: boolean;
  #living = '';

  /** `silent` writes nothing: for --json. */
  constructor(options: { silent?: boolean; out?: NodeJS.WriteStream } = {}) {
    this.#out = options.out ?? process.stdout;
    this.#silent = options.silent ?? false;
  }

  /** Columns of the terminal; what is no terminal has no end of a line. */
  get width(): number {
    return this.#out.isTTY ? Math.max(narrowest, this.#out.columns ?? 80) : Number.POSITIVE_INFINITY;
  }

  line(text = ''): void {
    if (this.#silent) return;
    this.#clear();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  heading(text: string): void {
    this.line();
    this.text(this.#style('bold', text), 0);
  }

  /** Words, wrapped at the terminal's end with this indentation. */
  text(text: string, indent = 2): void {
    for (const each of wrap(text, this.width - indent)) this.line(' '.repeat(indent) + each);
  }

  /** A finished thing: mark, name, duration, what came of it. What went well is cut to the line; what did not is wrapped. */
  item(tone: Tone, name: string, seconds: number | undefined, rest: string): void {
    const time = seconds === undefined ? '' : duration(seconds);
    const start = `  ${this.#style(colours[tone], marks[tone])} ${name.padEnd(21)} ${time.padStart(9)}  `;
    const room = this.width - itemIndent;
    const [first = '', ...more] = tone === 'bad' ? wrap(rest, room) : [cut(rest, room)];
    this.line((start + first).trimEnd());
    for (const each of more) this.line(' '.repeat(itemIndent) + each);
  }

  /** The line that is rewritten in place; on anything but a terminal it is not shown. */
  living(text: string): void {
    if (this.#silent || !this.#out.isTTY) return;
    this.#clear();
    this.#living = text;
    this.#draw();
  }

  /** Rows with aligned columns, the last one wrapped; the first row is the heading. */
  table(rows: readonly (readonly string[])[]): void {
    const columns = rows[0]?.length ?? 0;
    const widths = Array.from({ length: columns - 1 }, (_, column) =>
      Math.max(...rows.map((row) => (row[column] ?? '').length)),
    );
    const indent = widths.reduce((sum, width) => sum + width + 2, 2);
    rows.forEach((row, index) => {
      const start = `  ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join('  ')}  `;
      const [first = '', ...more] = wrap(row[columns - 1] ?? '', this.width - indent);
      const line = (start + first).trimEnd();
      this.line(index === 0 ? this.#style('dim', line) : line);
      for (const each of more) this.line(' '.repeat(indent) + each);
    });
  }

  /** Labels and what belongs to them, wrapped beside them; a row without a label continues the one above. */
  pairs(rows: readonly (readonly [label: string, text: string])[]): void {
    const width = Math.max(...rows.map(([label]) => label.length));
    const indent = 2 + width + 2;
    for (const [label, text] of rows) {
      const [first = '', ...more] = wrap(text, this.width - indent);
      this.line(`  ${this.#style('bold', label.padEnd(width))}  ${first}`);
      for (const each of more) this.line(' '.repeat(indent) + each);
    }
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
    if (this.#living) this.#out.write(cut(this.#living, this.width - 1));
  }
}

const cut = (text: string, room: number) => (text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`);

/** Breaks at blanks, and within a word only where it alone is too long. Colours take no room. */
function wrap(text: string, room: number): string[] {
  const least = Math.max(room, 16);
  return text.split('\n').flatMap((paragraph) => {
    const lines = [''];
    for (const word of paragraph.split(' ')) {
      const last = lines.at(-1) ?? '';
      const joined = last === '' ? word : `${last} ${word}`;
      if (stripVTControlCharacters(joined).length <= least) lines[lines.length - 1] = joined;
      else if (stripVTControlCharacters(word).length <= least) lines.push(word);
      else lines.push(...(word.match(new RegExp(`.{1,${least}}`, 'g')) ?? []));
    }
    return lines[0] === '' && lines.length > 1 ? lines.slice(1) : lines;
  });
}
