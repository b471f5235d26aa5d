/** The incident table of the function's own Region. Keys: see `keys`. */
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { IncidentRecord, MessageRecord, StepRecord, TrendPoint } from '../../../core/incident/contracts.ts';
import { keyOfIncident } from '../../../core/incident/identifiers.ts';
import type { IncidentStore } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, type Item, toItem } from './item.ts';
import { updateOf } from './update-expression.ts';

interface Key {
  readonly pk: string;
  readonly sk: string;
}

const keys = {
  incident: (id: string): Key => ({ pk: `incident#${id}`, sk: 'incident' }),
  step: ({ incidentId, step, piece }: StepRecord): Key => ({
    pk: `incident#${incidentId}`,
    sk: piece === undefined ? `step#${step}` : `step#${step}#${piece}`,
  }),
  message: ({ incidentId, at, kind }: MessageRecord): Key => ({
    pk: `incident#${incidentId}`,
    sk: `message#${at}#${kind}`,
  }),
  told: (incidentId: string, name: string): Key => ({ pk: `incident#${incidentId}`, sk: `told#${name}` }),
  /** Claims a request for the incident that opened for it. */
  request: (requestKey: string): Key => ({ pk: `request#${requestKey}`, sk: 'request' }),
  listed: ({ openedAt, incident }: IncidentRecord): Key => ({ pk: 'incidents', sk: `${openedAt}#${incident.id}` }),
  decision: (at: string, alarm: string): Key => ({ pk: 'decisions', sk: `${at}#${alarm}` }),
  /** The start of a recovery that triage made last. */
  start: (scenario: string): Key => ({ pk: `start#${scenario}`, sk: 'start' }),
  trend: ({ scenario, mode, closedAt }: TrendPoint): Key => ({ pk: `trend#${scenario}#${mode}`, sk: closedAt }),
};

const Claim = z.object({ incidentId: z.string() });
const Start = z.object({ execution: z.string() });
const decisionDays = 90;

