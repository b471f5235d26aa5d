/** PostgreSQL's frontend/backend protocol, version 3, from the server's side, on one stream. TLS is agreed and left out. */
import { SqlError } from './content.ts';

export type Rows = readonly Readonly<Record<string, string | null>>[];

/** What the protocol asks of the server. */
export interface Backend {
  /** Throws SqlError. */
  login(user: string, password: string): SessionHandler;
}

export interface SessionHandler {
  /** The rows of the last statement. Throws SqlError. */
  query(sql: string, parameters: readonly (string | null)[]): Rows;
  /** `I`, `T` or `E`, as ReadyForQuery tells it. */
  readonly transaction: 'I' | 'T' | 'E';
  /** Calls back when the server ends the session. */
  onEnd(end: (error: SqlError) => void): void;
  close(): void;
}

/** One end of a connection. */
export interface ByteStream {
  readonly destroyed: boolean;
  on(event: 'data', hear: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close' | 'error', hear: () => void): unknown;
  write(chunk: string | Buffer): unknown;
  end(): unknown;
  destroy(): unknown;
}

const sslRequest = 80_877_103;
const textType = 25;

/** Serves one connection until either side ends it. */
export function serve(stream: ByteStream, backend: Backend): void {
  new Connection(stream, backend);
}

class Connection {
  readonly #stream: ByteStream;
  readonly #output = new Output();
  readonly #backend: Backend;
  #buffer: Buffer = Buffer.alloc(0);
  #user: string | undefined;
  #session: SessionHandler | undefined;
  #statement = '';
  #bound: Rows | undefined;
  /** After an error the extended protocol skips to the next Sync. */
  #skipping = false;

  constructor(stream: ByteStream, backend: Backend) {
    this.#stream = stream;
    this.#backend = backend;
    stream.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
      this.#flush();
    });
    stream.on('end', () => this.#end());
    stream.on('close', () => this.#session?.close());
    stream.on('error', () => this.#session?.close());
  }

  #end(): void {
    this.#session?.close();
    if (!this.#stream.destroyed) this.#stream.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const header = this.#user === undefined ? 0 : 1;
      if (this.#buffer.length < header + 4) return;
      const length = this.#buffer.readInt32BE(header);
      if (this.#buffer.length < header + length) return;
      const type = header === 0 ? '' : String.fromCharCode(this.#buffer[0] ?? 0);
      const body = this.#buffer.subarray(header + 4, header + length);
      this.#buffer = this.#buffer.subarray(header + length);
      if (header === 0) this.#start(body);
      else this.#handle(type, body);
    }
  }

  #start(body: Buffer): void {
    if (body.readInt32BE(0) === sslRequest) {
      this.#stream.write('S');
      return;
    }
    const parts = body.toString('utf8', 4).split('\0');
    this.#user = parts[parts.indexOf('user') + 1] ?? '';
    this.#output.begin('R').int32(3).finish(); // AuthenticationCleartextPassword
  }

  #handle(type: string, body: Buffer): void {
    try {
      if (type === 'p') this.#authenticate(cstring(body, 0));
      else if (type === 'Q') this.#simple(cstring(body, 0));
      else if (type === 'S') {
        this.#skipping = false;
        this.#ready();
      } else if (type === 'X') this.#end();
      else if (!this.#skipping) this.#extended(type, body);
    } catch (error) {
      this.#fail(error);
      if (type === 'Q') this.#ready();
      else if (type === 'p') {
        this.#flush();
        this.#stream.end();
      } else this.#skipping = true;
    }
  }

  #authenticate(password: string): void {
    const session = this.#backend.login(this.#user ?? '', password);
    session.onEnd((error) => {
      this.#fail(error, 'FATAL');
      this.#flush();
      this.#stream.destroy();
    });
    this.#session = session;
    this.#output.begin('R').int32(0).finish();
    for (const [name, value] of [
      ['server_version', '18.0'],
      ['client_encoding', 'UTF8'],
      ['standard_conforming_strings', 'on'],
    ] as const)
      this.#output.begin('S').text(name).text(value).finish();
    this.#output.begin('K').int32(1).int32(1).finish();
    this.#ready();
  }

  #simple(sql: string): void {
    this.#answer(this.#session?.query(sql, []) ?? [], true);
    this.#ready();
  }

  #extended(type: string, body: Buffer): void {
    if (type === 'P') {
      const name = cstring(body, 0);
      this.#statement = cstring(body, Buffer.byteLength(name) + 1);
      this.#output.begin('1').finish();
    } else if (type === 'B') {
      this.#bound = this.#session?.query(this.#statement, parametersOf(body)) ?? [];
      this.#output.begin('2').finish();
    } else if (type === 'D') {
      const rows = this.#bound ?? [];
      if (rows.length === 0) this.#output.begin('n').finish();
      else this.#describe(rows);
    } else if (type === 'E') this.#answer(this.#bound ?? [], false);
  }

