/** Read replicas: real streaming replication within a Region and across, cascades, promotion. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { notImplemented, operation } from '../declare.ts';
import { AccessRules, requestTags, viaRds } from './access.ts';
import {
  checkEngine,
  defaultGroupName,
  defaultOptionGroup,
  defaultParameterGroup,
  defaultSettings,
  readIdentifier,
  readSettings,
} from './defaults.ts';
import { showInstance } from './describe.ts';
import { invalidCombination, invalidState, subnetGroupNotAllowed } from './errors.ts';
import { register } from './instances.ts';
import { encryptionOfCopy, keyUse } from './keys.ts';
import {
  endBackups,
  fail,
  findInstance,
  instanceEvent,
  provision,
  requireStatus,
  restart,
  startBackups,
} from './lifecycle.ts';
import { type Instance, type Region, type Settings, tagMap } from './state.ts';

/** Replicas in a chain, one behind the other (User Guide, "Using cascading read replicas with RDS for PostgreSQL"). */
const longestChain = 3;
/** For so long a promotion is not seen in the status. RDS says no number; that it happens is seen in the field. */
const statusLagMs = 15_000;
const promotedRetentionDays = 1;

export function replicaOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const show = async (instance: Instance) => ({
    DBInstance: showInstance(region, instance, (await region.engine).version),
  });
  return {
    CreateDBInstanceReadReplica: operation<
      sdk.CreateDBInstanceReadReplicaCommandInput,
      sdk.CreateDBInstanceReadReplicaCommandOutput
    >(
      [
        'DBInstanceIdentifier',
        'SourceDBInstanceIdentifier',
        'DBInstanceClass',
        'AllocatedStorage',
        'MaxAllocatedStorage',
        'StorageType',
        'Iops',
        'StorageThroughput',
        'MultiAZ',
        'AvailabilityZone',
        'PubliclyAccessible',
        'AutoMinorVersionUpgrade',
        'NetworkType',
        'Port',
        'CACertificateIdentifier',
        'CopyTagsToSnapshot',
        'DeletionProtection',
        'EnableIAMDatabaseAuthentication',
        'EnablePerformanceInsights',
        'PerformanceInsightsKMSKeyId',
        'PerformanceInsightsRetentionPeriod',
        'DatabaseInsightsMode',
        'MonitoringInterval',
        'MonitoringRoleArn',
        'KmsKeyId',
        'VpcSecurityGroupIds',
        'DBSubnetGroupName',
        'DBParameterGroupName',
        'OptionGroupName',
        'EnableCloudwatchLogsExports',
        'Tags',
        // Ignored but in GovCloud and China; the clients make it nevertheless. [RDS service model]
        'PreSignedUrl',
      ],
      async (input) => {
        const action = 'CreateDBInstanceReadReplica';
        const { region: from, identifier } = region.locate('db', input.SourceDBInstanceIdentifier);
        const tags = requestTags(input.Tags);
        const { version } = await region.engine;
        return [
          rules.newInstance(action, input.DBInstanceIdentifier, readSettings(region, input), tags),
          new AccessRules(from).instance(action, identifier, viaRds(region, from)),
          rules.optionGroup(action, input.OptionGroupName ?? defaultOptionGroup(version), tags),
          rules.subnetGroup(action, input.DBSubnetGroupName ?? defaultGroupName, tags),
          // The reference marks `pg` as required: it is the one that the replica comes with.
          rules.parameterGroup(action, input.DBParameterGroupName ?? groupOf(region, from, identifier, version), tags),
          ...rules.addTags(region.arn('db', input.DBInstanceIdentifier?.toLowerCase() ?? '*'), input.Tags),
          ...rules.passRole(input.MonitoringRoleArn),
          ...keyUse(region, input.KmsKeyId),
        ];
      },
      async (input) => {
        const identifier = readIdentifier('DBInstanceIdentifier', input.DBInstanceIdentifier);
        const from = region.locate('db', input.SourceDBInstanceIdentifier);
        const { version } = await region.engine;
        checkEngine(version, { OptionGroupName: input.OptionGroupName });
        checkGroups(region, from.region, input);
        await region.reach(from.region, 'CreateDBInstanceReadReplica', input);
        const source = findInstance(from.region, from.identifier);
        requireSource(source);
        const instance = register(region, version, identifier, placementOf(region, from.region, source, input), {
          settings: replicaSettings(region, from.region, source, input),
          tags: tagMap(input.Tags),
          master: source.master,
          databaseName: source.databaseName,
        });
        instance.following = { region: from.region, source, status: 'replicating', isPromoted: false };
        fill(region, instance, source);
        return show(instance);
      },
    ),

    PromoteReadReplica: operation<sdk.PromoteReadReplicaCommandInput, sdk.PromoteReadReplicaCommandOutput>(
      ['DBInstanceIdentifier', 'BackupRetentionPeriod', 'PreferredBackupWindow'],
      (input) => rules.instance('PromoteReadReplica', input.DBInstanceIdentifier),
      (input) => {
        const instance = findInstance(region, input.DBInstanceIdentifier);
        const settings = readSettings(region, input);
        if (instance.following === undefined || instance.following.isPromoted)
          throw invalidState(`DB Instance ${instance.identifier} is not a read replica.`);
        requireStatus(instance, 'available'); // never while backing-up
        promote(region, instance, settings);
        return show(instance);
      },
    ),
  };
}

