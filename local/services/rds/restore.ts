/** Restores: to a time from automated backups, or from a snapshot; always to a new instance. */
import type * as sdk from '@aws-sdk/client-rds';
import { type Access, AwsError, type Operation } from '../../kernel.ts';
import { notImplemented, operation } from '../declare.ts';
import { type AccessRules, requestTags } from './access.ts';
import {
  checkEngine,
  defaultGroupName,
  defaultOptionGroup,
  defaultParameterGroup,
  defaultSettings,
  readIdentifier,
  readSettings,
} from './defaults.ts';
import { backupsArn, showInstance, toDate } from './describe.ts';
import {
  automatedBackupNotFound,
  instanceExists,
  instanceNotFound,
  invalidCombination,
  invalidRestore,
  invalidSnapshotState,
  invalidValue,
  keyNotAccessible,
} from './errors.ts';
import { register, settingMembers } from './instances.ts';
import { isUsable } from './keys.ts';
import { instanceEvent, provision, snapshotEvent } from './lifecycle.ts';
import { findSnapshot } from './snapshots.ts';
import { type AutomatedBackups, type Region, type Replication, type Settings, type Tags, tagMap } from './state.ts';

type RestoreInput = Omit<sdk.RestoreDBInstanceToPointInTimeCommandInput, 'TargetDBInstanceIdentifier'>;

