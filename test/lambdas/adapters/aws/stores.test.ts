/** The adapters of the incident area against a real expression engine: their conditional writes are what the ports promise. */
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Approval } from '../../../../core/incident/contracts.ts';
import { approvals } from '../../../../lambdas/adapters/aws/approvals.ts';
import { baselines } from '../../../../lambdas/adapters/aws/baselines.ts';
import { clientFor } from '../../../../lambdas/adapters/aws/clients.ts';
import { compensations } from '../../../../lambdas/adapters/aws/compensations.ts';
import { controlStore } from '../../../../lambdas/adapters/aws/control-store.ts';
import { incidentStore } from '../../../../lambdas/adapters/aws/incident-store.ts';
import { fromItem, toItem } from '../../../../lambdas/adapters/aws/item.ts';
import {
  activeDatabase,
  executionArn,
  FakeClock,
  makeIncident,
  makeLease,
  makeRecord,
  makeStepRecord,
  openedAt,
  settings,
} from '../../../core/fakes.ts';

// dynalite is CommonJS without types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server;
const tables = dynalite({ createTableMs: 0 });
/** Step Functions, as far as a task token goes. */
let answers: { readonly token: string; readonly output: unknown }[] = [];
let deadTokens = new Set<string>();
let broken = false;
const tokens = createServer(async (request, response) => {
  const body = (await json(request)) as { readonly taskToken: string; readonly output: string };
  const reply = (status: number, value: object) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(value));
  };
  if (broken) return reply(400, { __type: 'AccessDeniedException', message: 'denied' });
  if (deadTokens.has(body.taskToken)) return reply(400, { __type: 'TaskTimedOut', message: 'over' });
  answers.push({ token: body.taskToken, output: JSON.parse(body.output) });
  deadTokens.add(body.taskToken);
  return reply(200, {});
});