  #answer(rows: Rows, described: boolean): void {
    if (described && rows.length > 0) this.#describe(rows);
    for (const row of rows) this.#row(Object.values(row));
    this.#output.begin('C').text(`SELECT ${rows.length}`).finish();
  }

  #describe([row = {}]: Rows): void {
    const names = Object.keys(row);
    const output = this.#output.begin('T').int16(names.length);
    for (const name of names) output.text(name).int32(0).int16(0).int32(textType).int16(-1).int32(-1).int16(0);
    output.finish();
  }

  #row(values: readonly (string | null)[]): void {
    const output = this.#output.begin('D').int16(values.length);
    for (const value of values) {
      if (value === null) output.int32(-1);
      else output.counted(value);
    }
    output.finish();
  }

  #ready(): void {
    this.#output
      .begin('Z')
      .byte(this.#session?.transaction ?? 'I')
      .finish();
  }

  #fail(error: unknown, severity = 'ERROR'): void {
    const { sqlState, message } = error instanceof SqlError ? error : new SqlError('XX000', String(error));
    const output = this.#output.begin('E');
    for (const [code, value] of Object.entries({ S: severity, V: severity, C: sqlState, M: message }))
      output.text(code + value);
    output.text('').finish();
  }

  /** What was said meanwhile goes out together. */
  #flush(): void {
    const bytes = this.#output.take();
    if (bytes.length > 0 && !this.#stream.destroyed) this.#stream.write(bytes);
  }
}

/** Messages of the server: a type, the length of the rest, the rest. */
class Output {
  #bytes = Buffer.allocUnsafe(256);
  #at = 0;
  #begun = 0;

  begin(type: string): this {
    this.byte(type);
    this.#begun = this.#at;
    return this.int32(0);
  }
  finish(): void {
    this.#bytes.writeInt32BE(this.#at - this.#begun, this.#begun);
  }
  byte(character: string): this {
    this.#room(1);
    this.#bytes[this.#at++] = character.charCodeAt(0);
    return this;
  }
  int16(value: number): this {
    this.#room(2);
    this.#at = this.#bytes.writeInt16BE(value, this.#at);
    return this;
  }
  int32(value: number): this {
    this.#room(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
    return this;
  }
  /** Ended by a zero byte. */
  text(value: string): this {
    this.#write(value);
    return this.byte('\0');
  }
  /** After its length in bytes. */
  counted(value: string): this {
    const lengthAt = this.#at;
    this.int32(0);
    const written = this.#write(value); // which may move the bytes
    this.#bytes.writeInt32BE(written, lengthAt);
    return this;
  }
  /** Everything since the last time. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    if (this.#at > 0) this.#bytes = Buffer.allocUnsafe(256);
    this.#at = 0;
    return taken;
  }

  #write(value: string): number {
    this.#room(value.length * 3);
    const written = this.#bytes.write(value, this.#at);
    this.#at += written;
    return written;
  }
  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Bind: portal, statement, parameter formats, parameters; all as text, as `pg` sends what it is given as text. */
function parametersOf(body: Buffer): (string | null)[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    const value = body.toString('utf8', at, at + length);
    at += length;
    return value;
  });
}

const cstring = (body: Buffer, from: number): string => body.toString('utf8', from, body.indexOf(0, from));
