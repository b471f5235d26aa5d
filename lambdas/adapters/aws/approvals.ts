/** Approvals that executions wait for. The task token is a bearer secret: it is read, used, and never handed out. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import type { Approvals } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';
import { updateOf } from './update-expression.ts';

const Waiting = z.object({ taskToken: z.string(), decision: z.unknown().optional() });

export function approvals({ here }: Pick<Runtime, 'here'>): Approvals {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  return {
    async decide(incidentId, decision) {
      const Key = toItem({ pk: `approval#${incidentId}`, sk: 'approval' });
      const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
      const waiting = Item && Waiting.parse(fromItem(Item));
      if (!waiting) return false;
      // The first decision stands: it is on record before the execution goes on.
      try {
        const ConditionExpression = 'attribute_exists(pk) AND attribute_not_exists(decision)';
        await client.send(new UpdateItemCommand({ TableName, Key, ConditionExpression, ...updateOf({ decision }) }));
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
      const answer = new SendTaskSuccessCommand({ taskToken: waiting.taskToken, output: JSON.stringify(decision) });
      await clientFor(SFNClient, here.region).send(answer);
      return true;
    },
  };
}
