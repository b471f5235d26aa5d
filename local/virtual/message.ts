/** An HTTP request and its answer inside one process, in the shape that a RequestListener takes. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
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
    listener(
      new Arrived(question) as unknown as IncomingMessage,
      new Reply(resolve, reject) as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage },
    );
  });
}

/** As much of an IncomingMessage as listeners read: its body is there from the start, and needs no stream. */
class Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly httpVersion = '1.1';
  readonly socket = nowhere;
  readonly #body: Uint8Array | undefined;

  constructor({ method, path, headers, body }: Question) {
    this.method = method;
    this.url = path;
    this.headers = { ...headers };
    this.#body = body;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#body !== undefined && this.#body.length > 0) yield this.#body;
  }
}

const nowhere = { remoteAddress: undefined };

class Reply extends Writable {
  statusCode = 200;
  readonly #headers: Record<string, string> = {};
  readonly #chunks: Buffer[] = [];
  readonly #resolve: (answer: Answer) => void;

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    super({ decodeStrings: true });
    this.#resolve = resolve;
    this.on('finish', () => this.#answer(Buffer.concat(this.#chunks)));
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

  /** A body in one piece, which is the rule, needs none of what a stream does. */
  override end(...given: unknown[]): this {
    const [chunk] = given;
    const isWhole = (typeof chunk === 'string' || chunk instanceof Uint8Array) && given.length === 1;
    if (!isWhole || this.#chunks.length > 0 || this.writableLength > 0) return super.end(...(given as [unknown]));
    this.#answer(Buffer.from(chunk as string));
    return this;
  }

  #answer(body: Buffer): void {
    this.#resolve({ status: this.statusCode, headers: this.#headers, body });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }
}

export function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
