/** Creating, describing and deleting instances; reboot, stop and start. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import { type AccessRules, requestTags } from './access.ts';
import {
  checkEngine,
  defaultGroupName,
  defaultParameterGroup,
  defaultSecurityGroup,
  defaultSettings,
  readIdentifier,
  readSettings,
} from './defaults.ts';
import { filter, paginate, showInstance } from './describe.ts';
import {
  instanceExists,
  invalidCombination,
  invalidState,
  invalidValue,
  missing,
  parameterGroupNotFound,
  subnetGroupNotFound,
} from './errors.ts';
import {
  findInstance,
  groupExists,
  instanceEvent,
  parametersOf,
  provision,
  replicasOf,
  requireStatus,
  restart,
  startDatabase,
} from './lifecycle.ts';
import { type Instance, type Region, resourceId, type Settings, type Tags, tagMap } from './state.ts';

/** RDS starts a stopped instance after seven days. */
const longestStopMs = 7 * 24 * 3600 * 1000;

/** Inputs that every creating call shares. */
export const settingMembers = [
  'DBInstanceClass',
  'AllocatedStorage',
  'StorageType',
  'Iops',
  'StorageThroughput',
  'MultiAZ',
  'AvailabilityZone',
  'PubliclyAccessible',
  'AutoMinorVersionUpgrade',
  'LicenseModel',
  'NetworkType',
  'Port',
  'CACertificateIdentifier',
  'CopyTagsToSnapshot',
  'DeletionProtection',
  'EnableIAMDatabaseAuthentication',
  'BackupRetentionPeriod',
  'PreferredBackupWindow',
  'VpcSecurityGroupIds',
  'DBSubnetGroupName',
  'DBParameterGroupName',
  'OptionGroupName',
  'EnableCloudwatchLogsExports',
  'Engine',
  'Tags',
] as const;

/** The parts of a creating call that are not settings. */
export interface Placement {
  readonly VpcSecurityGroupIds?: readonly string[] | undefined;
  readonly DBSubnetGroupName?: string | undefined;
  readonly DBParameterGroupName?: string | undefined;
  readonly EnableCloudwatchLogsExports?: readonly string[] | undefined;
}

/** Records a new instance as `creating`. Throws what a creating call throws before anything is made. */
export function register(
  region: Region,
  engineVersion: string,
  identifier: string,
  input: Placement,
  own: {
    readonly settings: Settings;
    readonly tags: Tags;
    readonly master: string;
    readonly databaseName: string | undefined;
  },
): Instance {
  if (region.instances.has(identifier)) throw instanceExists();
  const parameterGroup = input.DBParameterGroupName ?? defaultParameterGroup(engineVersion);
  if (!groupExists(region, parameterGroup, engineVersion)) throw parameterGroupNotFound(parameterGroup);
  const subnetGroup = input.DBSubnetGroupName ?? defaultGroupName;
  if (subnetGroup !== defaultGroupName && !region.subnetGroups.has(subnetGroup)) throw subnetGroupNotFound(subnetGroup);
  const instance: Instance = {
    identifier,
    resourceId: resourceId('db-'),
    createdAt: region.home.clock.now(),
    status: 'creating',
    pending: {},
    subnetGroup,
    securityGroups: readSecurityGroups(input.VpcSecurityGroupIds) ?? [defaultSecurityGroup(region)],
    parameterGroup,
    parameterStatus: 'in-sync',
    parameters: parametersOf(region, parameterGroup),
    logExports: new Set(readLogExports(input.EnableCloudwatchLogsExports)),
    ...own,
  };
  region.instances.set(identifier, instance);
  return instance;
}

export function readSecurityGroups(ids: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = ids?.find((id) => !/^sg-[0-9a-z]+$/.test(id));
  if (wrong !== undefined) throw invalidValue(`Invalid security group , groupId= ${wrong}, groupName=.`);
  return ids?.length ? ids : undefined;
}

