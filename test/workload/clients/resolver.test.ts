/** Clients that resolve through Route 53 as the embedded cloud answers, with a clock of their own. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lookUp } from '../../../local/dns/lookup.ts';
import { respond } from '../../../local/dns/message.ts';
import { type NameServer, serveNames } from '../../../local/dns/server.ts';
import { startClients } from '../../../workload/clients/clients.ts';
import { Resolver } from '../../../workload/clients/resolver.ts';
import { alias, MINUTE, openSite, record, type Site } from '../../local/services/route53/home.ts';

let site: Site;
let zone: string;
let server: NameServer;
let queries: string[];
let now: number;
beforeEach(async () => {
  site = openSite();
  zone = await site.zone();
  queries = [];
  now = 0;
  server = await serveNames((query, via) =>
    respond(query, via, (name, type) => {
      queries.push(`${via} ${name} ${type}`);
      return site.service.answer(name, type);
    }),
  );
});
afterEach(() => server.close());

const resolverOf = (factor = 1) => new Resolver({ server: `127.0.0.1:${server.port}`, factor, now: () => now });
const change = async (...changes: Parameters<Site['change']>[1][]) => {
  await site.change(zone, ...changes);
  await site.home.clock.advance(MINUTE);
};

describe('a resolver', () => {
  it('keeps an answer for its TTL and not longer', async () => {
    const resolver = resolverOf();
    await change(record('CREATE', 'api.stocker.example', '192.0.2.1', { TTL: 60 }));
    expect(await resolver.resolve('api.stocker.example')).toEqual(['192.0.2.1']);
    await change(record('UPSERT', 'api.stocker.example', '192.0.2.2', { TTL: 60 }));
    now = 59_999;
    expect(await resolver.resolve('API.stocker.example.')).toEqual(['192.0.2.1']);
    expect(queries).toHaveLength(1);
    now = 60_000;
    expect(await resolver.resolve('api.stocker.example')).toEqual(['192.0.2.2']);
    expect(queries).toHaveLength(2);
  });

  it('scales TTLs as the cloud scales its waits', async () => {
    const resolver = resolverOf(60);
    await change(record('CREATE', 'api.stocker.example', '192.0.2.1', { TTL: 60 }));
    await resolver.resolve('api.stocker.example');
    now = 999;
    await resolver.resolve('api.stocker.example');
    expect(queries).toHaveLength(1);
    now = 1000;
    await resolver.resolve('api.stocker.example');
    expect(queries).toHaveLength(2);
  });

  it('keeps a chain no longer than its shortest part', async () => {
    const resolver = resolverOf();
    await change(
      record('CREATE', 'www.stocker.example', 'api.stocker.example', { Type: 'CNAME', TTL: 300 }),
      record('CREATE', 'api.stocker.example', '192.0.2.1', { TTL: 20 }),
    );
    expect(await resolver.resolve('www.stocker.example')).toEqual(['192.0.2.1']);
    await change(record('UPSERT', 'api.stocker.example', '192.0.2.2', { TTL: 20 }));
    now = 20_000;
    expect(await resolver.resolve('www.stocker.example')).toEqual(['192.0.2.2']);
  });

  it('keeps that there is none as long as the zone says', async () => {
    const resolver = resolverOf();
    expect(await resolver.resolve('new.stocker.example')).toEqual([]);
    await change(record('CREATE', 'new.stocker.example', '192.0.2.1'));
    now = 899_999;
    expect(await resolver.resolve('new.stocker.example')).toEqual([]);
    now = 900_000;
    expect(await resolver.resolve('new.stocker.example')).toEqual(['192.0.2.1']);
  });

  it('asks once for all who ask at the same time, and every time where the TTL is 0', async () => {
    const resolver = resolverOf();
    await change(record('CREATE', 'api.stocker.example', '192.0.2.1', { TTL: 0 }));
    await Promise.all([1, 2, 3].map(() => resolver.resolve('api.stocker.example')));
    expect(queries).toHaveLength(1);
    await resolver.resolve('api.stocker.example');
    expect(queries).toHaveLength(2);
  });

  it('asks over TCP for what does not fit', async () => {
    const resolver = resolverOf();
    const many = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`);
    await change(record('CREATE', 'many.stocker.example', many));
    expect(await resolver.resolve('many.stocker.example')).toEqual(many);
    expect(queries.map((query) => query.split(' ')[0])).toEqual(['udp', 'tcp']);
  });

  it('follows a failover, one TTL after Route 53 sees it', async () => {
    const resolver = resolverOf();
    const check = await site.check({ Type: 'HTTP', IPAddress: '127.0.0.1', Port: 80, Disabled: true });
    const role = (Failover: 'PRIMARY' | 'SECONDARY', value: string, more = {}) =>
      record('CREATE', 'api.stocker.example', value, { SetIdentifier: Failover, Failover, ...more });
    await change(
      role('PRIMARY', '192.0.2.1', { HealthCheckId: check }),
      role('SECONDARY', '192.0.2.2'),
      alias('CREATE', 'stocker.example', zone, 'api.stocker.example'),
    );
    expect(await resolver.resolve('stocker.example')).toEqual(['192.0.2.1']);
    await site.call('UpdateHealthCheck', { HealthCheckId: check, Inverted: true });
    now = 59_000;
    expect(await resolver.resolve('stocker.example')).toEqual(['192.0.2.1']);
    now = 61_000;
    expect(await resolver.resolve('stocker.example')).toEqual(['192.0.2.2']);
  });

  it('says that nobody answers, and that nobody is in charge', async () => {
    await expect(resolverOf().resolve('elsewhere.example')).rejects.toThrow('REFUSED');
    const gone = resolverOf();
    await server.close();
    await expect(gone.resolve('api.stocker.example')).rejects.toThrow('No name server answers');
    server = await serveNames((query, via) => respond(query, via, (name, type) => lookUp([], name, type)));
  });
});

describe('clients with a resolver', () => {
  const endpoints: Server[] = [];
  afterAll(() => {
    for (const endpoint of endpoints) endpoint.close();
  });
  async function listen(seen: string[], region: string): Promise<number> {
    const endpoint = createServer((_, response) => {
      seen.push(region);
      response.writeHead(201).end();
    });
    endpoints.push(endpoint);
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    return (endpoint.address() as AddressInfo).port;
  }

  it('write where DNS says that the service is, and follow it', async () => {
    const seen: string[] = [];
    const ports = { east: await listen(seen, 'east'), west: await listen(seen, 'west') };
    const srv = (Action: 'CREATE' | 'UPSERT', region: 'east' | 'west') =>
      record(Action, 'api.stocker.example', `1 1 ${ports[region]} ${region}.stocker.example`, { Type: 'SRV' });
    await change(
      ...(['east', 'west'] as const).map((region) => record('CREATE', `${region}.stocker.example`, '127.0.0.1')),
      srv('CREATE', 'east'),
    );
    const clients = startClients({
      ...{ url: 'http://api.stocker.example', writers: 2, pauseMs: 1, tenant: 1, products: [1], warehouses: [1] },
      resolver: resolverOf(),
    });
    await expect.poll(() => clients.ledger.entries.length).toBeGreaterThan(5);
    await change(srv('UPSERT', 'west'));
    expect(new Set(seen)).toEqual(new Set(['east']));
    now = 60_000;
    await expect.poll(() => seen.at(-1)).toBe('west');
    await clients.stop();
    expect(clients.ledger.failures).toEqual([]);
  });
});
