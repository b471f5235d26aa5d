/** Keys that databases of ours are encrypted with. In a module of its own: loaded when needed. */
import { paginateDescribeDBInstances, RDSClient } from '@aws-sdk/client-rds';
import { clientFor } from '../aws/clients.ts';

/** Of production, or of what would become it; each key once. */
export async function databaseKeys(region: string, identifier: string) {
  const found = new Set<string>();
  for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client: clientFor(RDSClient, region) }, {}))
    for (const { DBInstanceIdentifier, ReadReplicaSourceDBInstanceIdentifier: source = '', KmsKeyId } of DBInstances)
      if (KmsKeyId && (DBInstanceIdentifier === identifier || source.endsWith(`:db:${identifier}`)))
        found.add(KmsKeyId);
  return [...found].map((key) => ({ use: 'the database', key }));
}
