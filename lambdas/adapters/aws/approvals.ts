/**
 * Approvals that executions wait for, in the DR Region's control table. The task token is a bearer secret: it is stored,
 * used, and never handed out.
 */
import { DynamoDBClient, GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { Approval } from '../../../core/incident/contracts.ts';
import type { Approvals } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toAttribute, toItem } from './item.ts';
import { updateOf } from './update-expression.ts';

const Asked = Approval.extend({ taskToken: z.string() });
const keyOf = (incidentId: string) => ({ pk: `approval#${incidentId}`, sk: 'approval' });

export function approvals({ settings }: Pick<Runtime, 'settings'>): Approvals {
  const TableName = settings.controlTable;
  const client = clientFor(DynamoDBClient, settings.dr.region);

  const readAsked = async (incidentId: string) => {
    const Key = toItem(keyOf(incidentId));
    const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    return Item && Asked.parse(fromItem(Item));
  };

  return {
    ask: (approval, taskToken) =>
      // Another token: the state was tried again or the incident is retried, and the earlier token is dead.
      conditionHolds(
        client.send(
          new PutItemCommand({
            TableName,
            Item: toItem({ ...approval, taskToken, ...keyOf(approval.incidentId) }),
            ConditionExpression: 'attribute_not_exists(pk) OR taskToken <> :token',
            ExpressionAttributeValues: toItem({ ':token': taskToken }),
          }),
        ),
      ),
    async read(incidentId) {
      const asked = await readAsked(incidentId);
      if (asked === undefined) return undefined;
      const { taskToken: _, ...approval } = asked;
      return approval;
    },
    async decide({ incidentId, executionArn, region }, decision) {
      const asked = await readAsked(incidentId);
      if (asked === undefined || asked.executionArn !== executionArn) return { outcome: 'over' };
      const { taskToken } = asked;
      const Key = toItem(keyOf(incidentId));
      const { ExpressionAttributeValues, ...set } = updateOf({ decision });
      // The first decision stands: it is on record before the execution goes on.
      const isFirst = await conditionHolds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key,
            ...set,
            ExpressionAttributeValues: { ...ExpressionAttributeValues, ':token': toAttribute(taskToken) },
            ConditionExpression: 'taskToken = :token AND attribute_not_exists(#decision)',
          }),
        ),
      );
      const standing = isFirst ? decision : (await readAsked(incidentId))?.decision;
      if (standing === undefined) return { outcome: 'over' };
      const { answerTask } = await import('./task-tokens.ts');
      if (await answerTask(region, taskToken, standing))
        return isFirst ? { outcome: 'decided' } : { outcome: 'decided-before', first: standing };
      if (!isFirst) return { outcome: 'decided-before', first: standing };
      // Nobody heard it, so it must not stand on record as if it had decided anything.
      await conditionHolds(
        client.send(
          new UpdateItemCommand({
            TableName,
            Key,
            UpdateExpression: 'REMOVE decision',
            ConditionExpression: 'taskToken = :token',
            ExpressionAttributeValues: toItem({ ':token': taskToken }),
          }),
        ),
      );
      return { outcome: 'over' };
    },
  };
}
