/** An HTTP request and its answer inside one process, in the shape that a RequestListener takes. */
import { IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';

export interface Question {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Rejects with ECONNRESET where the listener destroys the response. */
export function ask(listener: RequestListener, question: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = requestOf(question);
    listener(
      request,
      new Reply(resolve, reject) as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage },
    );
  });
}

/** An IncomingMessage has no socket that sends it anything: its body is there from the start. */
function requestOf({ method, path, headers, body }: Question): IncomingMessage {
  const request = new IncomingMessage(nowhere);
  Object.assign(request, { method, url: path, httpVersion: '1.1', complete: true });
  request.headers = { ...headers };
  if (body !== undefined && body.length > 0) request.push(body);
  request.push(null);
  return request;
}

const nowhere = new Socket();

class Reply extends Writable {
  statusCode = 200;
  readonly #headers: Record<string, string> = {};
  readonly #chunks: Buffer[] = [];

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    super({ decodeStrings: true });
    this.on('finish', () => {
      resolve({ status: this.statusCode, headers: this.#headers, body: Buffer.concat(this.#chunks) });
    });
    this.on('close', () => {
      if (!this.writableFinished) reject(connectionError('ECONNRESET', 'socket hang up'));
    });
  }

  setHeader(name: string, value: unknown): this {
    this.#headers[name.toLowerCase()] = String(value);
    return this;
  }

  writeHead(status: number, headers: Readonly<Record<string, unknown>> = {}): this {
    this.statusCode = status;
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.setHeader(name, value);
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}

export function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
