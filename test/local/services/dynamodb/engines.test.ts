/** What keeps items: dynalite and plain memory are asked the same, in the same order, and answer the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import { Engine, type ItemEngine } from '../../../../local/services/dynamodb/engine.ts';
import { MemoryEngine } from '../../../../local/services/dynamodb/memory.ts';
import { fakeHome } from '../fake-home.ts';

const dynalite = new Engine(fakeHome());
const memory = new MemoryEngine();
const S = (value: string) => ({ S: value });
const N = (value: number) => ({ N: String(value) });
const Key = { pk: S('incident#1'), sk: S('step#b') };
const names = { '#status': 'status', '#facts': 'facts' };

const definition = {
  TableName: 'items',
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  BillingMode: 'PAY_PER_REQUEST',
};

beforeAll(async () => {
  for (const engine of [dynalite, memory]) await engine.run('CreateTable', definition);
  type Description = { Table: { TableStatus: string } };
  while ((await dynalite.run<Description>('DescribeTable', { TableName: 'items' })).Table.TableStatus !== 'ACTIVE')
    await new Promise((resolve) => setImmediate(resolve));
});

async function answerOf(engine: ItemEngine, operation: string, input: object) {
  try {
    return await engine.run(operation, { TableName: 'items', ...input });
  } catch (error) {
    return { refused: (error as { code?: string }).code ?? String(error) };
  }
}

const put = (sk: string, more: object = {}) => ['PutItem', { Item: { pk: S('incident#1'), sk: S(sk), ...more } }];
const query = (more: object = {}) => [
  'Query',
  {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': S('incident#1'), ':prefix': S('step#') },
    ...more,
  },
];
const update = (UpdateExpression: string, more: object = {}) => ['UpdateItem', { Key, UpdateExpression, ...more }];

const conversation = [
  ['GetItem', { Key, ConsistentRead: true }],
  put('step#b', { n: N(1), status: S('open'), facts: { M: { a: S('x'), list: { L: [S('1')] } } } }),
  put('step#a', { status: S('closed') }),
  put('message#1'),
  ['PutItem', { Item: { pk: S('other'), sk: S('step#z') } }],
  ['GetItem', { Key }],
  ['PutItem', { Item: { ...Key }, ConditionExpression: 'attribute_not_exists(pk)' }],
  ['PutItem', { Item: { pk: S('incident#1') } }],
  query(),
  query({ ScanIndexForward: false, Limit: 1 }),
  query({ Limit: 1 }),
  query({ ExclusiveStartKey: { pk: S('incident#1'), sk: S('step#a') } }),
  query({ ExpressionAttributeValues: { ':pk': S('nobody'), ':prefix': S('step#') } }),
  query({
    FilterExpression: '#status = :status OR NOT attribute_exists(n)',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':pk': S('incident#1'), ':prefix': S('step#'), ':status': S('open') },
  }),
  update(
    'SET #status = :done, startedAt = if_not_exists(startedAt, :now), n = n + :one REMOVE #facts.a ADD attempts :one',
    {
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ':done': S('done'), ':now': S('now'), ':one': N(1) },
      ReturnValues: 'ALL_NEW',
    },
  ),
  update('SET startedAt = if_not_exists(startedAt, :now) ADD attempts :one', {
    ExpressionAttributeValues: { ':now': S('later'), ':one': N(1) },
    ReturnValues: 'ALL_OLD',
  }),
  update('SET #facts.inner.deep = :one', {
    ExpressionAttributeNames: { '#facts': 'facts' },
    ExpressionAttributeValues: { ':one': N(1) },
  }),
  update('SET n = missing + :one', { ExpressionAttributeValues: { ':one': N(1) } }),
  update('ADD #status :one', {
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':one': N(1) },
  }),
  update('SET n = :n', {
    ConditionExpression: '#status = :open AND #facts.b < :n',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ':n': N(9), ':open': S('open') },
  }),
  update('SET #facts.#status = :n', {
    ConditionExpression: 'startedAt >= :then AND (n BETWEEN :n AND :n OR size(#facts) > :n OR n IN (:n, :m))',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ':n': N(1), ':m': N(2), ':then': S('a') },
  }),
  update('SET', {}),
  ['GetItem', { Key }],
  ['DeleteItem', { Key, ConditionExpression: 'n = :n', ExpressionAttributeValues: { ':n': N(7) } }],
  ['DeleteItem', { Key, ReturnValues: 'ALL_OLD' }],
  ['DeleteItem', { Key }],
  ['Scan', { FilterExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': S('other') } }],
  ['GetItem', { TableName: 'none', Key }],
  // In between, behind, gone, and there again: in order all the same.
  put('step#ab'),
  query(),
  put('step#z'),
  query(),
  ['DeleteItem', { Key: { pk: S('incident#1'), sk: S('step#ab') } }],
  query(),
  put('step#ab'),
  query({ ScanIndexForward: false, Limit: 1 }),
  query({ ScanIndexForward: false, ExclusiveStartKey: { pk: S('incident#1'), sk: S('step#z') } }),
] as unknown as readonly (readonly [string, object])[];

describe('the engines of items', () => {
  it('answer the same to the same', async () => {
    const refusals: unknown[] = [];
    for (const [index, [operation, input]] of conversation.entries()) {
      const expected = await answerOf(dynalite, operation, input);
      expect(await answerOf(memory, operation, input), `${index}: ${JSON.stringify([operation, input])}`).toEqual(
        expected,
      );
      if ('refused' in expected) refusals.push(expected.refused);
    }
    // The conversation meets what is refused, too.
    expect(refusals.filter((code) => code === 'ConditionalCheckFailedException')).toHaveLength(3);
    expect(refusals.filter((code) => code === 'ValidationException').length).toBeGreaterThan(2);
  });

  it('in memory refuses what it does not know, by name', async () => {
    await expect(memory.run('Query', { TableName: 'items', IndexName: 'by-status' })).rejects.toMatchObject({
      code: 'NotImplemented',
      message: expect.stringContaining('IndexName'),
    });
  });
});
