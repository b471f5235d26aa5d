/** Terraform’s debts, in the control table of the DR Region: (`terraform-debt`, `<resource id>`). */
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DebtRecord } from '../../../core/configuration/contracts.ts';
import type { Debts } from '../../../core/configuration/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toItem } from './item.ts';

const keyOf = (resourceId: string) => ({ pk: 'terraform-debt', sk: resourceId });

export function debts({ settings }: Pick<Runtime, 'settings'>): Debts {
  const TableName = settings.controlTable;
  const client = clientFor(DynamoDBClient, settings.dr.region);
  const read: Debts['read'] = async (resourceId) => {
    const Key = toItem(keyOf(resourceId));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    if (Item === undefined) return undefined;
    const { pk: _pk, sk: _sk, ...record } = fromItem(Item);
    return DebtRecord.parse(record);
  };
  return {
    read,
    async open(record) {
      const Item = toItem({ ...record, ...keyOf(record.resourceId) });
      // An earlier attempt of the same cut-over recorded it; one that was closed stays so.
      const ConditionExpression = 'attribute_not_exists(pk)';
      await conditionHolds(client.send(new PutItemCommand({ TableName, Item, ConditionExpression })));
    },
    async close(resourceId, closedAt) {
      const record = await read(resourceId);
      if (record === undefined) return;
      const Item = toItem({ ...record, closedAt, ...keyOf(resourceId) });
      const ConditionExpression = 'attribute_not_exists(closedAt)';
      await conditionHolds(client.send(new PutItemCommand({ TableName, Item, ConditionExpression })));
    },
  };
}