const rt = { settings, here: settings.primary, clock: new FakeClock() };
const listening = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  );
const createTable = (region: string, TableName: string) =>
  clientFor(DynamoDBClient, region).send(
    new CreateTableCommand({
      TableName,
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );

beforeAll(async () => {
  process.env.AWS_ENDPOINT_URL_DYNAMODB = await listening(tables);
  process.env.AWS_ENDPOINT_URL_SFN = await listening(tokens);
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  await createTable(settings.primary.region, settings.primary.incidentTable);
  await createTable(settings.dr.region, settings.controlTable);
});
afterAll(() => {
  tables.close();
  tokens.close();
});
beforeEach(() => {
  answers = [];
  deadTokens = new Set();
  broken = false;
});

let count = 0;
const newIncident = () =>
  makeIncident({ id: `recovery-20261122T201500Z-${String(++count).padStart(8, '0')}`, mode: 'recovery' });

describe('approvals', () => {
  const store = approvals(rt);
  const decision = { approved: true, by: 'arn:ann', reason: 'verified', at: openedAt };
  const approvalOf = (change: Partial<Approval> = {}): Approval => ({
    version: 1,
    incidentId: newIncident().id,
    executionArn,
    region: settings.primary.region,
    askedAt: openedAt,
    expiresAt: '2026-11-22T21:15:00.000Z',
    plan: { source: 'a', candidate: 'b', damage: [], estimatedLossSeconds: 1 },
    ...change,
  });
  const storedTokenOf = async ({ incidentId }: Approval) => {
    const Key = toItem({ pk: `approval#${incidentId}`, sk: 'approval' });
    const get = new GetItemCommand({ TableName: settings.controlTable, Key });
    const { Item = {} } = await clientFor(DynamoDBClient, settings.dr.region).send(get);
    return fromItem(Item).taskToken;
  };

  test('keeps the token to itself', async () => {
    const approval = approvalOf();
    expect(await store.ask(approval, 'secret-1')).toBe(true);
    expect(await store.read(approval.incidentId)).toEqual(approval);
    expect(await storedTokenOf(approval)).toBe('secret-1');
  });

  test('decides once: the first decision is what the execution hears, and what stands', async () => {
    const approval = approvalOf();
    await store.ask(approval, 'secret-2');
    expect(await store.decide(approval, decision)).toEqual({ outcome: 'decided' });
    const second = { ...decision, approved: false, by: 'arn:bob' };
    expect(await store.decide(approval, second)).toEqual({ outcome: 'decided-before', first: decision });
    expect(answers).toEqual([{ token: 'secret-2', output: decision }]);
    expect((await store.read(approval.incidentId))?.decision).toEqual(decision);
  });

  test('of two at the same time one decides', async () => {
    const approval = approvalOf();
    await store.ask(approval, 'secret-3');
    const both = [decision, { ...decision, approved: false }].map((each) => store.decide(approval, each));
    const outcomes = (await Promise.all(both)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(['decided', 'decided-before']);
    expect(answers).toHaveLength(1);
  });

  test('hands a decision over again that was recorded and never arrived', async () => {
    const approval = approvalOf();
    await store.ask(approval, 'secret-4');
    broken = true;
    await expect(store.decide(approval, decision)).rejects.toThrow('denied');
    expect(answers).toEqual([]);
    broken = false;
    const again = await store.decide(approval, { ...decision, by: 'arn:bob' });
    expect(again).toEqual({ outcome: 'decided-before', first: decision });
    expect(answers).toEqual([{ token: 'secret-4', output: decision }]);
  });

  test('lets no decision stand that no execution heard', async () => {
    const approval = approvalOf();
    await store.ask(approval, 'secret-5');
    deadTokens.add('secret-5');
    expect(await store.decide(approval, decision)).toEqual({ outcome: 'over' });
    expect((await store.read(approval.incidentId))?.decision).toBeUndefined();
  });

  test('asked anew, with another token, forgets the earlier answer; with the same one it does not', async () => {
    const approval = approvalOf();
    await store.ask(approval, 'secret-6');
    await store.decide(approval, decision);
    expect(await store.ask(approval, 'secret-6')).toBe(false);
    expect((await store.read(approval.incidentId))?.decision).toEqual(decision);
    const retried = { ...approval, executionArn: `${executionArn}-2` };
    expect(await store.ask(retried, 'secret-7')).toBe(true);
    expect(await store.read(approval.incidentId)).toEqual(retried);
    // Whoever read the question before answers it too late.
    expect(await store.decide(approval, decision)).toEqual({ outcome: 'over' });
  });

  test('knows nothing of an incident that never asked', async () => {
    expect(await store.read('recovery-20261122T201500Z-ffffffff')).toBeUndefined();
    expect(await store.decide(approvalOf(), decision)).toEqual({ outcome: 'over' });
  });
});

describe('compensations', () => {
  const store = compensations(rt);
  test('come back last first until they are done, whatever the order of their facts', async () => {
    const { id } = newIncident();
    await store.register(id, 'unfence-source', { epoch: 1, roles: ['a'] });
    await store.register(id, 'restore-endpoint', { epoch: 1 });
    await store.register(id, 'unfence-source', { roles: ['a'], epoch: 1 });
    const open = await store.open(id);
    expect(open.map(({ name, number }) => [number, name])).toEqual([
      [2, 'restore-endpoint'],
      [1, 'unfence-source'],
    ]);
    for (const each of open) await store.done(each, { outcome: 'undone', takesWrites: true });
    expect(await store.open(id)).toEqual([]);
    expect(await store.last(id, 'unfence-source')).toMatchObject({ number: 1, takesWrites: true });
    await store.register(id, 'unfence-source', { epoch: 1, roles: ['a'] });
    expect((await store.open(id)).map(({ number }) => number)).toEqual([3]);
    // The fence of a retry: what was lifted before says nothing of it.
    expect((await store.last(id, 'unfence-source'))?.takesWrites).toBeUndefined();
    expect(await store.last(id, 'none')).toBeUndefined();
  });
  test('registered at the same time are all kept', async () => {
    const { id } = newIncident();
    await Promise.all([1, 2, 3].map((epoch) => store.register(id, 'unfence-source', { epoch })));
    expect((await store.open(id)).map(({ number }) => number)).toEqual([3, 2, 1]);
  });
});

describe('incidents', () => {
  const store = incidentStore(rt);
  const openOne = async () => {
    const incident = newIncident();
    await store.open(makeRecord({}, incident));
    await store.update(incident.id, { status: 'failed', closedAt: openedAt, outcome: 'failed' });
    return incident;
  };

  test('are opened again by one retry, whole', async () => {
    const incident = await openOne();
    const retry = makeRecord({}, { ...incident, executionArn: 'arn:retry', retryOf: executionArn });
    expect(await store.reopen(retry, executionArn)).toBe(true);
    expect(await store.read(incident.id)).toEqual(retry);
    expect(await store.reopen(retry, executionArn)).toBe(false);
    expect(await store.reopen(retry, 'arn:retry')).toBe(true);
  });

  test('are closed by the execution that works on them, once', async () => {
    const incident = await openOne();
    const retry = { ...incident, executionArn: 'arn:retry', retryOf: executionArn };
    await store.reopen(makeRecord({}, retry), executionArn);
    const change = { status: 'closed', closedAt: openedAt } as const;
    expect(await store.close(incident, change)).toBe(false); // late: a retry has taken over
    expect(await store.read(incident.id)).toMatchObject({ status: 'open' });
    expect(await store.close(retry, change)).toBe(true);
    expect(await store.close(retry, { ...change, closedAt: '2026-11-22T20:59:00.000Z' })).toBe(false);
  });

  test('begin a step anew under another execution, and keep its start under the same', async () => {
    const { id } = newIncident();
    const at = (startedAt: string, execution: string) =>
      makeStepRecord('FenceSource', { incidentId: id, execution, startedAt, status: 'running', summary: startedAt });
    await store.recordStep(at('2026-11-22T20:00:00Z', 'arn:one'));
    await store.recordStep({ ...at('2026-11-22T20:01:00Z', 'arn:one'), status: 'failed', finishedAt: openedAt });
    await store.recordStep(at('2026-11-22T20:02:00Z', 'arn:one'));
    expect(await store.steps(id)).toMatchObject([{ startedAt: '2026-11-22T20:00:00Z', attempts: 2 }]);
    await store.recordStep(at('2026-11-22T21:00:00Z', 'arn:two'));
    const [step] = await store.steps(id);
    expect(step).toMatchObject({ startedAt: '2026-11-22T21:00:00Z', attempts: 1, execution: 'arn:two' });
    expect(step).not.toHaveProperty('finishedAt');
    // A function of the execution before, which ends now, does not write over it.
    await store.recordStep({ ...at('2026-11-22T20:02:00Z', 'arn:one'), status: 'failed', finishedAt: openedAt });
    expect(await store.steps(id)).toEqual([step]);
  });

  test('count the looks of a step that waits, each of which is written once', async () => {
    const { id } = newIncident();
    const look = (startedAt: string, status: 'waiting' | 'succeeded') =>
      store.recordStep(makeStepRecord('AwaitAvailable', { incidentId: id, startedAt, status, summary: startedAt }), {
        isFirst: true,
      });
    await look('2026-11-22T20:00:00Z', 'waiting');
    await look('2026-11-22T20:01:00Z', 'waiting');
    await look('2026-11-22T20:02:00Z', 'succeeded');
    expect(await store.steps(id)).toMatchObject([
      { startedAt: '2026-11-22T20:00:00Z', attempts: 3, status: 'succeeded', summary: '2026-11-22T20:02:00Z' },
    ]);
  });

  test('are started by one claim, until it is old', async () => {
    const claims = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        store.claimStart('database', name, '2026-11-22T20:15:00.000Z', '2026-11-22T20:13:00.000Z'),
      ),
    );
    expect(new Set(claims).size).toBe(1);
    const later = store.claimStart('database', 'd', '2026-11-22T20:18:00.000Z', '2026-11-22T20:16:00.000Z');
    expect(await later).toBe('d');
  });
});

describe('the active database', () => {
  const store = controlStore(rt);
  test('moves by one epoch, from the one that was expected, for who holds the lease', async () => {
    await store.registerActiveDatabase(activeDatabase);
    const next = { ...activeDatabase, identifier: 'next', epoch: 2 };
    expect(await store.advanceActiveDatabase(next, 1, executionArn)).toBe(false);
    await store.takeLease(makeLease());
    expect(await store.advanceActiveDatabase(next, 1, 'arn:other')).toBe(false);
    expect(await store.advanceActiveDatabase(next, 2, executionArn)).toBe(false);
    expect(await store.readActiveDatabase()).toEqual(activeDatabase);
    expect(await store.advanceActiveDatabase(next, 1, executionArn)).toBe(true);
    expect(await store.advanceActiveDatabase({ ...next, epoch: 2 }, 1, executionArn)).toBe(false);
    expect(await store.readActiveDatabase()).toEqual(next);
  });
});

describe('baselines', () => {
  const { region, incidentTable: TableName } = settings.primary;
  const known = { version: 1, schemaVersion: '7', schemaHash: 'x', rows: {}, appendOnly: {} } as const;
  const at = (minute: number) => `2026-11-22T20:0${minute}:00.000Z`;

  test('of an instance are not what its predecessor was like later, however often it was looked at', async () => {
    const store = baselines(rt);
    // As versions that named no instance recorded it.
    const nobodys = { ...known, at: at(0), pk: 'baseline', sk: at(0) };
    await clientFor(DynamoDBClient, region).send(new PutItemCommand({ TableName, Item: toItem(nobodys) }));
    await store.record({ ...known, at: at(1), resourceId: 'db-COPY' });
    for (let minute = 2; minute < 9; minute++)
      await store.record({ ...known, at: at(minute), resourceId: 'db-BEFORE' });
    expect(await store.latest()).toMatchObject({ at: at(8), resourceId: 'db-BEFORE' });
    expect(await store.latest('db-COPY')).toMatchObject({ at: at(1), resourceId: 'db-COPY' });
    expect(await store.atOrBefore(at(5), 'db-COPY')).toMatchObject({ at: at(1), resourceId: 'db-COPY' });
    expect(await store.atOrBefore(at(5), 'db-BEFORE')).toMatchObject({ at: at(5) });
    expect(await store.latest('db-OTHER')).toMatchObject({ at: at(0) });
    expect(await store.atOrBefore('2026-11-22T19:00:00.000Z', 'db-COPY')).toBeUndefined();
  });
});
