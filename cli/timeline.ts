/** An incident as the product wrote it: read from its table, on AWS or the embedded cloud alike. */
import { type AttributeValue, type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { IncidentRecord, StepRecord } from '../core/incident/contracts.ts';

/** The record of an incident; undefined where it was never opened. */
export async function readIncident(
  dynamodb: DynamoDBClient,
  table: string,
  incidentId: string,
): Promise<IncidentRecord | undefined> {
  const key = { pk: { S: `incident#${incidentId}` }, sk: { S: 'incident' } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }));
  return Item && (unmarshall(Item) as unknown as IncidentRecord);
}

/** Every step so far, oldest first. */
export async function readSteps(dynamodb: DynamoDBClient, table: string, incidentId: string): Promise<StepRecord[]> {
  const steps: StepRecord[] = [];
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await dynamodb.send(
      new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :incident AND begins_with(sk, :step)',
        ExpressionAttributeValues: { ':incident': { S: `incident#${incidentId}` }, ':step': { S: 'step#' } },
        ConsistentRead: true,
        ...(from ? { ExclusiveStartKey: from } : {}),
      }),
    );
    steps.push(...(page.Items ?? []).map((item) => unmarshall(item) as unknown as StepRecord));
    from = page.LastEvaluatedKey;
  } while (from);
  return steps.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}
