/**
 * How clients find the application: they ask DNS and keep what it says for as long as its TTL allows, no longer. Where
 * traffic was moved, they go on to the old address until then, as clients on the Internet do.
 */
import type { Answer, SrvData } from 'dns-packet';
import { ask, type Response, type Server } from './name-query.ts';

export interface ResolverOptions {
  /** The authoritative server, `<host>:<port>`. */
  readonly server: string;
  /** TTLs are divided by it: the cloud's own, where its clock is scaled. */
  readonly factor: number;
  /** Milliseconds, growing. */
  readonly now?: () => number;
}

type RecordType = 'A' | 'AAAA' | 'CNAME' | 'SRV' | 'TXT';

interface Kept {
  readonly values: readonly unknown[];
  readonly until: number;
}

/** A CNAME leads to another so often. */
const longestChain = 8;

export class Resolver {
  readonly #server: Server;
  readonly #factor: number;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<Kept>>();

  constructor({ server, factor, now = () => performance.now() }: ResolverOptions) {
    const [host = '', port] = server.split(':');
    this.#server = { host, port: Number(port) };
    this.#factor = factor;
    this.#now = now;
  }

  /** The data of a name's records, CNAMEs followed; empty where there are none. Rejects where no server answers. */
  async resolve(name: string, type: RecordType = 'A'): Promise<readonly unknown[]> {
    const key = `${name.toLowerCase().replace(/\.$/, '')} ${type}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > this.#now()) return kept.values;
    // Who asks the same meanwhile waits for the same answer.
    const asking = this.#asking.get(key) ?? this.#ask(key, name, type);
    this.#asking.set(key, asking);
    return (await asking).values;
  }

  /** Where a service is: on one machine, Regions differ by port, which SRV records tell. Rejects where there is none. */
  async locate(name: string): Promise<Server> {
    const [service] = (await this.resolve(name, 'SRV')) as readonly SrvData[];
    if (service === undefined) throw new Error(`${name} has no SRV record`);
    const [host] = (await this.resolve(service.target)) as readonly string[];
    if (host === undefined) throw new Error(`${service.target} has no address`);
    return { host, port: service.port };
  }

  async #ask(key: string, name: string, type: RecordType): Promise<Kept> {
    try {
      const { values, ttl } = await this.#follow(name, type);
      const kept = { values, until: this.#now() + (ttl * 1000) / this.#factor };
      this.#kept.set(key, kept);
      return kept;
    } finally {
      this.#asking.delete(key);
    }
  }

  /** The least TTL on the way is that of the whole. */
  async #follow(name: string, type: RecordType): Promise<{ values: readonly unknown[]; ttl: number }> {
    let owner = name;
    let ttl = Number.POSITIVE_INFINITY;
    for (let step = 0; step < longestChain; step++) {
      const response = await ask(this.#server, owner, type);
      if (!['NOERROR', 'NXDOMAIN'].includes(response.rcode)) throw new Error(`${owner}: ${response.rcode}`);
      const answers = response.answers ?? [];
      ttl = Math.min(ttl, ...answers.map(ttlOf));
      const found = answers.filter((answer) => answer.type === type);
      if (found.length > 0) return { values: found.map(dataOf), ttl };
      const next = answers.findLast((answer) => answer.type === 'CNAME');
      if (next === undefined) return { values: [], ttl: Math.min(ttl, negativeTtl(response)) };
      owner = String(dataOf(next));
    }
    throw new Error(`${name} leads from one CNAME to the next without end`);
  }
}

const ttlOf = (answer: Answer): number => ('ttl' in answer ? (answer.ttl ?? 0) : 0);
const dataOf = (answer: Answer): unknown => ('data' in answer ? answer.data : undefined);

/** How long "there is none" may be kept: the SOA's TTL, which the server has bounded by its minimum (RFC 2308). */
function negativeTtl({ authorities = [] }: Response): number {
  const soa = authorities.find(({ type }) => type === 'SOA');
  return soa === undefined ? 0 : ttlOf(soa);
}
