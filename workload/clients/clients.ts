/** Clients of the STOCKER API: they move stock all the time and keep a ledger of what was acknowledged. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger } from './ledger.ts';
import type { Resolver } from './resolver.ts';

export interface ClientOptions {
  /** Base URL of the API; with a resolver, its host is a name that SRV records locate. */
  readonly url: string;
  /** Asked before every write; it answers from its cache while the TTL lasts. */
  readonly resolver?: Resolver;
  /** Writers side by side, and how long each rests between writes. */
  readonly writers: number;
  readonly pauseMs: number;
  readonly tenant: number;
  /** Products and warehouses that exist, by id. */
  readonly products: readonly number[];
  readonly warehouses: readonly number[];
}

export interface Clients {
  readonly ledger: Ledger;
  stop(): Promise<void>;
}

/** Starts the writers; they go on through failures, which the ledger keeps. */
export function startClients(options: ClientOptions): Clients {
  const ledger = new Ledger();
  const stopping = new AbortController();
  const writers = Array.from({ length: options.writers }, async (_, writer) => {
    for (let turn = writer; !stopping.signal.aborted; turn += options.writers) {
      await write(options, turn, ledger);
      await sleep(options.pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  });
  return {
    ledger,
    async stop() {
      stopping.abort();
      await Promise.all(writers);
    },
  };
}

async function write(options: ClientOptions, turn: number, ledger: Ledger): Promise<void> {
  const reference = randomUUID();
  const sentAt = Date.now();
  try {
    const response = await fetch(new URL('/stock/movements', await baseOf(options)), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-tenant': String(options.tenant) },
      body: JSON.stringify({
        productId: options.products[turn % options.products.length],
        warehouseId: options.warehouses[turn % options.warehouses.length],
        quantity: 1,
        reason: `ledger:${reference}`,
      }),
      signal: AbortSignal.timeout(5000),
    });
    await response.arrayBuffer();
    if (response.status === 201) ledger.entries.push({ reference, sentAt, acknowledgedAt: Date.now() });
    else ledger.failures.push({ at: Date.now(), reason: `HTTP ${response.status}` });
  } catch (error) {
    ledger.failures.push({ at: Date.now(), reason: error instanceof Error ? error.message : String(error) });
  }
}

async function baseOf({ url, resolver }: ClientOptions): Promise<URL> {
  const base = new URL(url);
  if (resolver === undefined) return base;
  const { host, port } = await resolver.locate(base.hostname);
  return new URL(`${base.protocol}//${host}:${port}`);
}
