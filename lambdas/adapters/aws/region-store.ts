/** The control table in the DR Region: latches, and what guards met. */
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GuardRecord, Latch, type LatchName } from '../../../core/region/contracts.ts';
import type { RegionStore } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** A partition each: IAM bounds a role by partition, and the clean-up after a drill must not move production. */
const latchKey = (name: LatchName) => ({ pk: `latch#${name}`, sk: 'current' });

export function regionStore({ settings }: Pick<Runtime, 'settings'>): RegionStore {
  const TableName = settings.controlTable;
  const client = clientFor(DynamoDBClient, settings.dr.region);
  const get = async (key: object) => {
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: toItem(key), ConsistentRead: true }));
    return Item && fromItem(Item);
  };
  const put = (item: object, condition?: { expression: string; values: object }) =>
    client.send(
      new PutItemCommand({
        TableName,
        Item: toItem(item),
        ...(condition && {
          ConditionExpression: condition.expression,
          ExpressionAttributeValues: toItem(condition.values),
        }),
      }),
    );
  return {
    async readLatch(name) {
      const item = await get(latchKey(name));
      return item && Latch.parse(item);
    },
    async writeLatch(latch) {
      await put({ ...latch, ...latchKey(latch.name) });
    },
    async recordGuard(record) {
      await put({ ...record, pk: 'guard', sk: record.fencedAt });
    },
    async guards() {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: toItem({ ':pk': 'guard' }),
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: 25,
        }),
      );
      return Items.map((item) => GuardRecord.parse(fromItem(item)));
    },
  };
}
