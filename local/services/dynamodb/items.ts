/** The item operations. Conditions span one item: there are no transactions here. */
import type * as Dynamo from '@aws-sdk/client-dynamodb';
import { AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import type { KmsService } from '../kms/index.ts';
import { batchAccess, type ItemInput, itemAccess } from './access.ts';
import type { ItemEngine } from './engine.ts';
import type { Tables } from './tables.ts';

const EXPRESSION = ['ExpressionAttributeNames', 'ExpressionAttributeValues', 'ReturnConsumedCapacity'];
const CONDITION = [
  'ConditionExpression',
  'Expected',
  'ConditionalOperator',
  'ReturnValues',
  'ReturnItemCollectionMetrics',
  'ReturnValuesOnConditionCheckFailure',
];
const READ = ['ProjectionExpression', 'AttributesToGet', 'ConsistentRead'];
const PAGED = ['IndexName', 'Limit', 'ExclusiveStartKey', 'FilterExpression', 'Select', 'ConditionalOperator'];

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  GetItem: ['TableName', 'Key', 'ExpressionAttributeNames', 'ReturnConsumedCapacity', ...READ],
  PutItem: ['TableName', 'Item', ...CONDITION, ...EXPRESSION],
  UpdateItem: ['TableName', 'Key', 'UpdateExpression', 'AttributeUpdates', ...CONDITION, ...EXPRESSION],
  DeleteItem: ['TableName', 'Key', ...CONDITION, ...EXPRESSION],
  Query: [
    'TableName',
    'KeyConditionExpression',
    'KeyConditions',
    'QueryFilter',
    'ScanIndexForward',
    ...PAGED,
    ...READ,
    ...EXPRESSION,
  ],
  Scan: ['TableName', 'ScanFilter', 'Segment', 'TotalSegments', ...PAGED, ...READ, ...EXPRESSION],
};

type Batch = Readonly<Record<string, unknown>>;

export function itemOperations(home: Home, tables: Tables, engine: ItemEngine): Record<string, Operation> {
  const single = Object.entries(MEMBERS).map(([name, members]) => [
    name,
    operation<ItemInput & { ReturnValuesOnConditionCheckFailure?: string }>(
      members as (keyof ItemInput)[],
      (input) => itemAccess(home, tables, name, input),
      async ({ ReturnValuesOnConditionCheckFailure: onFailure, ...input }) => {
        const table = usable(home, tables, input.TableName);
        try {
          return await engine.run(name, { ...input, TableName: table.name });
        } catch (error) {
          if (
            onFailure !== 'ALL_OLD' ||
            !(error instanceof AwsError) ||
            error.code !== 'ConditionalCheckFailedException'
          )
            throw error;
          throw new AwsError(error.code, error.message, await currentItem(engine, table, input));
        }
      },
    ),
  ]);
  return {
    ...Object.fromEntries(single),
    BatchGetItem: operation<Dynamo.BatchGetItemCommandInput>(
      ['RequestItems', 'ReturnConsumedCapacity'],
      ({ RequestItems = {} }) =>
        batchAccess(
          home,
          tables,
          'BatchGetItem',
          mapValues(RequestItems, ({ Keys = [] }) => Keys),
        ),
      (input) => runBatch(home, tables, engine, 'BatchGetItem', input.RequestItems ?? {}, input),
    ),
    BatchWriteItem: operation<Dynamo.BatchWriteItemCommandInput>(
      ['RequestItems', 'ReturnConsumedCapacity', 'ReturnItemCollectionMetrics'],
      ({ RequestItems = {} }) =>
        batchAccess(
          home,
          tables,
          'BatchWriteItem',
          mapValues(RequestItems, (requests) =>
            requests.map(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key ?? {}),
          ),
        ),
      (input) => runBatch(home, tables, engine, 'BatchWriteItem', input.RequestItems ?? {}, input),
    ),
  };
}

function runBatch(
  home: Home,
  tables: Tables,
  engine: ItemEngine,
  name: string,
  requests: Batch,
  input: object,
): Promise<object> {
  const byName = Object.entries(requests).map(([tableName, request]) => [
    usable(home, tables, tableName).name,
    request,
  ]);
  return engine.run(name, { ...input, RequestItems: Object.fromEntries(byName) });
}

/** The table, unless it is missing or its key is disabled. */
function usable(home: Home, tables: Tables, tableName: string | undefined) {
  const table = tables.find(tableName);
  const keyId = table.SSESpecification?.KMSMasterKeyId;
  if (keyId) (home.service('kms') as KmsService).requireUsable(keyId);
  return table;
}

async function currentItem(
  engine: ItemEngine,
  table: ReturnType<Tables['find']>,
  { Key, Item = {} }: ItemInput,
): Promise<{ Item?: unknown }> {
  const key = Key ?? Object.fromEntries(table.keys.map(({ AttributeName }) => [AttributeName, Item[AttributeName]]));
  const { Item: found } = await engine.run<{ Item?: unknown }>('GetItem', {
    TableName: table.name,
    Key: key,
    ConsistentRead: true,
  });
  return found ? { Item: found } : {};
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