export function incidentStore({ here }: Pick<Runtime, 'here'>): IncidentStore {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);

  const get = async (key: Key) => {
    const { Item } = await client.send(new GetItemCommand({ TableName, Key: toItem(key), ConsistentRead: true }));
    return Item && fromItem(Item);
  };
  const putIf = (key: Key, record: object, ConditionExpression: string, values: object) =>
    conditionHolds(
      client.send(
        new PutItemCommand({
          TableName,
          Item: toItem({ ...record, ...key }),
          ConditionExpression,
          ExpressionAttributeValues: toItem(values),
        }),
      ),
    );
  const put = async (key: Key, record: object) => {
    await client.send(new PutItemCommand({ TableName, Item: toItem({ ...record, ...key }) }));
  };
  /** False where the item exists. */
  const create = async (key: Key, record: object): Promise<boolean> => {
    const ConditionExpression = 'attribute_not_exists(pk)';
    const Item = toItem({ ...record, ...key });
    return conditionHolds(client.send(new PutItemCommand({ TableName, Item, ConditionExpression })));
  };
  const query = async (pk: string, skPrefix: string, newest?: number) => {
    const items: Item[] = [];
    let from: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: toItem({ ':pk': pk, ':prefix': skPrefix }),
          ...(newest === undefined ? {} : { Limit: newest, ScanIndexForward: false }),
          ...(from ? { ExclusiveStartKey: from } : {}),
        }),
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from && (newest === undefined || items.length < newest));
    return items.map(fromItem);
  };
  const read = async (id: string) => {
    const record = await get(keys.incident(id));
    return record && IncidentRecord.parse(record);
  };
  const findByRequest = async (requestKey: string) => {
    const claim = await get(keys.request(requestKey));
    return claim && Claim.parse(claim).incidentId;
  };

  return {
    async open(record) {
      const { id } = record.incident;
      const key = keyOfIncident(id);
      const claimed = await create(keys.request(key), { incidentId: id });
      if (!claimed && (await findByRequest(key)) !== id) return false;
      const opened = await create(keys.incident(id), record);
      // Also where it was open: an earlier attempt may have died between the two.
      await put(keys.listed(record), { incidentId: id });
      return opened;
    },
    findByRequest,
    read,
    async update(id, change) {
      const { UpdateExpression, ...names } = updateOf(change);
      const ConditionExpression = 'attribute_exists(pk)';
      const Key = toItem(keys.incident(id));
      await client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression, ConditionExpression, ...names }));
    },
    reopen: (record, formerExecution) =>
      conditionHolds(
        client.send(
          new PutItemCommand({
            TableName,
            Item: toItem({ ...record, ...keys.incident(record.incident.id) }),
            ConditionExpression: '#incident.executionArn = :former',
            ExpressionAttributeNames: { '#incident': 'incident' },
            ExpressionAttributeValues: toItem({ ':former': formerExecution }),
          }),
        ),
      ),
    async close({ id, executionArn }, change) {
      const { UpdateExpression, ExpressionAttributeValues, ExpressionAttributeNames } = updateOf(change);
      const input = {
        TableName,
        Key: toItem(keys.incident(id)),
        UpdateExpression,
        ConditionExpression: '#status = :open AND #incident.executionArn = :execution',
        ExpressionAttributeNames: { ...ExpressionAttributeNames, '#incident': 'incident' },
        ExpressionAttributeValues: {
          ...ExpressionAttributeValues,
          ...toItem({ ':open': 'open', ':execution': executionArn }),
        },
      };
      if (await conditionHolds(client.send(new UpdateItemCommand(input)))) return true;
      // The first answer of our own call may have been lost.
      const record = await read(id);
      return record?.closedAt === change.closedAt && record?.incident.executionArn === executionArn;
    },
    async list(limit) {
      const entries = await query('incidents', '', limit);
      const records = await Promise.all(entries.slice(0, limit).map((entry) => read(Claim.parse(entry).incidentId)));
      return records.filter((record) => record !== undefined);
    },
    async recordStep(record, { isFirst = record.status === 'running' } = {}) {
      const Key = toItem(keys.step(record));
      // Another execution's record of this step, before a retry, is in that one's report: this one begins anew.
      const own = 'attribute_not_exists(pk) OR attribute_not_exists(execution) OR execution = :mine';
      const { ExpressionAttributeValues, ...update } = stepUpdate(record, isFirst);
      const values = { ...ExpressionAttributeValues, ...toItem({ ':mine': record.execution ?? '' }) };
      const command = { TableName, Key, ...update, ConditionExpression: own, ExpressionAttributeValues: values };
      if (await conditionHolds(client.send(new UpdateItemCommand(command)))) return;
      // A function outlives its execution: what one that began before says late is not of this step any more.
      const isEarlier = 'attribute_not_exists(pk) OR startedAt < :startedAt';
      await putIf(keys.step(record), record, isEarlier, { ':startedAt': record.startedAt });
    },
    async steps(id) {
      const records = await query(`incident#${id}`, 'step#');
      return records.map((record) => StepRecord.parse(record));
    },
    recordMessage: (message) => put(keys.message(message), message),
    async messages(id) {
      const records = await query(`incident#${id}`, 'message#');
      return records.map((record) => MessageRecord.parse(record));
    },
    claimMessage: (id, name) => create(keys.told(id, name), {}),
    recordTrend: (point) => put(keys.trend(point), point),
    async trend(scenario, mode, limit) {
      const points = await query(`trend#${scenario}#${mode}`, '', limit);
      return points.map((point) => TrendPoint.parse(point));
    },
    async recordDecision(decision) {
      const ttl = Math.floor(Date.parse(decision.at) / 1000) + decisionDays * 86_400;
      const key = keys.decision(decision.at, decision.alarm);
      await client.send(new PutItemCommand({ TableName, Item: toItem({ ...decision, ...key, ttl }) }));
    },
    async claimStart(scenario, execution, claimedAt, since) {
      const key = keys.start(scenario);
      const isOld = 'attribute_not_exists(pk) OR claimedAt < :since';
      const claimed = await putIf(key, { execution, claimedAt }, isOld, { ':since': since });
      return claimed ? execution : Start.parse(await get(key)).execution;
    },
  };
}

/** `running` leaves what is known of the earlier attempts; every other status replaces it. */
function stepUpdate({ attempts, startedAt, ...rest }: StepRecord, isFirst: boolean) {
  const { summary, facts, ...identity } = rest;
  const isRunning = rest.status === 'running';
  return updateOf(isRunning ? identity : rest, {
    first: { startedAt, ...(isRunning && { summary, facts }), ...(!isFirst && { attempts }) },
    add: isFirst ? { attempts } : {},
    remove: ['finishedAt', 'error'],
  });
}
