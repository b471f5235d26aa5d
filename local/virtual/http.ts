/** node:http, node:https and fetch as a sandbox sees them: requests go to the cloud's virtual network. */
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { hasTravelled } from './direct.ts';
import { here, type Place } from './here.ts';
import type { Answer, Question } from './message.ts';

interface Options {
  readonly method?: string;
  readonly path?: string;
  readonly port?: number | string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

class Agent {
  destroy(): void {}
}

function request(...given: [URL | Options, ...unknown[]]): ClientRequest {
  const [where, ...rest] = given;
  const onResponse = rest.find((each): each is (response: Readable) => void => typeof each === 'function');
  const more = rest.find((each): each is Options => typeof each === 'object');
  const target = where instanceof URL ? { port: where.port, path: where.pathname + where.search } : where;
  return new ClientRequest({ ...target, ...more }, onResponse);
}

class ClientRequest extends EventEmitter {
  readonly #place = here();
  readonly #options: Options;
  readonly #chunks: Buffer[] = [];
  #over = false;

  constructor(options: Options, onResponse: ((response: Readable) => void) | undefined) {
    super();
    this.#options = options;
    if (onResponse) this.once('response', onResponse);
    options.signal?.addEventListener('abort', () => this.destroy(options.signal?.reason), { once: true });
  }

  /** Clients that wait for a connection see one at once. */
  readonly socket = { connecting: false, setKeepAlive() {}, setTimeout() {} };

  setTimeout(): this {
    return this;
  }
  setHeader(): this {
    return this;
  }
  write(chunk: string | Uint8Array): boolean {
    this.#chunks.push(Buffer.from(chunk as string));
    return true;
  }
  end(chunk?: string | Uint8Array): this {
    if (chunk !== undefined) this.write(chunk);
    void this.#send();
    return this;
  }
  destroy(error?: Error): this {
    if (this.#over) return this;
    this.#over = true;
    if (error) this.emit('error', error);
    this.emit('close');
    return this;
  }

  async #send(): Promise<void> {
    const { method = 'GET', path = '/', port, headers = {} } = this.#options;
    const body = this.#chunks.length > 0 ? Buffer.concat(this.#chunks) : undefined;
    const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
    const asked = askFrom(this.#place, Number(port), {
      method,
      path,
      headers: Object.fromEntries(named) as Record<string, string>,
      body,
    });
    try {
      const answer = await asked;
      if (isRemembered(answer)) this.#place.reusable = false;
      if (this.#over) return;
      this.emit('response', responseOf(answer));
      this.destroy();
    } catch (error) {
      this.#place.reusable = false;
      this.destroy(error as Error);
    }
  }
}

function responseOf({ status, headers, body }: Answer): Readable {
  const stream = new Readable({ read() {} });
  if (body.length > 0) stream.push(body);
  stream.push(null);
  return Object.assign(stream, { statusCode: status, statusMessage: '', headers });
}

/** Never settles once the sandbox was cut off: its process is gone. */
async function askFrom(place: Place, port: number, question: Question): Promise<Answer> {
  const around = place.around;
  const never = new Promise<never>(() => {});
  if (around === undefined) return never;
  if (!hasTravelled()) await around.clock.sleep(around.latency());
  if (place.around !== around) return never;
  try {
    const answer = await around.network.ask(port, question);
    if (place.around !== around) return never;
    return answer;
  } catch (error) {
    if (place.around !== around) return never;
    throw error;
  }
}

/** SDK clients keep a budget of retries: one that has spent of it is not as new. What uses `fetch` remembers nothing. */
const isRemembered = ({ status, body }: Answer): boolean =>
  status >= 500 ||
  status === 429 ||
  (status >= 400 && /Throttl|TooMany|LimitExceeded|ThroughputExceeded/.test(body.toString('latin1', 0, 400)));

/** `fetch` of http URLs. */
export async function fetchHere(input: string | URL, init: RequestInit = {}): Promise<Received> {
  const url = new URL(input);
  const { signal } = init;
  if (signal?.aborted) throw signal.reason;
  const headers = init.headers === undefined ? {} : Object.fromEntries(new Headers(init.headers));
  const body = init.body == null ? undefined : Buffer.from(String(init.body));
  const aborted = new Promise<never>((_resolve, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
  const question = { method: init.method ?? 'GET', path: url.pathname + url.search, headers, body };
  const asked = askFrom(here(), Number(url.port), question).catch((cause: unknown) => {
    throw new TypeError('fetch failed', { cause });
  });
  return new Received(await Promise.race([asked, aborted]));
}

/** As much of a Response as clients read. A real one makes streams of bodies that are there already. */
class Received {
  readonly status: number;
  readonly ok: boolean;
  /** Names in lower case, in their order. */
  readonly headers: ReadonlyMap<string, string>;
  readonly #body: Buffer;

  constructor({ status, headers, body }: Answer) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = new Map(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#body = body;
  }

  async text(): Promise<string> {
    return this.#body.toString();
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#body.toString());
  }
}

/** Only what clients use. Last, once all of it is there. */
export const httpModule = { request, Agent, globalAgent: new Agent(), METHODS: [] };
