/** Runs of the backup machine and proofs of backups, in the incident table of the function's own Region. */
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type * as z from 'zod';
import { BackupRecord, Proof } from '../../../core/backup/contracts.ts';
import type { Backups } from '../../../core/backup/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { fromItem, toItem } from './item.ts';

/** More than a year: whoever asks how backups went sees a whole one. */
const recordDays = 400;

export function backups({ here }: Pick<Runtime, 'here'>): Backups {
  const TableName = here.incidentTable;
  const client = clientFor(DynamoDBClient, here.region);
  const put = async (key: { pk: string; sk: string }, at: string, record: object) => {
    const ttl = Math.floor(Date.parse(at) / 1000) + recordDays * 86_400;
    await client.send(new PutItemCommand({ TableName, Item: toItem({ ...record, ...key, ttl }) }));
  };
  async function newest<T>(pk: string, schema: z.ZodType<T>, limit: number): Promise<T[]> {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        ScanIndexForward: false,
        Limit: limit,
        ConsistentRead: true,
      }),
    );
    return Items.map((item) => schema.parse(fromItem(item)));
  }
  return {
    record: (record) =>
      put({ pk: 'backup', sk: `${record.run.startedAt}#${record.run.task}` }, record.finishedAt, record),
    list: (limit) => newest('backup', BackupRecord, limit),
    recordProof: (proof) => put({ pk: 'backup-proof', sk: `${proof.at}#${proof.backup}` }, proof.at, proof),
    proofs: (limit) => newest('backup-proof', Proof, limit),
  };
}
