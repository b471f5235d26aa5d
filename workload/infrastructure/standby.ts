/** The read replica in the DR Region, as STOCKER Pro's Terraform makes it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateDBInstanceReadReplicaCommand,
  type CreateDBInstanceReadReplicaCommandInput,
  DescribeDBInstancesCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import type { Connection, InstallationPlan } from './provision.ts';

/** Makes the replica and waits until it is available; returns its identifier. */
export async function makeReplica(plan: InstallationPlan, connection: Connection): Promise<string> {
  const { replicaIdentifier } = plan.database;
  const rds = new RDSClient({ ...connection, region: plan.dr.region });
  await rds.send(new CreateDBInstanceReadReplicaCommand(replicaOf(plan)));
  for (;;) {
    const command = new DescribeDBInstancesCommand({ DBInstanceIdentifier: replicaIdentifier });
    const { DBInstances = [] } = await rds.send(command);
    const status = DBInstances[0]?.DBInstanceStatus;
    if (status === 'available') return replicaIdentifier;
    if (status === 'failed' || status?.startsWith('incompatible'))
      throw new Error(`${replicaIdentifier} could not be made: it is ${status}`);
    await sleep(50);
  }
}

/** What CreateDBInstanceReadReplica is asked: in another Region nothing but size is inherited (aws-facts). */
export function replicaOf({
  database,
  primary,
  dr,
  account,
  environment,
}: InstallationPlan): CreateDBInstanceReadReplicaCommandInput {
  return {
    DBInstanceIdentifier: database.replicaIdentifier,
    SourceDBInstanceIdentifier: `arn:aws:rds:${primary.region}:${account}:db:${database.identifier}`,
    DBSubnetGroupName: dr.subnetGroup,
    DBParameterGroupName: dr.parameterGroup,
    VpcSecurityGroupIds: [...dr.securityGroupIds],
    KmsKeyId: 'alias/aws/rds',
    CopyTagsToSnapshot: true,
    PubliclyAccessible: false,
    EnableCloudwatchLogsExports: ['postgresql'],
    Tags: [
      { Key: 'application', Value: 'stocker-pro' },
      { Key: 'managed-by', Value: 'terraform' },
      // What the product's roles may protect once it is production (docs/deploy.md).
      { Key: 'stocker-dr:environment', Value: environment },
    ],
  };
}
