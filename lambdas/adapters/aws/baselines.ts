/** What the sentinel saw and the green runs' speed, in the incident table. */
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { Baseline, DatabaseProfile, LookRecord } from '../../../core/database/contracts.ts';
import type { Baselines, Looks, Profiles } from '../../../core/database/ports.ts';
import type { PerformanceBaselines } from '../../../core/validation/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** Longer than any restore window (35 days): every point that can be restored has its baseline. */
const baselineDays = 40;
const pk = 'baseline';

/** Newest record of a partition at or before a sort key; with `resourceId`, of those that are about it or about none. */
async function newest(here: Runtime['here'], partition: string, upTo: string, resourceId?: string) {
  const about = resourceId !== undefined && { ':resource': { S: resourceId } };
  const asked: QueryCommandInput = {
    TableName: here.incidentTable,
    KeyConditionExpression: 'pk = :pk and sk <= :upTo',
    ExpressionAttributeValues: { ':pk': { S: partition }, ':upTo': { S: upTo }, ...about },
    ScanIndexForward: false,
    ConsistentRead: true,
    ...(about && { FilterExpression: 'resourceId = :resource or attribute_not_exists(resourceId)' }),
  };
  const client = clientFor(DynamoDBClient, here.region);
  let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
  do {
    // What is read is counted before it is filtered, and the first is mostly the one.
    const Limit = ExclusiveStartKey === undefined ? 1 : 500;
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({ ...asked, Limit, ...(ExclusiveStartKey && { ExclusiveStartKey }) }),
    );
    const [item] = Items;
    if (item !== undefined) return fromItem(item);
    ExclusiveStartKey = LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return undefined;
}

/** Sort keys are moments with milliseconds, as the sentinel writes them, so that text order is time order. */
const endOfTime = '9';

const put = async (here: Runtime['here'], record: object) => {
  const command = new PutItemCommand({ TableName: here.incidentTable, Item: toItem(record) });
  await clientFor(DynamoDBClient, here.region).send(command);
};

const ttlOf = (at: string, days: number) => Math.floor(Date.parse(at) / 1000) + days * 86_400;

export function baselines({ here }: Pick<Runtime, 'here'>): Baselines {
  const upTo = async (moment: string, resourceId?: string) => {
    const record = await newest(here, pk, moment, resourceId);
    return record && Baseline.parse(record);
  };
  return {
    latest: (resourceId) => upTo(endOfTime, resourceId),
    atOrBefore: (moment, resourceId) => upTo(new Date(moment).toISOString(), resourceId),
    record: (baseline) => put(here, { ...baseline, pk, sk: baseline.at, ttl: ttlOf(baseline.at, baselineDays) }),
  };
}

/** A week of looks shows what led to an incident; what bounds its damage is in the last one. */
const lookDays = 7;

export function looks({ here }: Pick<Runtime, 'here'>): Looks {
  return {
    async latest() {
      const record = await newest(here, 'look', endOfTime);
      return record && LookRecord.parse(record);
    },
    record: (look) => put(here, { ...look, pk: 'look', sk: look.at, ttl: ttlOf(look.at, lookDays) }),
  };
}

export function profiles({ here }: Pick<Runtime, 'here'>): Profiles {
  return {
    async read(resourceId) {
      const Key = toItem({ pk: 'profile', sk: resourceId });
      const { Item } = await clientFor(DynamoDBClient, here.region).send(
        new GetItemCommand({ TableName: here.incidentTable, Key, ConsistentRead: true }),
      );
      return Item && DatabaseProfile.parse(fromItem(Item));
    },
    record: (profile) => put(here, { ...profile, pk: 'profile', sk: profile.resourceId }),
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
