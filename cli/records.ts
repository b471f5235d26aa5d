/** What the product keeps about itself, as an operator reads it: on AWS or the embedded cloud alike. */
import { type AttributeValue, type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { BackupRecord, Proof } from '../core/backup/contracts.ts';
import { DebtRecord } from '../core/configuration/contracts.ts';
import { LookRecord } from '../core/database/contracts.ts';
import {
  ActiveDatabase,
  Approval,
  Compensation,
  IncidentRecord,
  Lease,
  TrendPoint,
} from '../core/incident/contracts.ts';
import { ReadinessRecord } from '../core/readiness/contracts.ts';
import { GuardRecord, Latch } from '../core/region/contracts.ts';

type Item = Record<string, AttributeValue>;

/** The table's own attributes are no part of a record, and a task token is nobody's to read. */
function parse<T extends z.ZodType>(schema: T, item: Item): z.infer<T> {
  const { pk: _, sk: __, ttl: ___, taskToken: ____, ...record } = unmarshall(item);
  return schema.parse(record);
}

async function get<T extends z.ZodType>(
  dynamodb: DynamoDBClient,
  schema: T,
  TableName: string,
  { pk, sk }: { pk: string; sk: string },
): Promise<z.infer<T> | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
  );
  return Item && parse(schema, Item);
}

async function query(dynamodb: DynamoDBClient, TableName: string, pk: string, from: string, newest: number) {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND sk >= :from',
      ExpressionAttributeValues: { ':pk': { S: pk }, ':from': { S: from } },
      Limit: newest,
      ScanIndexForward: false,
    }),
  );
  return Items;
}

export const readLease = (dynamodb: DynamoDBClient, controlTable: string) =>
  get(dynamodb, Lease, controlTable, { pk: 'lease', sk: 'recovery' });

export const readLatch = (dynamodb: DynamoDBClient, controlTable: string, name: Latch['name']) =>
  get(dynamodb, Latch, controlTable, { pk: `latch#${name}`, sk: 'current' });

/** What Terraform owes for the instance of that resource id. */
export const readDebt = (dynamodb: DynamoDBClient, controlTable: string, resourceId: string) =>
  get(dynamodb, DebtRecord, controlTable, { pk: 'terraform-debt', sk: resourceId });

export const readActiveDatabase = (dynamodb: DynamoDBClient, controlTable: string) =>
  get(dynamodb, ActiveDatabase, controlTable, { pk: 'active-database', sk: 'current' });

/** The question that an incident asked; undefined where it has not asked. */
export const readApproval = (dynamodb: DynamoDBClient, controlTable: string, incidentId: string) =>
  get(dynamodb, Approval, controlTable, { pk: `approval#${incidentId}`, sk: 'approval' });

export const readIncidentRecord = (dynamodb: DynamoDBClient, incidentTable: string, incidentId: string) =>
  get(dynamodb, IncidentRecord, incidentTable, { pk: `incident#${incidentId}`, sk: 'incident' });

/** What guards met, newest first. */
export const listGuards = async (dynamodb: DynamoDBClient, controlTable: string): Promise<GuardRecord[]> =>
  (await query(dynamodb, controlTable, 'guard', '0', 25)).map((item) => parse(GuardRecord, item));

/** Newest first. */
export async function listIncidents(
  dynamodb: DynamoDBClient,
  incidentTable: string,
  newest: number,
): Promise<IncidentRecord[]> {
  const items = await query(dynamodb, incidentTable, 'incidents', '0', newest);
  const ids = items.map((item) => String(unmarshall(item).incidentId));
  const records = await Promise.all(ids.map((id) => readIncidentRecord(dynamodb, incidentTable, id)));
  return records.filter((record) => record !== undefined);
}

/** The sentinel's looks from a moment (ISO text) on, newest first. */
export const listLooks = async (dynamodb: DynamoDBClient, incidentTable: string, from: string): Promise<LookRecord[]> =>
  (await query(dynamodb, incidentTable, 'look', from, 100)).map((item) => parse(LookRecord, item));

/** Why triage did or did not start something, and what was refused. */
export const TriageRecord = z.object({
  at: z.string(),
  alarm: z.string(),
  verdict: z.string(),
  reasons: z.array(z.string()),
});
export type TriageRecord = z.infer<typeof TriageRecord>;

/** Newest first. */
export const listDecisions = async (
  dynamodb: DynamoDBClient,
  incidentTable: string,
  newest: number,
): Promise<TriageRecord[]> =>
  (await query(dynamodb, incidentTable, 'decisions', '0', newest)).map((item) => parse(TriageRecord, item));

/** Runs of the backup machine, newest first. */
export const listBackupRuns = async (
  dynamodb: DynamoDBClient,
  incidentTable: string,
  newest: number,
): Promise<BackupRecord[]> =>
  (await query(dynamodb, incidentTable, 'backup', '0', newest)).map((item) => parse(BackupRecord, item));

/** What drills proved of backups, newest first. */
export const listBackupProofs = async (
  dynamodb: DynamoDBClient,
  incidentTable: string,
  newest: number,
): Promise<Proof[]> =>
  (await query(dynamodb, incidentTable, 'backup-proof', '0', newest)).map((item) => parse(Proof, item));

/** The newest look at readiness of the Region. */
export async function readReadiness(
  dynamodb: DynamoDBClient,
  incidentTable: string,
): Promise<ReadinessRecord | undefined> {
  const [newest] = await query(dynamodb, incidentTable, 'readiness', '0', 1);
  return newest && parse(ReadinessRecord, newest);
}

/** What drills of the database achieved, newest first. */
export const listDrillTrend = async (
  dynamodb: DynamoDBClient,
  incidentTable: string,
  newest: number,
): Promise<TrendPoint[]> =>
  (await query(dynamodb, incidentTable, 'trend#database#drill', '0', newest)).map((item) => parse(TrendPoint, item));

/** What a recovery registered to be undone, and what became of it; in the order of registration. */
export async function listCompensations(
  dynamodb: DynamoDBClient,
  TableName: string,
  incidentId: string,
): Promise<Compensation[]> {
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': { S: `incident#${incidentId}` }, ':sk': { S: 'compensation#' } },
    }),
  );
  return Items.map((item) => parse(Compensation, item));
}
