/** The control table in the DR Region: the lease and the active-database record, each changed by one conditional write. */
import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { ActiveDatabase, Lease } from '../../../core/incident/contracts.ts';
import { LeaseContended } from '../../../core/incident/errors.ts';
import type { ControlStore } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toItem } from './item.ts';

const leaseKey = { pk: 'lease', sk: 'recovery' };
const activeKey = { pk: 'active-database', sk: 'current' };

export function controlStore({ settings }: Pick<Runtime, 'settings'>): ControlStore {
  const TableName = settings.controlTable;
  const client = clientFor(DynamoDBClient, settings.dr.region);

  const get = async (key: object) => {
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: toItem(key), ConsistentRead: true }));
    return Item && fromItem(Item);
  };
  const readLease = async () => {
    const lease = await get(leaseKey);
    return lease && Lease.parse(lease);
  };
  const putLease = (lease: Lease, ConditionExpression: string, values: object) =>
    conditionHolds(
      client.send(
        new PutItemCommand({
          TableName,
          Item: toItem({ ...lease, ...leaseKey }),
          ConditionExpression,
          ExpressionAttributeValues: toItem(values),
        }),
      ),
    );

  /** The one write that moves production: only from exactly this epoch. */
  const putActive = (record: ActiveDatabase, expectedEpoch: number) =>
    conditionHolds(
      client.send(
        new PutItemCommand({
          TableName,
          Item: toItem({ ...record, ...activeKey }),
          ConditionExpression: 'epoch = :expected',
          ExpressionAttributeValues: toItem({ ':expected': expectedEpoch }),
        }),
      ),
    );

  return {
    readLease,
    async takeLease(lease) {
      const free = 'attribute_not_exists(pk) OR executionArn = :mine';
      if (await putLease(lease, free, { ':mine': lease.executionArn })) return { taken: true };
      const holder = await readLease();
      if (!holder) throw LeaseContended('The lease was released while it was asked for');
      return { taken: false, holder };
    },
    replaceLease: (lease, { executionArn, takenAt }) =>
      putLease(lease, 'executionArn = :dead AND takenAt = :since', { ':dead': executionArn, ':since': takenAt }),
    async releaseLease(executionArn) {
      await conditionHolds(
        client.send(
          new DeleteItemCommand({
            TableName,
            Key: toItem(leaseKey),
            ConditionExpression: 'executionArn = :mine',
            ExpressionAttributeValues: toItem({ ':mine': executionArn }),
          }),
        ),
      );
    },
    async readActiveDatabase() {
      const record = await get(activeKey);
      return record && ActiveDatabase.parse(record);
    },
    registerActiveDatabase: (record) =>
      conditionHolds(
        client.send(
          new PutItemCommand({
            TableName,
            Item: toItem({ ...record, ...activeKey }),
            ConditionExpression: 'attribute_not_exists(pk)',
          }),
        ),
      ),
    confirmActiveDatabase: (record) => putActive({ ...record, epoch: record.epoch + 1 }, record.epoch),
    async advanceActiveDatabase(record, expectedEpoch, executionArn) {
      // A lease changes hands only when its execution has ended, so it holds for the length of this call.
      if ((await readLease())?.executionArn !== executionArn) return false;
      return putActive(record, expectedEpoch);
    },
  };
}
