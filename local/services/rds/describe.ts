/** Paging, filters and the shapes that the API answers with. */
import type * as sdk from '@aws-sdk/client-rds';
import { validUntil } from '../../certificates.ts';
import { defaultGroupName, defaultOptionGroup } from './defaults.ts';
import { invalidValue } from './errors.ts';
import { replicasOf, replicationsOf } from './lifecycle.ts';
import {
  type AutomatedBackups,
  type Instance,
  type Region,
  type Snapshot,
  type SubnetGroup,
  tagList,
} from './state.ts';

/** One page; MaxRecords is 20 to 100 as for every RDS describe, Marker is opaque. */
export function paginate<T>(
  all: readonly T[],
  input: { MaxRecords?: number | undefined; Marker?: string | undefined },
) {
  const limit = input.MaxRecords ?? 100;
  if (limit < 20 || limit > 100) {
    throw invalidValue(`Invalid value ${limit} for MaxRecords. Must be between 20 and 100`);
  }
  const from = input.Marker === undefined ? 0 : Number(Buffer.from(input.Marker, 'base64url').toString());
  if (!Number.isInteger(from)) throw invalidValue('Invalid Marker');
  const to = from + limit;
  const marker = to < all.length ? { Marker: Buffer.from(String(to)).toString('base64url') } : {};
  return { items: all.slice(from, to), ...marker };
}

/** Keeps what every filter names; a filter that `values` does not know is refused. */
export function filter<T>(
  all: readonly T[],
  filters: readonly { Name: string | undefined; Values: readonly string[] | undefined }[] | undefined,
  values: Readonly<Record<string, (item: T) => readonly (string | undefined)[]>>,
): readonly T[] {
  return (filters ?? []).reduce<readonly T[]>((left, { Name, Values }) => {
    const read = values[Name ?? ''];
    if (read === undefined) throw invalidValue(`Unrecognized filter name: ${Name}`);
    return left.filter((item) => read(item).some((value) => value !== undefined && Values?.includes(value)));
  }, all);
}

/** Microseconds are cut off: the API's times carry milliseconds. */
export const toDate = (time: string): Date => new Date(time);

export function showInstance(region: Region, instance: Instance, engineVersion: string): sdk.DBInstance {
  const { settings, database, backups } = instance;
  const { DBInstanceIdentifier, MasterUserPassword, ...pending } = instance.pending;
  return {
    ...settings,
    DBInstanceIdentifier: instance.identifier,
    DBInstanceArn: region.arn('db', instance.identifier),
    DbiResourceId: instance.resourceId,
    DBInstanceStatus: instance.status,
    Engine: 'postgres',
    EngineVersion: engineVersion,
    MasterUsername: instance.master,
    InstanceCreateTime: new Date(instance.createdAt),
    ...(instance.databaseName !== undefined && { DBName: instance.databaseName }),
    ...(database && { Endpoint: { Address: '127.0.0.1', Port: database.port } }),
    ...(backups?.latest &&
      instance.settings.BackupRetentionPeriod > 0 && { LatestRestorableTime: toDate(backups.latest) }),
    ...(instance.automaticRestart && { AutomaticRestartTime: new Date(instance.automaticRestart) }),
    PendingModifiedValues: {
      ...pending,
      ...(DBInstanceIdentifier && { DBInstanceIdentifier }),
      ...(MasterUserPassword && { MasterUserPassword: '****' }),
    } as sdk.PendingModifiedValues,
    DBSecurityGroups: [],
    VpcSecurityGroups: instance.securityGroups.map((VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: 'active' })),
    DBParameterGroups: [
      { DBParameterGroupName: instance.parameterGroup, ParameterApplyStatus: instance.parameterStatus },
    ],
    OptionGroupMemberships: [{ OptionGroupName: defaultOptionGroup(engineVersion), Status: 'in-sync' }],
    DBSubnetGroup: showSubnetGroup(region, region.subnetGroups.get(instance.subnetGroup)),
    ...showReplication(region, instance),
    EnabledCloudwatchLogsExports: [...instance.logExports],
    AssociatedRoles: [],
    DomainMemberships: [],
    BackupTarget: 'region',
    CustomerOwnedIpEnabled: false,
    TagList: tagList(instance.tags),
    CertificateDetails: { CAIdentifier: settings.CACertificateIdentifier, ValidTill: validUntil },
  };
}

/** Names within the Region, ARNs across Regions. */
function showReplication(region: Region, instance: Instance): Partial<sdk.DBInstance> {
  const { following } = instance;
  const nameOf = (there: Region, { identifier }: Instance) =>
    there === region ? identifier : there.arn('db', identifier);
  const copies = replicationsOf(region, instance);
  return {
    ReadReplicaDBInstanceIdentifiers: replicasOf(region, instance).map((replica) =>
      nameOf(replica.region, replica.instance),
    ),
    ...(following && {
      ReadReplicaSourceDBInstanceIdentifier: nameOf(following.region, following.source),
      StatusInfos: [
        { StatusType: 'read replication', Normal: following.status === 'replicating', Status: following.status },
      ],
    }),
    ...(copies.length > 0 && { DBInstanceAutomatedBackupsReplications: copies.map(showCopy(instance)) }),
  };
}

