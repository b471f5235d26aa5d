/** Ports of one process: what listens on them is called, and nothing leaves. */
import type { RequestListener } from 'node:http';
import type { Transport } from '../dns/message.ts';
import type { NameServer, Respond } from '../dns/server.ts';
import type { Listening, Network } from '../network.ts';
import { type Answer, ask, connectionError, type Question } from './message.ts';
import { End } from './stream.ts';

export class VirtualNetwork implements Network {
  readonly #listeners = new Map<number, RequestListener>();
  readonly #forwards = new Map<number, () => number | undefined>();
  readonly #streams = new Map<number, (stream: End) => void>();
  readonly #nameServers = new Map<number, Respond>();
  #lastPort = 20_000;

  async listen(listener: RequestListener, options: Parameters<Network['listen']>[1] = {}): Promise<Listening> {
    const port = options.port || ++this.#lastPort;
    this.#listeners.set(port, listener);
    return this.#listening(port, options.certificate ? 'https' : 'http', () => this.#listeners.delete(port));
  }

  async forward(choose: () => number | undefined, port = ++this.#lastPort): Promise<Listening> {
    this.#forwards.set(port, choose);
    return this.#listening(port, 'http', () => this.#forwards.delete(port));
  }

  async freePort(): Promise<number> {
    return ++this.#lastPort;
  }

  request(url: URL, { headers = {}, signal }: Parameters<Network['request']>[1]): Promise<Answer> {
    const path = url.pathname + url.search;
    return untilAborted(this.ask(Number(url.port), { method: 'GET', path, headers, body: undefined }), signal);
  }

  async reach(_address: string, port: number): Promise<void> {
    const target = this.#forwards.get(port)?.() ?? port;
    if (!this.#listeners.has(target) && !this.#streams.has(target)) throw refused(port);
  }

  async serveNames(respond: Respond, port = ++this.#lastPort): Promise<NameServer> {
    this.#nameServers.set(port, respond);
    return { port, close: async () => void this.#nameServers.delete(port) };
  }

  /** One query in the wire format. Throws ECONNREFUSED where nothing answers names. */
  askName(port: number, query: Buffer, via: Transport = 'udp'): Buffer | undefined {
    const respond = this.#nameServers.get(port);
    if (respond === undefined) throw refused(port);
    return respond(query, via);
  }

  /** Rejects with ECONNREFUSED where nothing listens. */
  async ask(port: number, question: Question): Promise<Answer> {
    const choose = this.#forwards.get(port);
    const target = choose === undefined ? port : choose();
    const listener = target === undefined ? undefined : this.#listeners.get(target);
    if (listener === undefined) throw refused(port);
    return ask(listener, question);
  }

  /** Accepts streams of bytes, as a database does. */
  listenToStreams(accept: (stream: End) => void, port = ++this.#lastPort): { port: number; close(): void } {
    this.#streams.set(port, accept);
    return { port, close: () => void this.#streams.delete(port) };
  }

  /** Joins a client's end to what accepts there. Throws ECONNREFUSED where nothing does. */
  connect(port: number, client: End): void {
    const accept = this.#streams.get(port);
    if (accept === undefined) throw refused(port);
    const server = new End();
    server.join(client);
    accept(server);
  }

  #listening(port: number, protocol: string, close: () => void): Listening {
    return { endpoint: `${protocol}://127.0.0.1:${port}`, port, close: async () => close() };
  }
}

const refused = (port: number) => connectionError('ECONNREFUSED', `connect ECONNREFUSED 127.0.0.1:${port}`);

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
