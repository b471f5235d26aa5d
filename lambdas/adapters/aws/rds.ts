/** RDS of the function's own Region. */
import {
  CreateDBSnapshotCommand,
  type DBInstance,
  type DBSnapshot,
  DeleteDBInstanceCommand,
  type DeleteDBInstanceCommandInput,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  DescribeEventsCommand,
  ModifyDBInstanceCommand,
  paginateDescribeDBInstances,
  paginateDescribeDBParameters,
  paginateDescribeDBSnapshots,
  RDSClient,
  type Tag,
} from '@aws-sdk/client-rds';
import type { DatabaseInstance, DatabaseSnapshot, Databases } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from './clients.ts';
import { observationOf, textIn } from './rds-observation.ts';
import { isNamed, unlessAtWork, unlessFull } from './rds-refusals.ts';

const orUndefined =
  (...names: readonly string[]) =>
  (error: unknown): undefined => {
    if (!isNamed(error, ...names)) throw error;
  };

export function databases({ here }: Pick<Runtime, 'here'>): Databases {
  const { region } = here;
  const client = clientFor(RDSClient, region);
  const backupsOf: Databases['backupsOf'] = async ({ resourceId }) => {
    const answer = await client
      .send(new DescribeDBInstanceAutomatedBackupsCommand({ DbiResourceId: resourceId }))
      .catch(orUndefined('DBInstanceAutomatedBackupNotFoundFault'));
    const [backups] = answer?.DBInstanceAutomatedBackups ?? [];
    if (backups === undefined) return undefined;
    const { EarliestTime, LatestTime } = backups.RestoreWindow ?? {};
    const isKnown = EarliestTime !== undefined && LatestTime !== undefined;
    const window = isKnown ? { earliest: EarliestTime.toISOString(), latest: LatestTime.toISOString() } : undefined;
    return { arn: backups.DBInstanceAutomatedBackupsArn ?? '', window };
  };
  return {
    async find(identifier) {
      const answer = await client
        .send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }))
        .catch(orUndefined('DBInstanceNotFoundFault', 'DBInstanceNotFound'));
      const [instance] = answer?.DBInstances ?? [];
      return instance && toInstance(instance, region);
    },

    async list(prefix) {
      const found: DatabaseInstance[] = [];
      for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, {}))
        found.push(...DBInstances.map((instance) => toInstance(instance, region)));
      return found.filter(({ identifier }) => identifier.startsWith(prefix));
    },

    async failures(identifier) {
      const of = { SourceType: 'db-instance', SourceIdentifier: identifier } as const;
      const lookingBack = { EventCategories: ['failure'], Duration: 60 }; // minutes
      const { Events = [] } = await client.send(new DescribeEventsCommand({ ...of, ...lookingBack }));
      return Events.map(({ Message = '' }) => Message);
    },

    restoreWindow: async (instance) => (await backupsOf(instance))?.window,
    backupsOf,

    async findSnapshot(identifier) {
      const answer = await client
        .send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: identifier }))
        .catch(orUndefined('DBSnapshotNotFoundFault', 'DBSnapshotNotFound'));
      const [snapshot] = answer?.DBSnapshots ?? [];
      return snapshot && toSnapshot(snapshot);
    },

    async snapshotsOf({ resourceId }) {
      const found: DatabaseSnapshot[] = [];
      for await (const { DBSnapshots = [] } of paginateDescribeDBSnapshots({ client }, { DbiResourceId: resourceId }))
        found.push(...DBSnapshots.map(toSnapshot));
      return found;
    },

    async restore(specification) {
      // Its commands are loaded by the one function that restores.
      const { restore } = await import('./rds-restore.ts');
      try {
        await restore(client, specification);
        return 'started';
      } catch (error) {
        // No client token: a retry of the SDK can meet what its own first call made.
        if (isNamed(error, 'DBInstanceAlreadyExistsFault', 'DBInstanceAlreadyExists')) return 'exists';
        const { targetIdentifier: identifier, like } = specification;
        throw unlessFull({ instanceClass: like.settings.instanceClass, region, identifier }, error);
      }
    },

    async configure(identifier, like, masterPassword) {
      const { settings } = like;
      const text = textIn(settings);
      try {
        await client.send(
          new ModifyDBInstanceCommand({
            DBInstanceIdentifier: identifier,
            ApplyImmediately: true,
            MasterUserPassword: masterPassword,
            ...observationOf(settings, region),
            BackupRetentionPeriod: Number(settings.backupRetentionDays ?? 0),
            MaxAllocatedStorage: Number(settings.maxAllocatedStorage ?? 0) || undefined,
            PreferredBackupWindow: text('backupWindow'),
            PreferredMaintenanceWindow: text('maintenanceWindow'),
          }),
        );
      } catch (error) {
        throw notModified(identifier, error);
      }
    },

    async admit(identifier, securityGroupIds) {
      try {
        await client.send(
          new ModifyDBInstanceCommand({
            DBInstanceIdentifier: identifier,
            ApplyImmediately: true,
            VpcSecurityGroupIds: [...securityGroupIds],
          }),
        );
      } catch (error) {
        throw notModified(identifier, error);
      }
    },

    async protect(identifier, { settings }) {
      const { instanceClass } = settings;
      const text = textIn(settings);
      const groups = settings.securityGroupIds;
      try {
        await client.send(
          new ModifyDBInstanceCommand({
            DBInstanceIdentifier: identifier,
            ApplyImmediately: true,
            DeletionProtection: settings.deletionProtection === true,
            MultiAZ: settings.multiAz === true,
            BackupRetentionPeriod: Number(settings.backupRetentionDays ?? 0),
            PreferredBackupWindow: text('backupWindow'),
            PreferredMaintenanceWindow: text('maintenanceWindow'),
            CopyTagsToSnapshot: settings.copyTagsToSnapshot === true,
            VpcSecurityGroupIds: Array.isArray(groups) ? [...groups] : undefined,
          }),
        );
      } catch (error) {
        // A standby needs a host, too.
        throw notModified(identifier, unlessFull({ instanceClass, region, identifier }, error));
      }
    },

    async createSnapshot({ identifier, instanceIdentifier, tags }) {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      const input = { DBSnapshotIdentifier: identifier, DBInstanceIdentifier: instanceIdentifier, Tags };
      try {
        await client.send(new CreateDBSnapshotCommand(input));
        return 'started';
      } catch (error) {
        if (isNamed(error, 'DBSnapshotAlreadyExistsFault', 'DBSnapshotAlreadyExists')) return 'exists';
        if (isNamed(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) return 'no-instance';
        throw unlessAtWork(`No snapshot of ${instanceIdentifier} can be taken yet`, error);
      }
    },

    async delete(identifier) {
      const input: DeleteDBInstanceCommandInput = {
        DBInstanceIdentifier: identifier,
        SkipFinalSnapshot: true,
        DeleteAutomatedBackups: true,
      };
      try {
        await client.send(new DeleteDBInstanceCommand(input));
        return 'deleting';
      } catch (error) {
        if (isNamed(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) return 'gone';
        // Its tags allow it. What is gone has none: a repeated call whose first answer was lost is refused.
        if (isNamed(error, 'AccessDenied') && (await this.find(identifier)) === undefined) return 'gone';
        throw unlessAtWork(`${identifier} cannot be deleted yet`, error);
      }
    },

    async hasAutomatedBackup(identifier) {
      const answer = await client
        .send(new DescribeDBInstanceAutomatedBackupsCommand({ DBInstanceIdentifier: identifier }))
        .catch(orUndefined('DBInstanceAutomatedBackupNotFoundFault'));
      return (answer?.DBInstanceAutomatedBackups ?? []).length > 0;
    },

    async parameters(parameterGroup) {
      const values: Record<string, string> = {};
      const pages = paginateDescribeDBParameters({ client }, { DBParameterGroupName: parameterGroup, Source: 'user' });
      for await (const page of pages)
        for (const { ParameterName, ParameterValue } of page.Parameters ?? [])
          if (ParameterName !== undefined && ParameterValue !== undefined) values[ParameterName] = ParameterValue;
      return values;
    },
  };
}