export function restoreOperations(region: Region, rules: AccessRules): Record<string, Operation> {
  /** Restores present og, pg and subgrp beside db: a grant of db alone is denied. */
  const groups = async (
    action: string,
    input: RestoreInput,
    tags: ReturnType<typeof requestTags>,
  ): Promise<Access[]> => {
    const { version } = await region.engine;
    return [
      rules.optionGroup(action, input.OptionGroupName ?? defaultOptionGroup(version), tags),
      rules.parameterGroup(action, input.DBParameterGroupName ?? defaultParameterGroup(version), tags),
      rules.subnetGroup(action, input.DBSubnetGroupName ?? defaultGroupName, tags),
    ];
  };

  return {
    RestoreDBInstanceToPointInTime: operation<
      sdk.RestoreDBInstanceToPointInTimeCommandInput,
      sdk.RestoreDBInstanceToPointInTimeCommandOutput
    >(
      [
        ...settingMembers,
        'MaxAllocatedStorage',
        'SourceDBInstanceIdentifier',
        'SourceDbiResourceId',
        'SourceDBInstanceAutomatedBackupsArn',
        'TargetDBInstanceIdentifier',
        'RestoreTime',
        'UseLatestRestorableTime',
      ],
      async (input) => {
        const action = 'RestoreDBInstanceToPointInTime';
        const tags = requestTags(input.Tags);
        const source = input.SourceDBInstanceIdentifier;
        const backups = source === undefined ? findBackups(region, input) : undefined;
        return [
          rules.newInstance(action, input.TargetDBInstanceIdentifier, readSettings(region, input), tags),
          ...(source === undefined ? [] : [rules.instance(action, source, tags)]),
          ...(backups === undefined ? [] : [rules.automatedBackup(action, backupsArn(region, backups))]),
          ...(await groups(action, input, tags)),
          ...rules.addTags(region.arn('db', input.TargetDBInstanceIdentifier?.toLowerCase() ?? '*'), input.Tags),
        ];
      },
      async (input) => {
        const identifier = readIdentifier('TargetDBInstanceIdentifier', input.TargetDBInstanceIdentifier);
        const { version } = await region.engine;
        checkEngine(version, input);
        if (region.instances.has(identifier)) throw instanceExists();
        const backups = findBackups(region, input);
        const time = readTime(backups, input);
        const backup = backups.backups.findLast(({ from }) => from <= toDate(time).getTime())?.backup;
        if (backup === undefined) throw outsideWindow(backups, time);
        const { instance: source, archive, replication } = backups;
        const settings = { ...source.settings, ...(replication && encryptionIn(replication)) };
        // The source's latest tags come along; those of the call win.
        const tags = new Map([...source.tags, ...tagMap(input.Tags)]);
        const instance = register(region, version, identifier, input, {
          settings: restoredSettings(region, settings, input),
          tags,
          master: source.master,
          databaseName: source.databaseName,
        });
        provision(
          region,
          instance,
          (engine, configuration) => {
            meetFault(region);
            return engine.restore(configuration, { backup, archive, time });
          },
          () => instanceEvent(region, instance, 'RDS-EVENT-0019', ` ${source.identifier} to ${identifier}`),
          failureOf,
        );
        return { DBInstance: showInstance(region, instance, version) };
      },
    ),

    RestoreDBInstanceFromDBSnapshot: operation<
      sdk.RestoreDBInstanceFromDBSnapshotCommandInput,
      sdk.RestoreDBInstanceFromDBSnapshotCommandOutput
    >(
      [...settingMembers, 'DBInstanceIdentifier', 'DBSnapshotIdentifier'],
      async (input) => {
        const action = 'RestoreDBInstanceFromDBSnapshot';
        const tags = requestTags(input.Tags);
        return [
          rules.newInstance(action, input.DBInstanceIdentifier, readSettings(region, input), tags),
          rules.snapshot(action, input.DBSnapshotIdentifier, tags),
          ...(await groups(action, input, tags)),
          ...rules.addTags(region.arn('db', input.DBInstanceIdentifier?.toLowerCase() ?? '*'), input.Tags),
        ];
      },
      async (input) => {
        const identifier = readIdentifier('DBInstanceIdentifier', input.DBInstanceIdentifier);
        const { version } = await region.engine;
        checkEngine(version, input);
        if (region.instances.has(identifier)) throw instanceExists();
        const snapshot = findSnapshot(region, input.DBSnapshotIdentifier);
        const { backup, archive, source } = snapshot;
        if (snapshot.status !== 'available' || backup === undefined) {
          throw invalidSnapshotState(`The DB snapshot ${snapshot.identifier} is ${snapshot.status}, not available.`);
        }
        // The snapshot's tags are copied only where the call passes none.
        const tags: Tags = input.Tags?.length ? tagMap(input.Tags) : new Map(snapshot.tags);
        const instance = register(region, version, identifier, input, {
          settings: restoredSettings(region, snapshot.settings, input),
          tags,
          master: source.master,
          databaseName: source.databaseName,
        });
        provision(
          region,
          instance,
          (engine, configuration) => {
            meetFault(region);
            return engine.restore(configuration, archive ? { backup, archive } : { backup });
          },
          () => snapshotEvent(region, snapshot, 'RDS-EVENT-0043', ` ${snapshot.identifier}`),
          failureOf,
        );
        return { DBInstance: showInstance(region, instance, version) };
      },
    ),
  };
}

/** A fault strikes once: a disk that is full, a backup that is none. */
function meetFault(region: Region): void {
  const ends = region.nextRestoreEnds;
  if (ends === undefined) return;
  region.nextRestoreEnds = undefined;
  if (ends === 'incompatible-restore') throw new Error('the backup cannot be used');
  throw Object.assign(new Error('could not extend file: No space left on device'), { code: 'ENOSPC' });
}

/** 53100 disk_full is PostgreSQL's word for ENOSPC. */
function failureOf(error: Error): { status: string; event: 'RDS-EVENT-0007' | 'RDS-EVENT-0278' } {
  const code = 'code' in error ? error.code : 'sqlState' in error ? error.sqlState : undefined;
  return code === 'ENOSPC' || code === '53100'
    ? { status: 'storage-full', event: 'RDS-EVENT-0007' }
    : { status: 'incompatible-restore', event: 'RDS-EVENT-0278' };
}

