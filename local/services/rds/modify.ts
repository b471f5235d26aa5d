/** ModifyDBInstance: what applies at once, what waits for the maintenance window (PendingModifiedValues), what renames. */
import type * as sdk from '@aws-sdk/client-rds';
import type { Operation } from '../../kernel.ts';
import { operation } from '../declare.ts';
import type { AccessRules } from './access.ts';
import { checkEngine, defaultGroupName, readIdentifier, readSettings } from './defaults.ts';
import { showInstance } from './describe.ts';
import { instanceExists, invalidCombination, parameterGroupNotFound, subnetGroupNotFound } from './errors.ts';
import { readLogExports, readPassword, readSecurityGroups } from './instances.ts';
import {
  endBackups,
  findInstance,
  groupExists,
  instanceEvent,
  requireStatus,
  restart,
  startBackups,
} from './lifecycle.ts';
import type { Instance, Pending, Region, Settings } from './state.ts';

/** After a change of storage: "typically … a few hours" (re:Post, "rds-stuck-in-storage-optimization"). */
const optimizationMs = 3 * 3600 * 1000;
const storage = ['AllocatedStorage', 'StorageType', 'Iops', 'StorageThroughput'] as const;

/** Settings that wait for the maintenance window unless ApplyImmediately. */
const deferrable: readonly (keyof Settings)[] = [
  'DBInstanceClass',
  'AllocatedStorage',
  'StorageType',
  'Iops',
  'StorageThroughput',
  'MultiAZ',
  'LicenseModel',
  'CACertificateIdentifier',
];

export function modifyOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  return {
    ModifyDBInstance: operation<sdk.ModifyDBInstanceCommandInput, sdk.ModifyDBInstanceCommandOutput>(
      [
        'DBInstanceIdentifier',
        'ApplyImmediately',
        'NewDBInstanceIdentifier',
        'MasterUserPassword',
        'DBInstanceClass',
        'AllocatedStorage',
        'StorageType',
        'Iops',
        'StorageThroughput',
        'MaxAllocatedStorage',
        'MultiAZ',
        'LicenseModel',
        'PubliclyAccessible',
        'AutoMinorVersionUpgrade',
        'NetworkType',
        'CACertificateIdentifier',
        'CopyTagsToSnapshot',
        'DeletionProtection',
        'MonitoringInterval',
        'MonitoringRoleArn',
        'EnableIAMDatabaseAuthentication',
        'EnablePerformanceInsights',
        'PerformanceInsightsKMSKeyId',
        'PerformanceInsightsRetentionPeriod',
        'DatabaseInsightsMode',
        'BackupRetentionPeriod',
        'PreferredBackupWindow',
        'PreferredMaintenanceWindow',
        'VpcSecurityGroupIds',
        'DBParameterGroupName',
        'DBSubnetGroupName',
        'OptionGroupName',
        'EngineVersion',
        'Engine',
        'CloudwatchLogsExportConfiguration',
      ],
      (input) => {
        const action = 'ModifyDBInstance';
        return [
          rules.instance(action, input.DBInstanceIdentifier),
          ...(input.DBParameterGroupName ? [rules.parameterGroup(action, input.DBParameterGroupName)] : []),
          ...(input.DBSubnetGroupName ? [rules.subnetGroup(action, input.DBSubnetGroupName)] : []),
          ...(input.OptionGroupName ? [rules.optionGroup(action, input.OptionGroupName)] : []),
          ...rules.passRole(input.MonitoringRoleArn),
        ];
      },
      async (input) => {
        const { version } = await region.engine;
        checkEngine(version, input);
        const instance = findInstance(region, input.DBInstanceIdentifier);
        requireStatus(instance, 'available');
        const change = readChange(region, instance, input, version);
        record(instance, input, change, input.ApplyImmediately ?? false);
        carryOut(region, instance, input.ApplyImmediately ?? false);
        if (Object.keys(instance.pending).length > 0) waitForWindow(region, instance);
        return { DBInstance: showInstance(region, instance, version) };
      },
    ),
  };
}

function carryOut(region: Region, instance: Instance, immediately: boolean): void {
  const now = takeApplicable(instance, immediately);
  if (needsWork(instance, now)) {
    instance.status = 'modifying';
    region.background(() => apply(region, instance, now));
  } else {
    Object.assign(instance.settings, now);
  }
}