/** RDS for PostgreSQL also knows `upgrade`, of which the embedded cloud has none. */
export function readLogExports(types: readonly string[] | undefined): readonly string[] {
  const wrong = types?.find((type) => type !== 'postgresql');
  if (wrong !== undefined)
    throw invalidCombination(`You cannot use the log types '${wrong}' with engine version postgres.`);
  return types ?? [];
}

export function instanceOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  const version = async () => (await region.engine).version;
  const show = async (instance: Instance) => ({ DBInstance: showInstance(region, instance, await version()) });
  const onInstance = (action: string) => (input: { DBInstanceIdentifier?: string | undefined }) =>
    rules.instance(action, input.DBInstanceIdentifier);

  return {
    CreateDBInstance: operation<sdk.CreateDBInstanceCommandInput, sdk.CreateDBInstanceCommandOutput>(
      [
        ...settingMembers,
        'MaxAllocatedStorage',
        'DBInstanceIdentifier',
        'DBName',
        'EngineVersion',
        'MasterUsername',
        'MasterUserPassword',
        'StorageEncrypted',
        'KmsKeyId',
        'MonitoringInterval',
        'MonitoringRoleArn',
        'PreferredMaintenanceWindow',
        'EnablePerformanceInsights',
        'PerformanceInsightsKMSKeyId',
        'PerformanceInsightsRetentionPeriod',
        'DatabaseInsightsMode',
      ],
      async (input) => {
        const tags = requestTags(input.Tags);
        const action = 'CreateDBInstance';
        return [
          rules.newInstance(action, input.DBInstanceIdentifier, readSettings(region, input), tags),
          ...(input.OptionGroupName ? [rules.optionGroup(action, input.OptionGroupName, tags)] : []),
          ...(input.DBParameterGroupName ? [rules.parameterGroup(action, input.DBParameterGroupName, tags)] : []),
          ...(input.DBSubnetGroupName ? [rules.subnetGroup(action, input.DBSubnetGroupName, tags)] : []),
          ...rules.addTags(region.arn('db', input.DBInstanceIdentifier?.toLowerCase() ?? '*'), input.Tags),
          ...rules.passRole(input.MonitoringRoleArn),
        ];
      },
      async (input) => {
        const engineVersion = await version();
        const identifier = readIdentifier('DBInstanceIdentifier', input.DBInstanceIdentifier);
        if (input.Engine === undefined) throw missing('Engine');
        if (input.DBInstanceClass === undefined) throw missing('DBInstanceClass');
        checkEngine(engineVersion, input);
        const master = readMaster(input);
        const settings = { ...defaultSettings(region), ...readSettings(region, input) };
        const databaseName = input.DBName;
        const tags = tagMap(input.Tags);
        const instance = register(region, engineVersion, identifier, input, {
          settings,
          tags,
          master: master.user,
          databaseName,
        });
        provision(
          region,
          instance,
          (engine, configuration) => engine.create(configuration, master, databaseName),
          () => instanceEvent(region, instance, 'RDS-EVENT-0005'),
          () => ({ status: 'failed', event: 'RDS-EVENT-0278' }),
        );
        return show(instance);
      },
    ),

    DescribeDBInstances: operation<sdk.DescribeDBInstancesCommandInput, sdk.DescribeDBInstancesCommandOutput>(
      ['DBInstanceIdentifier', 'Filters', 'MaxRecords', 'Marker'],
      onInstance('DescribeDBInstances'),
      async (input) => {
        const id = input.DBInstanceIdentifier;
        // RDS takes an identifier or an ARN, of which the identifier is the last part.
        const chosen = id === undefined ? sorted(region.instances) : [findInstance(region, id.split(':').at(-1))];
        const found = filter(chosen, input.Filters, {
          'db-instance-id': ({ identifier }) => [identifier, region.arn('db', identifier)],
          'dbi-resource-id': ({ resourceId: own }) => [own],
          'db-cluster-id': () => [],
          engine: () => ['postgres'],
          domain: () => [],
        });
        const { items, ...marker } = paginate(found, input);
        if (items.length === 0) return { DBInstances: [] };
        const engineVersion = await version();
        return { DBInstances: items.map((instance) => showInstance(region, instance, engineVersion)), ...marker };
      },
    ),

    RebootDBInstance: operation<sdk.RebootDBInstanceCommandInput, sdk.RebootDBInstanceCommandOutput>(
      ['DBInstanceIdentifier', 'ForceFailover'],
      onInstance('RebootDBInstance'),
      (input) => {
        const instance = findInstance(region, input.DBInstanceIdentifier);
        requireStatus(instance, 'available', 'incompatible-parameters');
        if (input.ForceFailover && !instance.settings.MultiAZ) {
          throw invalidCombination('Reboot with force failover is only applicable for Multi-AZ DB Instances.');
        }
        instance.status = 'rebooting';
        region.background(async () => {
          if (input.ForceFailover) instanceEvent(region, instance, 'RDS-EVENT-0013');
          await restart(region, instance);
          if (input.ForceFailover) instanceEvent(region, instance, 'RDS-EVENT-0049');
        });
        return show(instance);
      },
    ),

    StopDBInstance: operation<sdk.StopDBInstanceCommandInput, sdk.StopDBInstanceCommandOutput>(
      ['DBInstanceIdentifier'],
      onInstance('StopDBInstance'),
      (input) => {
        const instance = findInstance(region, input.DBInstanceIdentifier);
        requireStatus(instance, 'available');
        if (instance.following !== undefined || replicasOf(region, instance).length > 0)
          throw invalidState(`Instance ${instance.identifier} is a read replica or has one: it cannot be stopped.`);
        instance.status = 'stopping';
        region.background(() => stop(region, instance));
        return show(instance);
      },
    ),

    StartDBInstance: operation<sdk.StartDBInstanceCommandInput, sdk.StartDBInstanceCommandOutput>(
      ['DBInstanceIdentifier'],
      onInstance('StartDBInstance'),
      (input) => {
        const instance = findInstance(region, input.DBInstanceIdentifier);
        requireStatus(instance, 'stopped');
        region.background(start(region, instance));
        return show(instance);
      },
    ),
  };
}

