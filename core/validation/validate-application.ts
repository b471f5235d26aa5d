/** ValidateApplication: the application (in a drill its canary) does its job on the restored database. Stops the RTO clock. */
import type { Candidate } from '../database/contracts.ts';
import type { Parameters, Secrets, Sessions } from '../database/ports.ts';
import { addressOf, withSession } from '../database/sql.ts';
import { targetOf } from '../database/target.ts';
import type { Incident } from '../incident/contracts.ts';
import { keyOfIncident } from '../incident/identifiers.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Clock, IncidentStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Api, openApi, textOf } from './api.ts';
import { ApplicationFailed, ApplicationNotReady } from './errors.ts';
import type { Http } from './ports.ts';

export interface ApplicationContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly http: Http;
  readonly parameters: Pick<Parameters, 'read'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
  readonly incidents: Pick<IncidentStore, 'read' | 'update'>;
}

interface ApplicationInput {
  readonly incident: Incident;
  readonly candidate: Candidate;
}

const movedQuantity = 5;

export async function validateApplication(
  { incident, candidate }: ApplicationInput,
  context: ApplicationContext,
): Promise<StepResult<{ healthy: true; recoveredAt: string }>> {
  const { settings, clock, incidents } = context;
  const api = await openApi(targetOf(incident, settings), context);
  const address = await serverAddress(candidate, context);
  await requireHealth(api, address);
  const movement = await moveStock(api, `dr-${keyOfIncident(incident.id)}-${clock.now().getTime()}`);
  await requireRow(candidate, movement, context);
  await requireMetrics(api);
  const recoveredAt = clock.now().toISOString();
  const rtoSeconds = secondsBetween(incident.detectedAt, recoveredAt);
  const record = await incidents.read(incident.id);
  await incidents.update(incident.id, { recoveredAt, achieved: { ...record?.achieved, rtoSeconds } });
  return {
    output: { healthy: true, recoveredAt },
    summary: `the application is healthy on ${candidate.identifier}, ${formatSeconds(rtoSeconds)} after detection`,
    facts: { url: api.url, database: address, movement, rtoSeconds },
  };
}

async function asSentinel(
  candidate: Candidate,
  { settings, secrets, sessions }: ApplicationContext,
  sql: string,
  parameters: readonly unknown[] = [],
) {
  const sentinel = await secrets.credentials(settings.database.sentinelRole.secretName);
  return withSession(sessions, addressOf(candidate), sentinel, (session) => session.query(sql, parameters));
}

/** What the copy itself calls its address: the one thing that it and the application's session must agree on. */
async function serverAddress(candidate: Candidate, context: ApplicationContext): Promise<string> {
  const sql = "select host(inet_server_addr()) || ':' || inet_server_port() as address";
  const [row] = await asSentinel(candidate, context, sql);
  return row?.address ?? '';
}

/** Not ready is worth another try: a pod may have come up this second, or an old one may still answer. */
async function requireHealth(api: Api, address: string): Promise<void> {
  const live = await api.get('/health/live');
  if (live.status !== 200) throw ApplicationNotReady(`${api.url}/health/live answers ${live.status}.`);
  const ready = await api.get('/health/ready');
  if (ready.status !== 200 || textOf(ready, 'status') !== 'ready' || textOf(ready, 'database') !== 'up')
    throw ApplicationNotReady(`${api.url}/health/ready answers ${ready.status}: ${ready.body.slice(0, 200)}`);
  const talksTo = ready.headers['x-database'];
  if (talksTo !== address)
    throw ApplicationNotReady(`${api.url} talks to database ${talksTo ?? 'unnamed'}, not to the copy at ${address}.`);
}

/** The critical flow, as the synthetic tenant: list, create, read, move stock, read the stock. */
async function moveStock(api: Api, sku: string): Promise<string> {
  await api.expect(200, 'GET', '/products?limit=10');
  const created = await api.expect(201, 'POST', '/products', { sku, name: 'Disaster recovery check' });
  const productId = textOf(created, 'id');
  const read = await api.expect(200, 'GET', `/products/${productId}`);
  if (textOf(read, 'sku') !== sku)
    throw ApplicationFailed(`Product ${productId} was created as ${sku} and reads otherwise.`);
  const warehouses = await api.expect(200, 'GET', '/warehouses');
  const warehouseId = firstId(warehouses.body);
  if (warehouseId === undefined) throw ApplicationFailed('The synthetic tenant has no warehouse to move stock into.');
  const moved = await api.expect(201, 'POST', '/stock/movements', {
    productId: JSON.parse(created.body).id,
    warehouseId,
    quantity: movedQuantity,
    reason: 'disaster recovery check',
  });
  const stock = await api.expect(200, 'GET', `/stock/${productId}`);
  if (Number(textOf(stock, 'quantity')) !== movedQuantity)
    throw ApplicationFailed(
      `Stock of product ${productId} is ${textOf(stock, 'quantity')} after moving ${movedQuantity}.`,
    );
  return textOf(moved, 'id');
}

/** The first id of a list, whether the list comes bare or as the one array of an object. */
function firstId(body: string): unknown {
  const parsed: unknown = JSON.parse(body);
  const list = Array.isArray(parsed) ? parsed : Object.values(parsed ?? {}).find(Array.isArray);
  const [first]: { id?: unknown }[] = list ?? [];
  return first?.id;
}

/** The application said that it committed: the copy must hold that row. */
async function requireRow(candidate: Candidate, movement: string, context: ApplicationContext): Promise<void> {
  const sql = 'select quantity from stocker.stock_movement where id = $1';
  const [row] = await asSentinel(candidate, context, sql, [movement]);
  if (Number(row?.quantity) !== movedQuantity)
    throw ApplicationFailed(`Stock movement ${movement} was acknowledged and is not in ${candidate.identifier}.`);
}

async function requireMetrics(api: Api): Promise<void> {
  const { body } = await api.expect(200, 'GET', '/metrics');
  const counted = [...body.matchAll(/^stocker_requests_total(?:\{[^}]*\})?\s+([0-9.e+]+)/gm)];
  const total = counted.reduce((sum, [, value]) => sum + Number(value), 0);
  if (total <= 0) throw ApplicationFailed(`${api.url}/metrics counts no stocker_requests_total.`);
}
