/** STOCKER API: products, warehouses, stock and its movements, one tenant per request. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Pool } from 'pg';

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
interface Question {
  readonly tenant: string;
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  readonly database: Pool;
}
type Route = readonly [method: string, path: RegExp, answer: (question: Question) => Promise<Answer>];

const routes: readonly Route[] = [
  ['GET', /^\/products$/, listProducts],
  ['POST', /^\/products$/, createProduct],
  ['GET', /^\/products\/(\d+)$/, readProduct],
  [
    'GET',
    /^\/warehouses$/,
    async ({ database }) => ({
      status: 200,
      body: (await database.query('SELECT id::int, code, city FROM stocker.warehouse ORDER BY id')).rows,
    }),
  ],
  ['POST', /^\/stock\/movements$/, moveStock],
  ['GET', /^\/stock\/(\d+)$/, readStock],
];

/** The API over a pool; without one it is alive and not ready. */
export function createApi(database: Pool | undefined): Server {
  let requests = 0;
  return createServer(async (request, response) => {
    requests++;
    const answer = await respond(request, database, () => requests).catch((error: Error & { code?: string }) =>
      failure(error),
    );
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {});
    response.writeHead(answer.status, {
      'content-type': typeof answer.body === 'string' ? 'text/plain; version=0.0.4' : 'application/json',
      ...answer.headers,
    });
    response.end(text);
  });
}

async function respond(request: IncomingMessage, database: Pool | undefined, requests: () => number): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://stocker');
  if (url.pathname === '/health/live') return { status: 200, body: { status: 'live' } };
  if (url.pathname === '/metrics')
    return { status: 200, body: `# TYPE stocker_requests_total counter\nstocker_requests_total ${requests()}\n` };
  if (!database) return { status: 503, body: { status: 'not ready', database: 'no endpoint' } };
  if (url.pathname === '/health/ready') return ready(database);
  const tenant = request.headers['x-tenant'];
  if (typeof tenant !== 'string' || !/^\d+$/.test(tenant))
    return { status: 400, body: { error: 'the header x-tenant must be a tenant id' } };
  for (const [method, path, answer] of routes) {
    const match = path.exec(url.pathname);
    if (!match || method !== request.method) continue;
    return answer({
      tenant,
      parameters: match.slice(1),
      query: url.searchParams,
      body: await bodyOf(request),
      database,
    });
  }
  return { status: 404, body: { error: `no ${request.method} ${url.pathname}` } };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length > 0 ? (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>) : {};
}

/** Constraint violations are the client's; everything else is the database's. */
function failure(error: Error & { code?: string }): Answer {
  if (error instanceof SyntaxError) return { status: 400, body: { error: 'the body is not JSON' } };
  if (error.code?.startsWith('23')) return { status: 409, body: { error: error.message } };
  return { status: 503, body: { error: error.message, code: error.code } };
}

async function ready(database: Pool): Promise<Answer> {
  const { rows } = await database.query('SELECT host(inet_server_addr()) AS address, inet_server_port() AS port');
  return {
    status: 200,
    body: { status: 'ready', database: 'up' },
    headers: { 'x-database': `${rows[0].address}:${rows[0].port}` },
  };
}

async function listProducts({ tenant, query, database }: Question): Promise<Answer> {
  const limit = Math.min(Number(query.get('limit') ?? 20) || 20, 100);
  const { rows } = await database.query(
    'SELECT id::int, sku, name FROM stocker.product WHERE tenant_id = $1 ORDER BY id LIMIT $2',
    [tenant, limit],
  );
  return { status: 200, body: rows };
}

async function createProduct({ tenant, body, database }: Question): Promise<Answer> {
  const { rows } = await database.query(
    `WITH made AS (INSERT INTO stocker.product (tenant_id, sku, name) VALUES ($1, $2, $3) RETURNING id, sku, name),
          stocked AS (INSERT INTO stocker.stock SELECT made.id, warehouse.id, 0 FROM made, stocker.warehouse)
     SELECT id::int, sku, name FROM made`,
    [tenant, body.sku, body.name],
  );
  return { status: 201, body: rows[0] };
}

async function readProduct({ tenant, parameters, database }: Question): Promise<Answer> {
  const { rows } = await database.query(
    'SELECT id::int, sku, name FROM stocker.product WHERE tenant_id = $1 AND id = $2',
    [tenant, parameters[0]],
  );
  return rows[0] ? { status: 200, body: rows[0] } : { status: 404, body: { error: `no product ${parameters[0]}` } };
}

/** One statement, so one transaction: the movement and the stock it changes are never apart. */
async function moveStock({ tenant, body, database }: Question): Promise<Answer> {
  const { rows } = await database.query(
    `WITH changed AS (
       UPDATE stocker.stock s SET quantity = s.quantity + $4 FROM stocker.product p
       WHERE s.product_id = $2 AND s.warehouse_id = $3 AND p.id = s.product_id AND p.tenant_id = $1 RETURNING s.product_id)
     INSERT INTO stocker.stock_movement (product_id, warehouse_id, quantity, reason)
     SELECT product_id, $3, $4, $5 FROM changed RETURNING id::text, committed_at::text AS "committedAt"`,
    [tenant, body.productId, body.warehouseId, body.quantity, body.reason],
  );
  return rows[0]
    ? { status: 201, body: { ...rows[0], id: Number(rows[0].id) } }
    : { status: 404, body: { error: `no stock of product ${body.productId} in warehouse ${body.warehouseId}` } };
}

async function readStock({ tenant, parameters, database }: Question): Promise<Answer> {
  const { rows } = await database.query(
    'SELECT s.product_id::int AS "productId", sum(s.quantity)::int AS quantity FROM stocker.stock s JOIN stocker.product p ON p.id = s.product_id WHERE p.tenant_id = $1 AND p.id = $2 GROUP BY 1',
    [tenant, parameters[0]],
  );
  return rows[0] ? { status: 200, body: rows[0] } : { status: 404, body: { error: `no product ${parameters[0]}` } };
}