const showCopy = (instance: Instance) => (there: Region) => ({
  DBInstanceAutomatedBackupsArn: backupsArn(there, { instance }),
});

export function showSnapshot(region: Region, snapshot: Snapshot, engineVersion: string): sdk.DBSnapshot {
  const { source, settings } = snapshot;
  const created = snapshot.createdAt === undefined ? undefined : new Date(snapshot.createdAt);
  const original = snapshot.copyOf ? new Date(snapshot.copyOf.originalCreatedAt ?? 0) : created;
  return {
    DBSnapshotIdentifier: snapshot.identifier,
    DBSnapshotArn: region.arn('snapshot', snapshot.identifier),
    DBInstanceIdentifier: snapshot.instanceIdentifier,
    DbiResourceId: source.resourceId,
    SnapshotType: snapshot.type,
    Status: snapshot.status,
    PercentProgress: snapshot.status === 'available' ? 100 : 0,
    ...(created && { SnapshotCreateTime: created }),
    // These two do not change when a snapshot is copied. [RDS service model]
    ...(original && { OriginalSnapshotCreateTime: original, SnapshotDatabaseTime: original }),
    ...(snapshot.copyOf && {
      SourceDBSnapshotIdentifier: snapshot.copyOf.arn,
      ...(snapshot.copyOf.region !== region.home.region && { SourceRegion: snapshot.copyOf.region }),
    }),
    Engine: 'postgres',
    EngineVersion: engineVersion,
    AllocatedStorage: settings.AllocatedStorage,
    StorageType: settings.StorageType,
    Iops: settings.Iops,
    StorageThroughput: settings.StorageThroughput,
    Port: settings.DbInstancePort,
    AvailabilityZone: settings.AvailabilityZone,
    InstanceCreateTime: new Date(source.createdAt),
    MasterUsername: source.master,
    LicenseModel: settings.LicenseModel,
    OptionGroupName: defaultOptionGroup(engineVersion),
    Encrypted: settings.StorageEncrypted,
    KmsKeyId: settings.KmsKeyId,
    IAMDatabaseAuthenticationEnabled: settings.IAMDatabaseAuthenticationEnabled,
    SnapshotTarget: 'region',
    TagList: tagList(snapshot.tags),
    FullSnapshotSizeInBytes: snapshot.backup?.bytes,
  };
}

export function showAutomatedBackup(
  region: Region,
  backups: AutomatedBackups,
  engineVersion: string,
): sdk.DBInstanceAutomatedBackup {
  const { instance, latest, replication } = backups;
  const home = replication?.from ?? region;
  const earliest = backups.backups[0]?.from;
  return {
    DBInstanceIdentifier: instance.identifier,
    DBInstanceArn: home.arn('db', instance.identifier),
    DbiResourceId: instance.resourceId,
    DBInstanceAutomatedBackupsArn: backupsArn(region, backups),
    DBInstanceAutomatedBackupsReplications: replicationsOf(region, instance).map(showCopy(instance)),
    Region: home.home.region,
    Status: backups.status,
    RestoreWindow: {
      ...(earliest !== undefined && { EarliestTime: new Date(earliest) }),
      ...(latest !== undefined && { LatestTime: toDate(latest) }),
    },
    Engine: 'postgres',
    EngineVersion: engineVersion,
    MasterUsername: instance.master,
    InstanceCreateTime: new Date(instance.createdAt),
    AllocatedStorage: instance.settings.AllocatedStorage,
    StorageType: instance.settings.StorageType,
    Port: instance.settings.DbInstancePort,
    AvailabilityZone: instance.settings.AvailabilityZone,
    LicenseModel: instance.settings.LicenseModel,
    Encrypted: instance.settings.StorageEncrypted,
    KmsKeyId: replication?.kmsKeyId ?? instance.settings.KmsKeyId,
    IAMDatabaseAuthenticationEnabled: instance.settings.IAMDatabaseAuthenticationEnabled,
    BackupRetentionPeriod: replication?.retentionDays ?? instance.settings.BackupRetentionPeriod,
    PreferredBackupWindow: instance.settings.PreferredBackupWindow,
    OptionGroupName: defaultOptionGroup(engineVersion),
    BackupTarget: 'region',
    TagList: tagList(instance.tags),
  };
}

/** The last part stands for the backups as the resource id stands for the instance. */
export function backupsArn(region: Region, { instance }: Pick<AutomatedBackups, 'instance'>): string {
  return region.arn('auto-backup', instance.resourceId.toLowerCase().replace('db-', 'ab-'));
}

export function showSubnetGroup(region: Region, group: SubnetGroup | undefined): sdk.DBSubnetGroup {
  const name = group?.name ?? defaultGroupName;
  const zones = ['a', 'b', 'c'];
  return {
    DBSubnetGroupName: name,
    DBSubnetGroupDescription: group?.description ?? 'default',
    DBSubnetGroupArn: region.arn('subgrp', name),
    SubnetGroupStatus: 'Complete',
    SupportedNetworkTypes: ['IPV4'],
    Subnets: (group?.subnetIds ?? []).map((SubnetIdentifier, at) => ({
      SubnetIdentifier,
      SubnetAvailabilityZone: { Name: `${region.home.region}${zones[at % zones.length]}` },
      SubnetStatus: 'Active',
    })),
  };
}