/** What is still pending when the next maintenance window opens is applied then. */
function waitForWindow(region: Region, instance: Instance): void {
  const { clock } = region.home;
  clock.sleep(untilWindow(instance.settings.PreferredMaintenanceWindow, clock.now()), region.ended.signal).then(
    () => ['available', 'storage-optimization'].includes(instance.status) && carryOut(region, instance, true),
    () => {}, // the Region ended
  );
}

/** Milliseconds from `now` to the next opening of a window such as `sun:12:00-sun:12:30`, UTC. */
export function untilWindow(window: string, now: number): number {
  const [day = '', hour, minute] = window.split('-')[0]?.toLowerCase().split(':') ?? [];
  const date = new Date(now);
  const opens = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), Number(hour), Number(minute));
  const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].indexOf(day) - date.getUTCDay();
  const dayMs = 24 * 3600 * 1000;
  const wait = opens + days * dayMs - now;
  return wait > 0 ? wait : wait + 7 * dayMs;
}

/** Checks everything before anything changes. */
function readChange(
  region: Region,
  instance: Instance,
  input: sdk.ModifyDBInstanceCommandInput,
  version: string,
): Pending {
  const settings = readSettings(region, { MonitoringRoleArn: instance.settings.MonitoringRoleArn, ...input });
  const group = input.DBParameterGroupName;
  if (group !== undefined && !groupExists(region, group, version)) throw parameterGroupNotFound(group);
  const subnets = input.DBSubnetGroupName;
  if (subnets !== undefined && subnets !== defaultGroupName && !region.subnetGroups.has(subnets)) {
    throw subnetGroupNotFound(subnets);
  }
  if (subnets !== undefined && subnets !== instance.subnetGroup) {
    throw invalidCombination(
      'The specified DB instance is already in the target VPC: the subnet group cannot be changed.',
    );
  }
  const changed = storage.find((name) => settings[name] !== undefined && settings[name] !== instance.settings[name]);
  if (instance.status === 'storage-optimization' && changed !== undefined)
    throw invalidCombination(
      "You can't currently modify the storage of this DB instance because the previous storage change is being optimized.",
    );
  if (settings.AllocatedStorage !== undefined && settings.AllocatedStorage < instance.settings.AllocatedStorage) {
    throw invalidCombination(
      `Invalid storage size: storage cannot shrink below ${instance.settings.AllocatedStorage}.`,
    );
  }
  if (input.MasterUserPassword !== undefined && instance.following !== undefined)
    throw invalidCombination(`${instance.identifier} is a read replica: its master password is its source's.`);
  readSecurityGroups(input.VpcSecurityGroupIds);
  readLogExports(input.CloudwatchLogsExportConfiguration?.EnableLogTypes);
  const name = input.NewDBInstanceIdentifier;
  const identifier = name === undefined ? undefined : readIdentifier('NewDBInstanceIdentifier', name);
  if (identifier !== undefined && region.instances.has(identifier)) throw instanceExists();
  return {
    ...settings,
    ...(input.MasterUserPassword !== undefined && { MasterUserPassword: readPassword(input.MasterUserPassword) }),
    ...(identifier !== undefined && { DBInstanceIdentifier: identifier }),
  };
}

/** What is no setting applies at once; the rest becomes pending. */
function record(
  instance: Instance,
  input: sdk.ModifyDBInstanceCommandInput,
  change: Pending,
  immediately: boolean,
): void {
  instance.securityGroups = readSecurityGroups(input.VpcSecurityGroupIds) ?? instance.securityGroups;
  const exports = input.CloudwatchLogsExportConfiguration;
  if (exports !== undefined) {
    const left = [...instance.logExports].filter((type) => !exports.DisableLogTypes?.includes(type));
    instance.logExports = new Set([...left, ...(exports.EnableLogTypes ?? [])]);
  }
  if (input.DBParameterGroupName !== undefined && input.DBParameterGroupName !== instance.parameterGroup) {
    // Even dynamic parameters of a newly associated group wait for a reboot.
    instance.parameterGroup = input.DBParameterGroupName;
    instance.parameterStatus = 'pending-reboot';
  }
  const changed = Object.entries(change).filter(
    ([name, value]) => immediately || instance.settings[name as keyof Settings] !== value,
  );
  instance.pending = { ...instance.pending, ...Object.fromEntries(changed) };
}

