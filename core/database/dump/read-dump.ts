/**
 * Reads what `pg_dump` writes in its plain format: statements, and blocks of rows between `COPY … FROM stdin;` and `\.`,
 * which are handed on as they come. Never is more than a line and a chunk in memory.
 */
import { StatementLexer } from './lexer.ts';

export type DumpItem =
  | { readonly kind: 'statement'; readonly sql: string; readonly line: number }
  | { readonly kind: 'rows'; readonly sql: string; readonly line: number; readonly rows: AsyncIterable<Uint8Array> };

/** The text is no whole dump. `line` counts from 1; of what the text holds it says the beginning of a statement at most. */
export class DumpBroken extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
    this.name = 'DumpBroken';
    this.line = line;
  }
}

/** pg_dump writes it last: without it, something is missing. */
const trailer = '-- PostgreSQL database dump complete';

/**
 * Yields the items in their order; the rows of one must be read before the next is asked for. Throws DumpBroken at a
 * command of psql, and at the end where the dump is not complete.
 */
export async function* readDump(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<DumpItem> {
  const lines = new Lines(bytes);
  try {
    yield* itemsIn(lines);
  } finally {
    await lines.close();
  }
}

async function* itemsIn(lines: Lines): AsyncGenerator<DumpItem> {
  const lexer = new StatementLexer();
  let isComplete = false;
  let begun = 0;
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    if (lexer.pending === '') {
      begun = lines.number;
      if (line === `${trailer}\n`) isComplete = true;
      // They keep psql from obeying commands within the dump; here nothing obeys any.
      if (/^\\(un)?restrict \w+\n$/.test(line)) continue;
    }
    for (const sql of statementsIn(line, lexer, lines)) {
      const copies = /^COPY\s.*\sFROM stdin;$/s.test(sql);
      yield copies ? { kind: 'rows', sql, line: begun, rows: lines.rows() } : { kind: 'statement', sql, line: begun };
      begun = lines.number;
    }
  }
  if (lexer.pending !== '')
    throw new DumpBroken(lines.number, `it ends within a statement: ${beginningOf(lexer.pending)}`);
  if (!isComplete) throw new DumpBroken(lines.number, `it ends without "${trailer}"`);
}

/** Enough of a statement to find it by, and too little to hold much of what it writes. */
export const beginningOf = (sql: string): string => sql.trim().split('\n', 1).join('').slice(0, 80);

function* statementsIn(line: string, lexer: StatementLexer, lines: Lines): Generator<string> {
  try {
    yield* lexer.push(line);
  } catch (error) {
    throw new DumpBroken(lines.number, `${(error as Error).message}: ${line.trim().slice(0, 40)}`);
  }
}

const newline = 0x0a;
const endOfRows = Buffer.from('\\.\n');

/** A text of lines, and blocks of rows in it that are passed on as bytes. */
class Lines {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  /** Of the line that was read last. */
  number = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** Nothing more is read. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** The next line with its newline; undefined at the end. A last line without one is given a newline. */
  async next(): Promise<string | undefined> {
    for (let from = 0; ; ) {
      const end = this.#held.indexOf(newline, from);
      if (end >= 0) return this.#take(end + 1).toString();
      from = this.#held.length;
      if (await this.#more()) continue;
      return from === 0 ? undefined : `${this.#take(from).toString()}\n`;
    }
  }

  /** Whole lines up to the one that ends them, which is taken too. Throws DumpBroken where it never comes. */
  async *rows(): AsyncGenerator<Uint8Array> {
    const begun = this.number;
    for (;;) {
      const end = endOfRowsIn(this.#held);
      const whole = end ?? this.#held.lastIndexOf(newline) + 1;
      if (whole > 0) {
        const rows = this.#take(whole);
        this.number += linesIn(rows) - 1;
        yield rows;
      }
      if (end !== undefined) {
        this.#take(endOfRows.length);
        return;
      }
      if (!(await this.#more()))
        throw new DumpBroken(this.number, `it ends within the rows that begin in line ${begun}`);
    }
  }

  #take(length: number): Buffer {
    this.number += 1;
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done) return false;
    this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value]);
    return true;
  }
}

/** Where the line `\.` begins; what is held begins with a line. */
function endOfRowsIn(held: Buffer): number | undefined {
  if (held.subarray(0, endOfRows.length).equals(endOfRows)) return 0;
  const found = held.indexOf('\n\\.\n');
  return found < 0 ? undefined : found + 1;
}

function linesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}
