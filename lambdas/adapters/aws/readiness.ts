/** Readiness runs, the last simulation of permissions and the last good drills, in the incident table of a Region. */
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type * as z from 'zod';
import { GreenDrill, ReadinessRecord } from '../../../core/readiness/contracts.ts';
import { type FactsOf, PermissionFacts } from '../../../core/readiness/facts.ts';
import type { GreenDrills, ReadinessRecords } from '../../../core/readiness/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** Longer than from one monthly drill to the next. */
const recordDays = 40;

/** Later than every moment, as text. */
const endOfTime = '9';

interface Partition {
  /** Newest first: sort keys are moments, or names. */
  read<T>(schema: z.ZodType<T>, upTo: string, limit: number): Promise<T[]>;
  put(sk: string, record: object): Promise<void>;
}

function partition({ here }: Pick<Runtime, 'here'>, pk: string): Partition {
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

export function readinessRecords(rt: Pick<Runtime, 'here'>): ReadinessRecords {
  const runs = partition(rt, 'readiness');
  const newest = async (upTo: string) => (await runs.read(ReadinessRecord, upTo, 1))[0];
  return {
    record: (record) =>
      runs.put(record.at, { ...record, ttl: Math.floor(Date.parse(record.at) / 1000) + recordDays * 86_400 }),
    latest: () => newest(endOfTime),
    atOrBefore: (moment) => newest(new Date(moment).toISOString()),
  };
}

export function greenDrills(rt: Pick<Runtime, 'here'>): GreenDrills {
  const drills = partition(rt, 'green-drill');
  return {
    record: (drill) => drills.put(drill.scenario, drill),
    list: () => drills.read(GreenDrill, 'z', 10),
  };
}

type Simulation = Extract<FactsOf<'permissions'>, { found: unknown }>['found'];

/** What the last simulation of permissions found. */
export function permissionRecord(rt: Pick<Runtime, 'here'>) {
  const simulations = partition(rt, 'readiness-permissions');
  return {
    async read(): Promise<Simulation | undefined> {
      const [record] = await simulations.read(PermissionFacts, endOfTime, 1);
      return record && 'found' in record ? record.found : undefined;
    },
    write: (found: Simulation) => simulations.put('latest', { found }),
  };
}