/** Splits off what may be applied now. */
function takeApplicable(instance: Instance, immediately: boolean): Pending {
  const { settings, pending } = instance;
  const waits = (name: string) => {
    if (immediately) return false;
    if (name === 'BackupRetentionPeriod') {
      // Between zero and more is an outage; other changes are applied as soon as possible.
      return (settings.BackupRetentionPeriod === 0) !== (pending.BackupRetentionPeriod === 0);
    }
    return name === 'DBInstanceIdentifier' || deferrable.includes(name as keyof Settings);
  };
  const entries = Object.entries(pending);
  const now = Object.fromEntries(entries.filter(([name]) => !waits(name))) as Pending;
  const working = Object.keys(now).filter((name) => needsWork(instance, { [name]: now[name as keyof Pending] }));
  // What is being worked on stays visible until it is done.
  instance.pending = Object.fromEntries(entries.filter(([name]) => waits(name) || working.includes(name)));
  return now;
}

function needsWork({ settings }: Instance, now: Pending): boolean {
  const retention = now.BackupRetentionPeriod;
  return (
    now.MasterUserPassword !== undefined ||
    now.DBInstanceIdentifier !== undefined ||
    (now.DBInstanceClass !== undefined && now.DBInstanceClass !== settings.DBInstanceClass) ||
    (retention !== undefined && (retention === 0) !== (settings.BackupRetentionPeriod === 0)) ||
    ([...storage, 'MultiAZ'] as const).some((name) => now[name] !== undefined && now[name] !== settings[name])
  );
}

async function apply(region: Region, instance: Instance, now: Pending): Promise<void> {
  const { MasterUserPassword: password, DBInstanceIdentifier: identifier, ...settings } = now;
  const before = { ...instance.settings };
  if (password !== undefined) {
    await instance.database?.setPassword({ user: instance.master, password });
    instanceEvent(region, instance, 'RDS-EVENT-0016');
  }
  Object.assign(instance.settings, settings);
  const rescaled = instance.settings.DBInstanceClass !== before.DBInstanceClass;
  if (rescaled) instanceEvent(region, instance, 'RDS-EVENT-0012');
  if (identifier !== undefined) rename(region, instance, identifier);
  // Both are outages: a new class is a new host, a rename reboots.
  if (rescaled || identifier !== undefined) await restart(region, instance);
  if (rescaled) instanceEvent(region, instance, 'RDS-EVENT-0014');
  if (instance.settings.AllocatedStorage !== before.AllocatedStorage) instanceEvent(region, instance, 'RDS-EVENT-0017');
  if (instance.settings.MultiAZ !== before.MultiAZ) {
    instanceEvent(region, instance, instance.settings.MultiAZ ? 'RDS-EVENT-0025' : 'RDS-EVENT-0029');
  }
  await changeBackups(region, instance, before.BackupRetentionPeriod);
  const done = Object.keys(now);
  instance.pending = Object.fromEntries(Object.entries(instance.pending).filter(([name]) => !done.includes(name)));
  if (instance.status === 'modifying' || instance.status === 'backing-up') instance.status = 'available';
  if (instance.status === 'available' && storage.some((name) => instance.settings[name] !== before[name]))
    optimizeStorage(region, instance);
}

/** The instance is operational meanwhile. */
function optimizeStorage(region: Region, instance: Instance): void {
  instance.status = 'storage-optimization';
  region.home.clock.sleep(optimizationMs, region.ended.signal).then(
    () => {
      if (instance.status === 'storage-optimization') instance.status = 'available';
    },
    () => {}, // the Region ended
  );
}

async function changeBackups(region: Region, instance: Instance, before: number): Promise<void> {
  const after = instance.settings.BackupRetentionPeriod;
  if (before === 0 && after > 0) {
    instanceEvent(region, instance, 'RDS-EVENT-0032');
    await startBackups(region, instance);
  }
  if (before > 0 && after === 0) {
    await endBackups(region, instance);
    instanceEvent(region, instance, 'RDS-EVENT-0028');
  }
}

/** The old name is gone at once, with its DNS name; the resource id stays, and with it automated backups. */
function rename(region: Region, instance: Instance, identifier: string): void {
  region.instances.delete(instance.identifier);
  instance.identifier = identifier;
  region.instances.set(identifier, instance);
}
