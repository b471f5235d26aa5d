/** PostgreSQL's frontend/backend protocol, version 3, from the server's side, on one stream. TLS is agreed and left out. */
import type { Duplex } from 'node:stream';
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
  readonly transaction: string;
  /** Calls back when the server ends the session. */
  onEnd(end: (error: SqlError) => void): void;
  close(): void;
}

const sslRequest = 80_877_103;
const textType = 25;

/** Serves one connection until either side ends it. */
export function serve(stream: Duplex, backend: Backend): void {
  new Connection(stream, backend);
}

class Connection {
  readonly #stream: Duplex;
  readonly #backend: Backend;
  #buffer: Buffer = Buffer.alloc(0);
  #user: string | undefined;
  #session: SessionHandler | undefined;
  #statement = '';
  #bound: Rows | undefined;
  /** After an error the extended protocol skips to the next Sync. */
  #skipping = false;

  constructor(stream: Duplex, backend: Backend) {
    this.#stream = stream;
    this.#backend = backend;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
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
    this.#send('R', int32(3)); // AuthenticationCleartextPassword
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
      else if (type === 'p') this.#stream.end();
      else this.#skipping = true;
    }
  }

  #authenticate(password: string): void {
    const session = this.#backend.login(this.#user ?? '', password);
    session.onEnd((error) => {
      this.#fail(error, 'FATAL');
      this.#stream.destroy();
    });
    this.#session = session;
    this.#send('R', int32(0));
    for (const [name, value] of [
      ['server_version', '18.0'],
      ['client_encoding', 'UTF8'],
      ['standard_conforming_strings', 'on'],
    ] as const)
      this.#send('S', Buffer.from(`${name}\0${value}\0`));
    this.#send('K', Buffer.concat([int32(1), int32(1)]));
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
      this.#send('1');
    } else if (type === 'B') {
      this.#bound = this.#session?.query(this.#statement, parametersOf(body)) ?? [];
      this.#send('2');
    } else if (type === 'D') {
      const rows = this.#bound ?? [];
      if (rows.length === 0) this.#send('n');
      else this.#describe(rows);
    } else if (type === 'E') this.#answer(this.#bound ?? [], false);
  }

  #answer(rows: Rows, described: boolean): void {
    if (described && rows.length > 0) this.#describe(rows);
    for (const row of rows) this.#send('D', dataRow(Object.values(row)));
    this.#send('C', Buffer.from(`SELECT ${rows.length}\0`));
  }

  #describe([row = {}]: Rows): void {
    const fields = Object.keys(row).map((name) =>
      Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(textType), int16(-1), int32(-1), int16(0)]),
    );
    this.#send('T', Buffer.concat([int16(fields.length), ...fields]));
  }

  #ready(): void {
    this.#send('Z', Buffer.from(this.#session?.transaction ?? 'I'));
  }

  #fail(error: unknown, severity = 'ERROR'): void {
    const { sqlState, message } = error instanceof SqlError ? error : new SqlError('XX000', String(error));
    const fields = { S: severity, V: severity, C: sqlState, M: message };
    const text = Object.entries(fields).map(([code, value]) => `${code}${value}\0`);
    this.#send('E', Buffer.from(`${text.join('')}\0`));
  }

  #send(type: string, body: Buffer = Buffer.alloc(0)): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    const message = Buffer.allocUnsafe(5 + body.length);
    message.write(type, 0, 'latin1');
    message.writeInt32BE(4 + body.length, 1);
    body.copy(message, 5);
    this.#stream.write(message);
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

function dataRow(values: readonly (string | null)[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = Buffer.from(value);
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([int16(values.length), ...parts]);
}

const cstring = (body: Buffer, from: number): string => body.toString('utf8', from, body.indexOf(0, from));

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}
