/** Records of one kind in the incident table of a Region, sorted by moment or name. */
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type * as z from 'zod';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** Later than every moment, and every name, as text. */
export const endOfTime = '~';

export interface Partition {
  /** Newest first: sort keys are moments, or names. */
  read<T>(schema: z.ZodType<T>, upTo: string, limit: number): Promise<T[]>;
  put(sk: string, record: object): Promise<void>;
}

export function partition({ here }: Pick<Runtime, 'here'>, pk: string): Partition {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  return {
    async read(schema, upTo, limit) {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :pk and sk <= :upTo',
          ExpressionAttributeValues: { ':pk': { S: pk }, ':upTo': { S: upTo } },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
        }),
      );
      return Items.map((item) => schema.parse(fromItem(item)));
    },
    async put(sk, record) {
      await client.send(new PutItemCommand({ TableName, Item: toItem({ ...record, pk, sk }) }));
    },
  };
}
