import { afterAll, beforeAll, expect, test } from 'vitest';
import { dynamodb } from '../../../../local/services/dynamodb/index.ts';
import { kms } from '../../../../local/services/kms/index.ts';
import { storage } from '../storage-home.ts';

const cloud = storage([kms, dynamodb]);
const call = (operation: string, input: object) =>
  cloud.call('dynamodb', operation, { TableName: 'incidents', ...input });
const S = (value: string) => ({ S: value });

beforeAll(async () => {
  await cloud.ready;
  await cloud.deploy('dynamodb', 'AWS::DynamoDB::Table', {
    TableName: 'incidents',
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: ['pk', 'sk', 'status'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-status',
        KeySchema: [{ AttributeName: 'status', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    DeletionProtectionEnabled: true,
  });
});
afterAll(() => cloud.stop());

test('is ACTIVE when it is deployed, with its settings', async () => {
  expect(await call('DescribeTable', {})).toMatchObject({
    Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: true, CreationDateTime: expect.any(Date) },
  });
  expect(await call('DescribeTimeToLive', {})).toEqual({
    TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' },
  });
  expect(await call('DescribeContinuousBackups', {})).toMatchObject({
    ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
  });
  await expect(call('DeleteTable', {})).rejects.toMatchObject({ code: 'ValidationException' });
});

test('stores every kind of value, bytes included', async () => {
  const Item = {
    pk: S('values'),
    sk: S('1'),
    B: { B: Buffer.from([1, 2]) },
    deep: { M: { B: { BS: [Buffer.from([3])] }, n: { N: '1.5' } } },
  };
  await call('PutItem', { Item });
  expect((await call('GetItem', { Key: { pk: S('values'), sk: S('1') } })).Item).toEqual(Item);
});

test('a conditional write refuses, and shows the item that was in its way when asked', async () => {
  const Item = { pk: S('lease'), sk: S('1'), holder: S('a') };
  const ConditionExpression = 'attribute_not_exists(pk)';
  await call('PutItem', { Item, ConditionExpression });
  await expect(call('PutItem', { Item, ConditionExpression })).rejects.toMatchObject({
    code: 'ConditionalCheckFailedException',
    fields: {},
  });
  await expect(
    call('PutItem', {
      Item: { ...Item, holder: S('b') },
      ConditionExpression,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  ).rejects.toMatchObject({
    code: 'ConditionalCheckFailedException',
    fields: { Item },
  });
});

test('queries an index, page by page', async () => {
  for (const sk of ['1', '2', '3']) await call('PutItem', { Item: { pk: S('q'), sk: S(sk), status: S('open') } });
  const query = {
    IndexName: 'by-status',
    KeyConditionExpression: '#s = :s',
    ExpressionAttributeNames: { '#s': 'status' },
    ExpressionAttributeValues: { ':s': S('open') },
    Limit: 2,
  };
  const first = await call('Query', query);
  expect(first.Items).toHaveLength(2);
  const second = await call('Query', { ...query, ExclusiveStartKey: first.LastEvaluatedKey });
  expect(second.Items).toHaveLength(1);
});

test.for([
  ['GetItem', { Key: { pk: S('a'), sk: S('b') } }, 'table/incidents', ['a'], ['pk', 'sk']],
  ['PutItem', { Item: { pk: S('a'), sk: S('b'), x: S('1') } }, 'table/incidents', ['a'], ['pk', 'sk', 'x']],
  [
    'UpdateItem',
    {
      Key: { pk: S('a'), sk: S('b') },
      UpdateExpression: 'SET #n.y = :v REMOVE old',
      ConditionExpression: 'attribute_exists(pk) AND size(z) > :v',
      ExpressionAttributeNames: { '#n': 'named' },
    },
    'table/incidents',
    ['a'],
    ['old', 'named', 'pk', 'sk', 'z'],
  ],
  [
    'Query',
    {
      IndexName: 'by-status',
      KeyConditionExpression: '#s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': S('open') },
    },
    'table/incidents/index/by-status',
    ['open'],
    ['status'],
  ],
] as const)(
  '%s presents table or index, leading keys and attributes',
  async ([operation, input, resource, leading, attributes]) => {
    const [access] = await cloud.access('dynamodb', operation, { TableName: 'incidents', ...input });
    expect(access).toMatchObject({
      action: `dynamodb:${operation}`,
      resources: [`arn:aws:dynamodb:us-east-1:111122223333:${resource}`],
    });
    expect(access?.conditions?.['dynamodb:LeadingKeys']).toEqual(leading);
    expect([...(access?.conditions?.['dynamodb:Attributes'] ?? [])].toSorted()).toEqual([...attributes].toSorted());
  },
);

test('has no transactions, and refuses members that it does not honour', async () => {
  expect(cloud.service('dynamodb').operations).not.toHaveProperty('TransactWriteItems');
  await expect(call('CreateTable', { TableName: 'x', StreamSpecification: {} })).rejects.toThrow(/StreamSpecification/);
  await expect(call('GetItem', { TableName: 'none', Key: {} })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
});

test('an expression that was read before takes the values, names and types of each request', async () => {
  const key = { pk: S('again'), sk: S('1') };
  const set = (names: object, values: object) =>
    call('UpdateItem', {
      Key: key,
      UpdateExpression: 'SET #n = if_not_exists(#n, :zero) + :step',
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      ReturnValues: 'ALL_NEW',
    });
  const [zero, one, five] = [{ N: '0' }, { N: '1' }, { N: '5' }];
  expect((await set({ '#n': 'a' }, { ':zero': zero, ':step': one })).Attributes).toEqual({ ...key, a: one });
  expect((await set({ '#n': 'b' }, { ':zero': one, ':step': five })).Attributes).toEqual({
    ...key,
    a: one,
    b: { N: '6' },
  });
  await expect(set({ '#n': 'a' }, { ':zero': zero, ':step': S('text') })).rejects.toMatchObject({
    code: 'ValidationException',
  });
  await expect(set({ '#n': 'a' }, { ':zero': zero, ':step': one, ':more': one })).rejects.toThrow(/unused.*:more/);
});