const toSnapshot = (snapshot: DBSnapshot): DatabaseSnapshot => ({
  identifier: snapshot.DBSnapshotIdentifier ?? '',
  arn: snapshot.DBSnapshotArn ?? '',
  instanceIdentifier: snapshot.DBInstanceIdentifier ?? '',
  instanceResourceId: snapshot.DbiResourceId,
  status: snapshot.Status ?? '',
  createdAt: snapshot.SnapshotCreateTime?.toISOString(),
  encrypted: snapshot.Encrypted ?? false,
  tags: tagsOf(snapshot.TagList),
});

/** `backing-up` follows `available` where the restore inherits a retention: worth another try. */
const notModified = (identifier: string, error: unknown): unknown =>
  unlessAtWork(`${identifier} cannot be modified yet`, error);

export function toInstance(instance: DBInstance, region: string): DatabaseInstance {
  const pendingReboot = (instance.DBParameterGroups ?? [])
    .filter((group) => group.ParameterApplyStatus !== 'in-sync')
    .map((group) => `parameter group ${group.DBParameterGroupName} is ${group.ParameterApplyStatus}`);
  const groupsInMotion = (instance.VpcSecurityGroups ?? [])
    .filter((group) => group.Status !== 'active')
    .map((group) => `security group ${group.VpcSecurityGroupId} is ${group.Status}`);
  return {
    identifier: instance.DBInstanceIdentifier ?? '',
    arn: instance.DBInstanceArn ?? '',
    resourceId: instance.DbiResourceId ?? '',
    region,
    status: instance.DBInstanceStatus ?? '',
    engine: instance.Engine ?? '',
    engineVersion: instance.EngineVersion ?? '',
    address: instance.Endpoint?.Address,
    port: instance.Endpoint?.Port,
    masterUsername: instance.MasterUsername ?? '',
    databaseName: instance.DBName,
    createdAt: instance.InstanceCreateTime?.toISOString(),
    latestRestorableTime: instance.LatestRestorableTime?.toISOString(),
    deletionProtection: instance.DeletionProtection ?? false,
    replicaOf: instance.ReadReplicaSourceDBInstanceIdentifier,
    tags: tagsOf(instance.TagList),
    settings: settingsOf(instance),
    parameterStatus: instance.DBParameterGroups?.[0]?.ParameterApplyStatus ?? '',
    pending: [...Object.keys(definedOf(instance.PendingModifiedValues ?? {})), ...pendingReboot, ...groupsInMotion],
  };
}

