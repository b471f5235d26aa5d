/** One question to RDS of another Region, asked once: whether it answers is what is wanted. */
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';

export async function statusElsewhere(DBInstanceIdentifier: string, region: string): Promise<string | undefined> {
  const client = new RDSClient({
    region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  try {
    const { DBInstances = [] } = await client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
    return DBInstances[0]?.DBInstanceStatus;
  } catch (error) {
    if (error instanceof Error && /^DBInstanceNotFound/.test(error.name)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}
