import { describe, expect, test } from 'vitest';
import type { Sessions } from '../../../core/database/ports.ts';
import type { Http, HttpResponse } from '../../../core/validation/ports.ts';
import { validateApplication } from '../../../core/validation/validate-application.ts';
import { FakeParameters } from '../database/fakes.ts';
import { FakeClock, FakeIncidents, makeIncident, makeRecord, settings } from '../fakes.ts';

const incident = makeIncident();
const candidate = { identifier: 'copy', resourceId: 'db-COPY', address: 'copy.rds', port: 5432, database: 'stocker' };

/** The canary as the contract has it; `change` breaks one answer. */
function canary(change: Record<string, Partial<HttpResponse>> = {}): Http {
  let sku = '';
  return {
    async request({ method, url, body }) {
      const route = `${method} ${new URL(url).pathname}`;
      if (body !== undefined && route === 'POST /products') sku = JSON.parse(body).sku;
      const answers: Record<string, [number, unknown]> = {
        'GET /health/live': [200, {}],
        'GET /health/ready': [200, { status: 'ready', database: 'up' }],
        'GET /products': [200, []],
        'POST /products': [201, { id: '9' }],
        'GET /products/9': [200, { id: '9', sku }],
        'GET /warehouses': [200, [{ id: '1' }]],
        'POST /stock/movements': [201, { id: '77', committedAt: '2026-11-22T20:20:00Z' }],
        'GET /stock/9': [200, { productId: '9', quantity: 5 }],
      };
      const [status, content] = answers[route] ?? [200, undefined];
      const text = content === undefined ? 'stocker_requests_total{route="/"} 3\n' : JSON.stringify(content);
      const headers = { 'x-database': '10.0.0.7:5432' };
      return { status, body: text, headers, elapsedMilliseconds: 1, ...change[route] };
    },
  };
}

const run = async (http: Http, rows: Record<string, string>[] = [{ address: '10.0.0.7:5432', quantity: '5' }]) => {
  const incidents = new FakeIncidents();
  await incidents.open(makeRecord({ achieved: { rpoSeconds: 60 } }));
  const parameters = new FakeParameters();
  await parameters.write('/stocker/canary/url', 'http://canary:8080/');
  const sessions: Sessions = { open: async () => ({ query: async () => rows, close: async () => {} }) };
  const secrets = { credentials: async () => ({ username: 'u', password: 'p' }) };
  const clock = new FakeClock('2026-11-22T20:20:00.000Z');
  const context = { settings, clock, http, parameters, secrets, sessions, incidents };
  await validateApplication({ incident, candidate }, context);
  return incidents.read(incident.id);
};

describe('the application on the restored copy', () => {
  test('is healthy when it does its job there; the RTO clock stops', async () => {
    expect(await run(canary())).toMatchObject({
      recoveredAt: '2026-11-22T20:20:00.000Z',
      achieved: { rtoSeconds: 300, rpoSeconds: 60 },
    });
  });

  test.each([
    { case: 'is not ready', route: 'GET /health/ready', change: { status: 503 }, name: 'ApplicationNotReady' },
    {
      case: 'talks to another database',
      route: 'GET /health/ready',
      change: { headers: { 'x-database': '10.0.0.1:5432' } },
      name: 'ApplicationNotReady',
    },
    { case: 'cannot create', route: 'POST /products', change: { status: 500 }, name: 'ApplicationFailed' },
    {
      case: 'loses what it moved',
      route: 'GET /stock/9',
      change: { body: '{"quantity":0}' },
      name: 'ApplicationFailed',
    },
    { case: 'counts nothing', route: 'GET /metrics', change: { body: '' }, name: 'ApplicationFailed' },
  ])('is refused ($name) when it $case', async ({ route, change, name }) => {
    await expect(run(canary({ [route]: change }))).rejects.toMatchObject({ name });
  });

  test('is refused when an acknowledged movement is not in the copy', async () => {
    const rows = [{ address: '10.0.0.7:5432' }];
    await expect(run(canary(), rows)).rejects.toMatchObject({ name: 'ApplicationFailed' });
  });
});
