/** What a recovery must undo if it does not succeed: `compensation#<n>` beside its incident. */
import { DynamoDBClient, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { canonical } from '../../../core/evidence/hash-chain.ts';
import { Compensation, recordVersion } from '../../../core/incident/contracts.ts';
import type { Compensations } from '../../../core/incident/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { conditionHolds } from './conditional.ts';
import { fromItem, toItem } from './item.ts';
import { updateOf } from './update-expression.ts';

const keyOf = (incidentId: string, number: number) => ({
  pk: `incident#${incidentId}`,
  // Padded: text order is the order of registration.
  sk: `compensation#${String(number).padStart(4, '0')}`,
});

export function compensations({ here, clock }: Pick<Runtime, 'here' | 'clock'>): Compensations {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  const now = () => clock.now().toISOString();

  /** Last registered first; an incident has a handful, far from a page. */
  const all = async (incidentId: string) => {
    const { pk } = keyOf(incidentId, 0);
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        ScanIndexForward: false,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: toItem({ ':pk': pk, ':prefix': 'compensation#' }),
      }),
    );
    return Items.map((item) => Compensation.parse(fromItem(item)));
  };

  const change = async ({ incidentId, number }: Compensation, values: Partial<Compensation>) => {
    const Key = toItem(keyOf(incidentId, number));
    await client.send(new UpdateItemCommand({ TableName, Key, ...updateOf(values) }));
  };

  return {
    async register(incidentId, name, facts) {
      for (;;) {
        const known = await all(incidentId);
        const isSame = (each: Compensation) => each.name === name && canonical(each.facts) === canonical(facts);
        if (known.some((each) => isSame(each) && each.doneAt === undefined)) return;
        const number = (known[0]?.number ?? 0) + 1;
        const record: Compensation = { version: recordVersion, incidentId, number, name, facts, registeredAt: now() };
        const Item = toItem({ ...record, ...keyOf(incidentId, number) });
        const ConditionExpression = 'attribute_not_exists(pk)';
        if (await conditionHolds(client.send(new PutItemCommand({ TableName, Item, ConditionExpression })))) return;
      }
    },
    async open(incidentId) {
      return (await all(incidentId)).filter(({ doneAt }) => doneAt === undefined);
    },
    note: (compensation, outcome) => change(compensation, outcome),
    done: (compensation, outcome) => change(compensation, { doneAt: now(), ...outcome }),
    async last(incidentId, name) {
      return (await all(incidentId)).find((each) => each.name === name);
    },
  };
}