function readMaster(input: sdk.CreateDBInstanceCommandInput): { user: string; password: string } {
  const { MasterUsername: user, MasterUserPassword: password } = input;
  if (user === undefined) throw missing('MasterUsername');
  if (!/^[a-z][a-z0-9_]{0,62}$/i.test(user) || /^(pg_|rds)/.test(user)) {
    throw invalidValue(`MasterUsername ${user} cannot be used as it is a reserved word used by the engine`);
  }
  return { user, password: readPassword(password) };
}

export function readPassword(password: string | undefined): string {
  if (password === undefined) throw missing('MasterUserPassword');
  if (password.length < 8 || password.length > 128) {
    throw invalidValue(
      'The parameter MasterUserPassword is not a valid password because it is not between 8 and 128 characters.',
    );
  }
  if (/[/@" ]|[^\x20-\x7e]/.test(password)) {
    throw invalidValue(
      `The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '"', ' ' may be used.`,
    );
  }
  return password;
}

async function stop(region: Region, instance: Instance): Promise<void> {
  await instance.database?.stop();
  instance.status = 'stopped';
  instanceEvent(region, instance, 'RDS-EVENT-0087');
  const { clock } = region.home;
  const until = clock.now() + clock.scale(longestStopMs);
  instance.automaticRestart = until;
  clock.sleep(longestStopMs, region.ended.signal).then(
    () => {
      if (instance.status === 'stopped' && instance.automaticRestart === until)
        region.background(start(region, instance));
    },
    () => {}, // the Region ended
  );
}

/** Takes the status at once; the work comes later. */
function start(region: Region, instance: Instance): () => Promise<void> {
  instance.status = 'starting';
  delete instance.automaticRestart;
  return async () => {
    if (!(await startDatabase(region, instance))) return;
    instance.status = 'available';
    instanceEvent(region, instance, 'RDS-EVENT-0088');
  };
}

function sorted(instances: ReadonlyMap<string, Instance>): readonly Instance[] {
  return [...instances.values()].sort((a, b) => (a.identifier < b.identifier ? -1 : 1));
}
