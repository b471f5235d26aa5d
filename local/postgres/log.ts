/** Reads a server's log as it is written: lines, their severity and SQLSTATE. */
import type { Readable } from 'node:stream';

export interface LogLine {
  readonly text: string;
  /** LOG, ERROR, FATAL, PANIC, DETAIL …; undefined for a continued line. */
  readonly severity?: string;
  /** `00000` for success. */
  readonly sqlState?: string;
  readonly message: string;
}

/** Lines of `cloudSettings.log_line_prefix`. */
const pattern = /:\[\d+\]:([0-9A-Z]{5}):\s*([A-Z]+\d?):\s+(.*)$/;
const kept = 200;

export class LogTail {
  readonly #listeners = new Set<(line: LogLine) => void>();
  #recent: LogLine[] = [];
  #rest = '';

  /** Follows a stream until it ends. Characters beyond ASCII may not be cut: the stream decodes. */
  follow(stream: Readable): void {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const lines = (this.#rest + chunk).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const text of lines) this.#add(parse(text));
    });
  }

  /** The last lines, oldest first. */
  get recent(): readonly LogLine[] {
    return this.#recent;
  }

  clear(): void {
    this.#recent = [];
  }

  /** Calls back for every line from now on; returns what ends it. */
  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #add(line: LogLine): void {
    this.#recent.push(line);
    if (this.#recent.length > kept) this.#recent.shift();
    for (const listener of this.#listeners) listener(line);
  }
}

function parse(text: string): LogLine {
  const match = pattern.exec(text);
  if (match === null) return { text, message: text };
  return { text, sqlState: match[1] ?? '', severity: match[2] ?? '', message: match[3] ?? '' };
}