const tagsOf = (tags: readonly Tag[] | undefined) =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));

const definedOf = (record: object) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

/** What parity compares. The port is not among it: where an instance listens is its own. */
const settingsOf = (instance: DBInstance): DatabaseInstance['settings'] => ({
  instanceClass: instance.DBInstanceClass,
  storageType: instance.StorageType,
  allocatedStorage: instance.AllocatedStorage,
  maxAllocatedStorage: instance.MaxAllocatedStorage,
  iops: instance.Iops,
  storageThroughput: instance.StorageThroughput,
  encrypted: instance.StorageEncrypted,
  kmsKey: instance.KmsKeyId,
  multiAz: instance.MultiAZ,
  subnetGroup: instance.DBSubnetGroup?.DBSubnetGroupName,
  parameterGroup: instance.DBParameterGroups?.[0]?.DBParameterGroupName,
  optionGroup: instance.OptionGroupMemberships?.[0]?.OptionGroupName,
  securityGroupIds: (instance.VpcSecurityGroups ?? []).map((group) => group.VpcSecurityGroupId ?? ''),
  publiclyAccessible: instance.PubliclyAccessible,
  networkType: instance.NetworkType,
  certificateAuthority: instance.CACertificateIdentifier,
  iamAuthentication: instance.IAMDatabaseAuthenticationEnabled,
  deletionProtection: instance.DeletionProtection,
  backupRetentionDays: instance.BackupRetentionPeriod,
  backupWindow: instance.PreferredBackupWindow,
  maintenanceWindow: instance.PreferredMaintenanceWindow,
  copyTagsToSnapshot: instance.CopyTagsToSnapshot,
  autoMinorVersionUpgrade: instance.AutoMinorVersionUpgrade,
  monitoringInterval: instance.MonitoringInterval,
  monitoringRole: instance.MonitoringRoleArn,
  performanceInsights: instance.PerformanceInsightsEnabled,
  performanceInsightsKey: instance.PerformanceInsightsKMSKeyId,
  performanceInsightsDays: instance.PerformanceInsightsRetentionPeriod,
  logExports: instance.EnabledCloudwatchLogsExports ?? [],
  licenseModel: instance.LicenseModel,
  dedicatedLogVolume: instance.DedicatedLogVolume,
  engineLifecycleSupport: instance.EngineLifecycleSupport,
  databaseInsights: instance.DatabaseInsightsMode,
});