/** By identifier, resource id or ARN of the backups; the latter two also find those of a deleted instance. */
function findBackups(region: Region, input: sdk.RestoreDBInstanceToPointInTimeCommandInput): AutomatedBackups {
  const {
    SourceDBInstanceIdentifier: identifier,
    SourceDbiResourceId: resource,
    SourceDBInstanceAutomatedBackupsArn: arn,
  } = input;
  if ([identifier, resource, arn].filter((given) => given !== undefined).length !== 1) {
    throw invalidCombination(
      'Specify exactly one of SourceDBInstanceIdentifier, SourceDbiResourceId and SourceDBInstanceAutomatedBackupsArn.',
    );
  }
  if (identifier !== undefined) {
    const instance = region.instances.get(identifier.toLowerCase());
    if (instance === undefined) throw instanceNotFound(identifier);
    if (instance.backups?.latest === undefined) throw notEnabled(identifier);
    return instance.backups;
  }
  if (arn !== undefined && arn.split(':')[3] !== region.home.region)
    throw notImplemented('restoring from backups of another Region');
  const found = [...region.backups.values()].find((backups) =>
    arn === undefined ? backups.instance.resourceId === resource : backupsArn(region, backups) === arn,
  );
  if (found?.latest === undefined) throw automatedBackupNotFound(resource ?? arn ?? '');
  return found;
}

function notEnabled(identifier: string): AwsError {
  return new AwsError(
    'PointInTimeRestoreNotEnabledFault',
    `Point-in-time restore is not enabled for ${identifier}: it has no automated backups.`,
  );
}

/** Replicated backups are encrypted with a key of their own Region. */
const encryptionIn = ({ kmsKeyId, retentionDays }: Replication) => ({
  ...(kmsKeyId !== undefined && { StorageEncrypted: true, KmsKeyId: kmsKeyId }),
  BackupRetentionPeriod: retentionDays,
});

/** As text: the latest restorable time keeps its microseconds. */
function readTime(backups: AutomatedBackups, input: sdk.RestoreDBInstanceToPointInTimeCommandInput): string {
  const { RestoreTime: restoreTime, UseLatestRestorableTime: useLatest } = input;
  const latest = backups.latest ?? '';
  if (useLatest && restoreTime !== undefined) {
    throw invalidCombination('RestoreTime and UseLatestRestorableTime cannot be specified together.');
  }
  if (useLatest) return latest;
  if (restoreTime === undefined)
    throw invalidCombination('Either RestoreTime or UseLatestRestorableTime must be specified.');
  const time = new Date(restoreTime);
  if (Number.isNaN(time.getTime())) throw invalidValue('RestoreTime is not a time.');
  if (time.getTime() > toDate(latest).getTime()) throw outsideWindow(backups, time.toISOString());
  return time.toISOString();
}

function outsideWindow(backups: AutomatedBackups, time: string): AwsError {
  const earliest = new Date(backups.backups[0]?.from ?? 0).toISOString();
  return invalidRestore(
    `${time} lies outside the restore window of ${backups.instance.identifier}: ${earliest} to ${backups.latest}.`,
  );
}

/** Size, encryption and retention come from the source, the rest is asked for or RDS's default. [RDS service model] */
function restoredSettings(region: Region, source: Readonly<Settings>, input: RestoreInput): Settings {
  const given = readSettings(region, input);
  if (given.AllocatedStorage !== undefined && given.AllocatedStorage < source.AllocatedStorage) {
    throw invalidValue(
      `AllocatedStorage ${given.AllocatedStorage} is smaller than the source's ${source.AllocatedStorage}.`,
    );
  }
  if (!isUsable(region, source.KmsKeyId)) throw keyNotAccessible(source.KmsKeyId ?? '');
  return {
    ...defaultSettings(region),
    DBInstanceClass: source.DBInstanceClass,
    AllocatedStorage: source.AllocatedStorage,
    DbInstancePort: source.DbInstancePort,
    LicenseModel: source.LicenseModel,
    StorageEncrypted: source.StorageEncrypted,
    ...(source.KmsKeyId !== undefined && { KmsKeyId: source.KmsKeyId }),
    BackupRetentionPeriod: source.BackupRetentionPeriod,
    PreferredBackupWindow: source.PreferredBackupWindow,
    StorageType: given.Iops === undefined ? 'gp3' : 'io1',
    ...given,
  };
}
