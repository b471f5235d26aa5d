/** The control table in the DR Region: latches, what guards met, and the primary's lease. */
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { recordVersion } from '../../../core/incident/contracts.ts';
import { GuardRecord, Latch, type LatchName, PrimaryLease } from '../../../core/region/contracts.ts';
import type { RegionStore } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toItem } from './item.ts';

const leaseKey = { pk: 'primary-lease', sk: 'current' };
const latchKey = (name: LatchName) => ({ pk: 'latch', sk: name });

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
    async readLease() {
      const item = await get(leaseKey);
      return item && PrimaryLease.parse(item);
    },
    renewLease: (lease) =>
      conditionHolds(
        put(
          { ...lease, ...leaseKey },
          {
            expression: 'attribute_not_exists(pk) OR epoch < :epoch OR (epoch = :epoch AND forbidden = :no)',
            values: { ':epoch': lease.epoch, ':no': false },
          },
        ),
      ),
    async forbidLease({ region, epoch }, at) {
      // The last renewal stays as it is: what is waited for is counted from it.
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: toItem(leaseKey),
          UpdateExpression:
            'SET #version = :version, #region = :region, epoch = :epoch, forbidden = :yes, renewedAt = if_not_exists(renewedAt, :at)',
          ExpressionAttributeNames: { '#version': 'version', '#region': 'region' },
          ExpressionAttributeValues: toItem({
            ':version': recordVersion,
            ':region': region,
            ':epoch': epoch,
            ':yes': true,
            ':at': at,
          }),
        }),
      );
    },
  };
}
