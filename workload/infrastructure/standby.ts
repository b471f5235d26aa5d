/** The read replica in the DR Region, as STOCKER Pro's Terraform makes it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateDBInstanceReadReplicaCommand,
  type CreateDBInstanceReadReplicaCommandInput,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceCommandInput,
  RDSClient,
  RebootDBInstanceCommand,
} from '@aws-sdk/client-rds';
import type { Connection, InstallationPlan } from './provision.ts';

/** Makes the replica and waits until it is available; returns its identifier. */
export async function makeReplica(plan: InstallationPlan, connection: Connection): Promise<string> {
  const { replicaIdentifier } = plan.database;
  const rds = new RDSClient({ ...connection, region: plan.dr.region });
  await rds.send(new CreateDBInstanceReadReplicaCommand(replicaOf(plan)));
  await available(rds, replicaIdentifier);
  await rds.send(new ModifyDBInstanceCommand(changeOf(plan)));
  await available(rds, replicaIdentifier);
  // A group that is new to an instance applies with a reboot.
  await rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: replicaIdentifier }));
  await available(rds, replicaIdentifier);
  return replicaIdentifier;
}

/** Resolves when nothing is at work at it any more. */
async function available(rds: RDSClient, DBInstanceIdentifier: string): Promise<void> {
  for (;;) {
    const { DBInstances = [] } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }));
    const { DBInstanceStatus: status, PendingModifiedValues: pending = {} } = DBInstances[0] ?? {};
    if (status === 'available' && pending.BackupRetentionPeriod === undefined) return;
    if (status === 'failed' || status?.startsWith('incompatible'))
      throw new Error(`${DBInstanceIdentifier} could not be made: it is ${status}`);
    await sleep(50);
  }
}

/**
 * What ModifyDBInstance is asked once it is there: RDS for PostgreSQL takes no parameter group before
 * (hashicorp/terraform-provider-aws#38227), and a replica is made without backups, of which no drill can make its own.
 */
export function changeOf({ database, dr }: InstallationPlan): ModifyDBInstanceCommandInput {
  return {
    DBInstanceIdentifier: database.replicaIdentifier,
    DBParameterGroupName: dr.parameterGroup,
    BackupRetentionPeriod: database.backupRetentionDays,
    ApplyImmediately: true,
  };
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
