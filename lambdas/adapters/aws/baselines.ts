/** The sentinel's looks and the green runs' speed, in the incident table. */
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { Baseline } from '../../../core/database/contracts.ts';
import type { Baselines } from '../../../core/database/ports.ts';
import type { PerformanceBaselines } from '../../../core/validation/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** Longer than any restore window (35 days): every point that can be restored has its baseline. */
const baselineDays = 40;
const pk = 'baseline';

export function baselines({ here }: Pick<Runtime, 'here'>): Baselines {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  /** Sort keys are moments with milliseconds, as the sentinel writes them, so that text order is time order. */
  const newest = async (upTo: string): Promise<Baseline | undefined> => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk and sk <= :upTo',
        ExpressionAttributeValues: { ':pk': { S: pk }, ':upTo': { S: upTo } },
        ScanIndexForward: false,
        Limit: 1,
        ConsistentRead: true,
      }),
    );
    const [item] = Items ?? [];
    return item && Baseline.parse(fromItem(item));
  };
  return {
    latest: () => newest('9'),
    atOrBefore: (moment) => newest(new Date(moment).toISOString()),
    async record(baseline) {
      const ttl = Math.floor(Date.parse(baseline.at) / 1000) + baselineDays * 86_400;
      await client.send(new PutItemCommand({ TableName, Item: toItem({ ...baseline, pk, sk: baseline.at, ttl }) }));
    },
  };
}

const Performance = z.object({ p95Milliseconds: z.number() });

export function performanceBaselines({ here }: Pick<Runtime, 'here'>): PerformanceBaselines {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  const keyOf = (deployment: string) => ({ pk: 'performance', sk: deployment });
  return {
    async read(deployment) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName, Key: toItem(keyOf(deployment)), ConsistentRead: true }),
      );
      return Item && Performance.parse(fromItem(Item)).p95Milliseconds;
    },
    async write(deployment, p95Milliseconds, at) {
      await client.send(new PutItemCommand({ TableName, Item: toItem({ p95Milliseconds, at, ...keyOf(deployment) }) }));
    },
  };
}
