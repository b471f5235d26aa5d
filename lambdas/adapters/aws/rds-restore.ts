/** How an instance is made from a backup, or empty: with nothing left to RDS's defaults. */
import {
  CreateDBInstanceCommand,
  type RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import type { DatabaseInstance, RestoreSpecification } from '../../../core/database/ports.ts';

const stripedGp3Gibibytes = 400;

/**
 * RDS reports the baseline of a small gp3 volume (3,000 IOPS, 125 MiB/s) and refuses to be told it: "You can't specify
 * IOPS or storage throughput for engine postgres and a storage size less than 400". From there on it must be told.
 */
export function provisionedStorage({
  storageType,
  allocatedStorage,
  iops,
  storageThroughput,
}: DatabaseInstance['settings']): { Iops?: number; StorageThroughput?: number } {
  if (storageType === 'gp3' && Number(allocatedStorage) < stripedGp3Gibibytes) return {};
  return {
    ...(typeof iops === 'number' && iops > 0 && { Iops: iops }),
    ...(storageType === 'gp3' && typeof storageThroughput === 'number' && { StorageThroughput: storageThroughput }),
  };
}

/** Everything that RDS would otherwise default (aws-facts); storage and key come with the backup. */
export function explicitSettings(specification: RestoreSpecification) {
  const { settings } = specification.like;
  const logExports = settings.logExports;
  return {
    DBInstanceClass: String(settings.instanceClass),
    MultiAZ: specification.multiAz,
    DBSubnetGroupName: specification.subnetGroup,
    DBParameterGroupName: specification.parameterGroup,
    VpcSecurityGroupIds: [...specification.securityGroupIds],
    PubliclyAccessible: false,
    AutoMinorVersionUpgrade: settings.autoMinorVersionUpgrade === true,
    CopyTagsToSnapshot: settings.copyTagsToSnapshot === true,
    EnableIAMDatabaseAuthentication: settings.iamAuthentication === true,
    DeletionProtection: false, // a drill deletes its copy; a recovery's is protected once it serves
    StorageType: String(settings.storageType),
    ...provisionedStorage(settings),
    ...(typeof settings.certificateAuthority === 'string' && {
      CACertificateIdentifier: settings.certificateAuthority,
    }),
    ...(typeof settings.networkType === 'string' && { NetworkType: settings.networkType }),
    ...(settings.dedicatedLogVolume === true && { DedicatedLogVolume: true }),
    // RDS would enrol the copy in Extended Support, which is paid for, whatever its source chose.
    ...(typeof settings.engineLifecycleSupport === 'string' && {
      EngineLifecycleSupport: settings.engineLifecycleSupport,
    }),
    ...(Array.isArray(logExports) && logExports.length > 0 && { EnableCloudwatchLogsExports: [...logExports] }),
    Tags: Object.entries(specification.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

/** Starts the restore; rejects as the SDK does. */
export async function restore(client: RDSClient, specification: RestoreSpecification): Promise<void> {
  const common = explicitSettings(specification);
  const { from, targetIdentifier: target } = specification;
  if (from.kind === 'nothing') {
    const { allocatedStorage, encrypted, kmsKey } = specification.like.settings;
    await client.send(
      new CreateDBInstanceCommand({
        ...common,
        DBInstanceIdentifier: target,
        DBName: from.databaseName,
        Engine: from.engine,
        EngineVersion: from.engineVersion,
        AllocatedStorage: Number(allocatedStorage),
        StorageEncrypted: encrypted === true,
        ...(typeof kmsKey === 'string' && { KmsKeyId: kmsKey }),
        MasterUsername: from.master.username,
        MasterUserPassword: from.master.password,
      }),
    );
    return;
  }
  if (from.kind === 'snapshot') {
    const snapshot = { DBInstanceIdentifier: target, DBSnapshotIdentifier: from.snapshotIdentifier };
    await client.send(new RestoreDBInstanceFromDBSnapshotCommand({ ...common, ...snapshot }));
    return;
  }
  await client.send(
    new RestoreDBInstanceToPointInTimeCommand({
      ...common,
      TargetDBInstanceIdentifier: target,
      ...originOf(from),
      // RestoreTime and UseLatestRestorableTime exclude each other.
      ...(from.at === 'latest' ? { UseLatestRestorableTime: true } : { RestoreTime: new Date(from.at) }),
    }),
  );
}

/** Automated backups that outlive their instance are found by its resource id, replicated ones by their ARN. */
function originOf(from: Extract<RestoreSpecification['from'], { kind: 'time' }>) {
  if (from.backupsArn !== undefined) return { SourceDBInstanceAutomatedBackupsArn: from.backupsArn };
  return from.sourceIdentifier === undefined
    ? { SourceDbiResourceId: from.sourceResourceId }
    : { SourceDBInstanceIdentifier: from.sourceIdentifier };
}