function requireSource(source: Instance): void {
  requireStatus(source, 'available');
  if (source.backups === undefined) {
    throw invalidState(
      `Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value: ${source.identifier}`,
    );
  }
  const chain = (of: Instance): number => (of.following === undefined ? 0 : 1 + chain(of.following.source));
  if (chain(source) >= longestChain)
    throw invalidState(`${source.identifier} is the last of a chain of ${longestChain} read replicas.`);
}

/**
 * RDS for PostgreSQL takes no parameter group for a replica, in whatever Region (RDS service model; in the field:
 * hashicorp/terraform-provider-aws#38056), and a subnet group beside the source only where that is given as an ARN
 * (aws/aws-cdk#5530, hashicorp/terraform-provider-aws#40426).
 */
function checkGroups(region: Region, from: Region, input: sdk.CreateDBInstanceReadReplicaCommandInput): void {
  if (input.DBParameterGroupName !== undefined)
    throw invalidCombination(
      "A parameter group can't be specified during Read Replica creation for the following DB engine: postgres",
    );
  const isArn = input.SourceDBInstanceIdentifier?.startsWith('arn:');
  if (from === region && !isArn && input.DBSubnetGroupName !== undefined) throw subnetGroupNotAllowed();
}

/** The parameter group that a replica comes with: its source's within a Region, the engine's default in another. [RDS service model] */
function groupOf(region: Region, from: Region, source: string, version: string): string {
  const own = from === region ? region.instances.get(source)?.parameterGroup : undefined;
  return own ?? defaultParameterGroup(version);
}

/** Groups are the source's within a Region, the defaults in another (User Guide, "Cross-Region replication considerations"). */
function placementOf(
  region: Region,
  from: Region,
  source: Instance,
  input: sdk.CreateDBInstanceReadReplicaCommandInput,
): sdk.CreateDBInstanceReadReplicaCommandInput {
  if (from !== region) return input;
  return {
    ...input,
    VpcSecurityGroupIds: input.VpcSecurityGroupIds ?? [...source.securityGroups],
    DBSubnetGroupName: input.DBSubnetGroupName ?? source.subnetGroup,
    DBParameterGroupName: source.parameterGroup,
  };
}

/** Replicas are made without automated backups; size comes from the source, the rest is asked for or RDS's default. [RDS service model] */
function replicaSettings(
  region: Region,
  from: Region,
  source: Instance,
  input: sdk.CreateDBInstanceReadReplicaCommandInput,
): Settings {
  const { Iops, StorageThroughput, MaxAllocatedStorage, ...inherited } = source.settings;
  return {
    ...defaultSettings(region),
    DBInstanceClass: inherited.DBInstanceClass,
    AllocatedStorage: inherited.AllocatedStorage,
    StorageType: inherited.StorageType,
    ...(Iops !== undefined && { Iops }),
    ...(StorageThroughput !== undefined && { StorageThroughput }),
    ...(MaxAllocatedStorage !== undefined && { MaxAllocatedStorage }),
    DbInstancePort: inherited.DbInstancePort,
    AutoMinorVersionUpgrade: inherited.AutoMinorVersionUpgrade,
    BackupRetentionPeriod: 0,
    ...readSettings(region, input),
    ...encryptionOfCopy(region, { region: from, settings: source.settings }, input.KmsKeyId),
  };
}

/** The source shows `modifying` while it becomes a source. */
function fill(region: Region, instance: Instance, source: Instance): void {
  source.status = 'modifying';
  provision(
    region,
    instance,
    async (engine, configuration) => {
      if (engine.replicate === undefined) throw notImplemented('read replicas on this engine');
      if (source.database === undefined) throw new Error(`${source.identifier} has no database.`);
      try {
        return await engine.replicate(configuration, source.database);
      } finally {
        if (source.status === 'modifying') source.status = 'available';
      }
    },
    () => instanceEvent(region, instance, 'RDS-EVENT-0046'),
    // A replica whose limits (max_connections, …) are below its source's cannot replay.
    (error) =>
      /insufficient parameter settings/.test(error.message)
        ? { status: 'incompatible-parameters', event: 'RDS-EVENT-0035' }
        : { status: 'failed', event: 'RDS-EVENT-0202' },
  );
}

/** Makes a replica an instance of its own. Its status says nothing of it for a while. */
export function promote(region: Region, instance: Instance, asked: Partial<Settings> = {}): void {
  const { following } = instance;
  if (following === undefined) return;
  following.isPromoted = true;
  region.background(async () => {
    await region.home.clock.sleep(statusLagMs, region.ended.signal);
    if (instance.status === 'deleting' || instance.status === 'failed') return;
    instance.status = 'modifying';
    Object.assign(instance.settings, { BackupRetentionPeriod: promotedRetentionDays, ...asked });
    try {
      // What it archived as a replica ends with its time line.
      await endBackups(region, instance);
      await instance.database?.promote?.();
    } catch (error) {
      fail(region, instance, 'failed', 'RDS-EVENT-0031', ` ${(error as Error).message}`);
      return;
    }
    delete instance.following;
    instance.status = 'rebooting';
    await restart(region, instance);
    if (instance.settings.BackupRetentionPeriod > 0) await startBackups(region, instance);
    if (instance.status === 'backing-up') instance.status = 'available';
  });
}

/** Its source was deleted: it goes on answering reads of what it has, and can be promoted. */
export function terminateReplication(region: Region, instance: Instance): void {
  if (instance.following !== undefined) instance.following.status = 'terminated';
  instanceEvent(region, instance, 'RDS-EVENT-0057');
}
