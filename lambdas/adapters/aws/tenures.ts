/** Strict fencing: the tenure in the control table of the DR Region, and what the guard remembers in its own. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { recordVersion } from '../../../core/incident/contracts.ts';
import { Tenure, TenureMemory } from '../../../core/region/contracts.ts';
import type { TenureMemories, Tenures } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toItem } from './item.ts';
import { partition } from './partition.ts';

const key = { pk: 'tenure', sk: 'primary' };

export function tenures({ settings }: Pick<Runtime, 'settings'>): Tenures {
  const TableName = settings.controlTable;
  const client = clientFor(DynamoDBClient, settings.dr.region);
  return {
    async read() {
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: toItem(key), ConsistentRead: true }));
      return Item && Tenure.parse(fromItem(Item));
    },
    renew: (tenure) =>
      conditionHolds(
        client.send(
          new PutItemCommand({
            TableName,
            Item: toItem({ ...tenure, ...key }),
            ConditionExpression:
              'attribute_not_exists(pk) OR epoch < :epoch OR (epoch = :epoch AND attribute_not_exists(endedBy))',
            ExpressionAttributeValues: toItem({ ':epoch': tenure.epoch }),
          }),
        ),
      ),
    async end({ region, epoch, endedBy }) {
      try {
        const { Attributes = {} } = await client.send(
          new UpdateItemCommand({
            TableName,
            Key: toItem(key),
            UpdateExpression:
              'SET endedBy = :by, epoch = :epoch, #region = if_not_exists(#region, :region), #version = :version',
            ConditionExpression: 'attribute_not_exists(pk) OR epoch <= :epoch',
            ExpressionAttributeNames: { '#region': 'region', '#version': 'version' },
            ExpressionAttributeValues: toItem({
              ':by': endedBy,
              ':epoch': epoch,
              ':region': region,
              ':version': recordVersion,
            }),
            ReturnValues: 'ALL_NEW',
          }),
        );
        return Tenure.parse(fromItem(Attributes));
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined;
        throw error;
      }
    },
  };
}

export function tenureMemories(rt: Pick<Runtime, 'here'>): TenureMemories {
  const memories = partition(rt, 'tenure-memory');
  return {
    read: async () => (await memories.read(TenureMemory, 'current', 1)).at(0),
    write: (memory) => memories.put('current', memory),
  };
}
