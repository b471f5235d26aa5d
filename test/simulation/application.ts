/** The customer's API as the product sees it, over modelled databases: a container that serves inside the process. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { SqlError } from '../../local/postgres-model/content.ts';
import type { ModelledServer } from '../../local/postgres-model/server.ts';

export interface Wiring {
  /** The value of an SSM parameter of a Region now. */
  readonly parameter: (name: string, region: string) => Promise<string>;
  /** Username and password of a secret now. */
  readonly secret: (name: string, region: string) => Promise<{ readonly username: string; readonly password: string }>;
  /** Undefined where no database has that port. */
  readonly database: (port: number) => ModelledServer | undefined;
}

/** Like the real one, it reads endpoint and password once, when it starts: a change needs a restart. */
export const serveApplication =
  (wiring: Wiring) =>
  (env: Readonly<Record<string, string>>): RequestListener => {
    const starting = start(wiring, env);
    let requests = 0;
    return async (request: IncomingMessage, response: ServerResponse) => {
      requests++;
      const send = (status: number, body: unknown, headers = {}) => {
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
      };
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      if (path === '/health/live') return send(200, { status: 'live' });
      if (path === '/metrics') return send(200, `stocker_requests_total ${requests}\n`);
      try {
        const { server, login } = await starting;
        if (server === undefined) return send(503, { status: 'not ready', database: 'no endpoint' });
        if (!server.accepts(login.username, login.password)) throw new SqlError('28000', 'login refused');
        if (path === '/health/ready')
          return send(200, { status: 'ready', database: 'up' }, { 'x-database': `127.0.0.1:${server.port}` });
        if (path === '/warehouses') return send(200, [{ id: 1, code: 'AMS', city: 'Amsterdam' }]);
        const body = await bodyOf(request);
        const products = productsIn(server);
        if (path === '/products' && request.method === 'POST') {
          const product = { id: products.size + 1, sku: body.sku, name: body.name };
          products.set(String(product.id), product);
          return send(201, product);
        }
        if (path === '/products') return send(200, [...products.values()]);
        if (path === '/stock/movements') {
          const { id } = server.write(login.username, login.password, Number(body.quantity));
          return send(201, { id });
        }
        const [, kind, id = ''] = path.split('/');
        if (kind === 'stock') return send(200, { productId: Number(id), quantity: 5 });
        const found = products.get(id);
        return found ? send(200, found) : send(404, { error: `no product ${id}` });
      } catch (error) {
        return send(503, { error: String(error), code: error instanceof SqlError ? error.sqlState : undefined });
      }
    };
  };

const products = new WeakMap<ModelledServer, Map<string, object>>();

/** What one pod made another finds: it is in the database, of which the model keeps no such rows. */
function productsIn(server: ModelledServer): Map<string, object> {
  const known = products.get(server) ?? new Map<string, object>();
  products.set(server, known);
  return known;
}

async function start({ parameter, secret, database }: Wiring, env: Readonly<Record<string, string>>) {
  const region = env.AWS_REGION ?? '';
  const endpoint = await parameter(env.DATABASE_ENDPOINT_PARAMETER ?? '', region);
  const login = await secret(env.DATABASE_SECRET ?? '', region);
  const port = endpoint === 'none' ? undefined : (JSON.parse(endpoint) as { port: number }).port;
  return { server: port === undefined ? undefined : database(port), login };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}
