import type * as sdk from '@aws-sdk/client-rds';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRegion, type RdsRegion } from './region.ts';

describe('restoring an instance', () => {
  let region: RdsRegion;
  let source: sdk.DBInstance;
  let client: pg.Client;

  beforeAll(async () => {
    region = await openRegion();
    source = await region.create('prod', {
      MultiAZ: true,
      DeletionProtection: true,
      StorageType: 'io1',
      Iops: 1000,
      BackupRetentionPeriod: 30,
      CopyTagsToSnapshot: true,
      Tags: [{ Key: 'team', Value: 'stock' }],
    });
    client = await region.connect('prod');
    await client.query(`create table ledger (id int primary key);
      create role app password 'app-password' nologin`);
  });
  afterAll(async () => {
    await client?.end().catch(() => {});
    await region?.stop();
  });

  /** The database's clock, cut to milliseconds as the API carries it. */
  const readClock = async () => {
    const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now');
    return rows[0]?.now ?? new Date(Number.NaN);
  };
  /** Resolves when the archive reaches the present. */
  const restorable = async (time: Date) => {
    await expect
      .poll(async () => (await region.describe('prod')).LatestRestorableTime, { interval: 20 })
      .toSatisfy((latest: Date) => latest >= time);
  };
  const restore = async (target: string, input: object) => {
    const { DBInstance } = await region.call<sdk.RestoreDBInstanceToPointInTimeCommandOutput>(
      'RestoreDBInstanceToPointInTime',
      { SourceDBInstanceIdentifier: 'prod', TargetDBInstanceIdentifier: target, ...input },
    );
    return DBInstance;
  };
  const remove = (identifier: string, input = {}) =>
    region.call('DeleteDBInstance', { DBInstanceIdentifier: identifier, SkipFinalSnapshot: true, ...input });

  test('to a time holds exactly the rows committed by then, the fence, and the password of that time', async () => {
    const insert = async (from: number, to: number) => {
      for (let id = from; id <= to; id++) await client.query('insert into ledger values ($1)', [id]);
    };
    await insert(1, 50);
    const acknowledged = await readClock();
    // A later millisecond lies between the last of these commits and the first of the next ones.
    let restoreTime = await readClock();
    while (restoreTime.getTime() === acknowledged.getTime()) restoreTime = await readClock();
    await insert(51, 100);
    await region.call('ModifyDBInstance', { DBInstanceIdentifier: 'prod', MasterUserPassword: 'another-password' });
    await region.until('prod', 'available');
    await restorable(new Date());

    const shown = await restore('to-time', { RestoreTime: restoreTime });
    expect(shown).toMatchObject({ DBInstanceStatus: 'creating' });
    expect(shown).not.toHaveProperty('Endpoint');
    expect(await region.until('to-time', 'available')).toEqual(['creating', 'backing-up', 'available']);

    const restored = await region.connect('to-time'); // with the password that was valid at that time
    const { rows } = await restored.query<{ id: number }>('select id from ledger order by id');
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
    expect((await restored.query(`select rolcanlogin from pg_roles where rolname = 'app'`)).rows).toEqual([
      { rolcanlogin: false },
    ]);
    await restored.end();

    expect(await region.describe('to-time')).toMatchObject({
      MultiAZ: false,
      DeletionProtection: false,
      StorageType: 'gp3',
      BackupRetentionPeriod: 30,
      DBSubnetGroup: { DBSubnetGroupName: 'default' },
      DBParameterGroups: [{ DBParameterGroupName: 'default.postgres18', ParameterApplyStatus: 'in-sync' }],
      TagList: [{ Key: 'team', Value: 'stock' }],
    });
    expect((await region.describe('to-time')).DbiResourceId).not.toBe(source.DbiResourceId);
    expect(region.events.map(({ detail }) => detail.EventID)).toContain('RDS-EVENT-0019');
    await region.call('ModifyDBInstance', { DBInstanceIdentifier: 'prod', MasterUserPassword: 'correct-horse' });
    await region.until('prod', 'available');
  });

  test('to the latest restorable time holds everything before it', async () => {
    await client.query('insert into ledger values (1000)');
    await restorable(new Date());
    await restore('latest', { UseLatestRestorableTime: true });
    await region.until('latest', 'available');
    const restored = await region.connect('latest');
    expect((await restored.query('select 1 from ledger where id = 1000')).rowCount).toBe(1);
    await restored.end();
    await remove('latest');
  });

  test('from a snapshot holds what it held, and takes its tags only when the call passes none', async () => {
    await client.query('insert into ledger values (2000)');
    await region.call('CreateDBSnapshot', { DBInstanceIdentifier: 'prod', DBSnapshotIdentifier: 'before' });
    expect(await region.until('prod', 'available')).toEqual(['backing-up', 'available']);
    await client.query('delete from ledger where id = 2000');
    const from = { DBSnapshotIdentifier: 'before' };
    await region.call('RestoreDBInstanceFromDBSnapshot', { ...from, DBInstanceIdentifier: 'inherits' });
    await region.call('RestoreDBInstanceFromDBSnapshot', {
      ...from,
      DBInstanceIdentifier: 'own-tags',
      BackupRetentionPeriod: 0,
      Tags: [{ Key: 'incident', Value: 'i-1' }],
    });
    await region.until('inherits', 'available');
    const restored = await region.connect('inherits');
    expect((await restored.query('select 1 from ledger where id = 2000')).rowCount).toBe(1);
    await restored.end();
    expect((await region.describe('inherits')).TagList).toEqual([{ Key: 'team', Value: 'stock' }]);
    expect(await region.until('own-tags', 'available')).not.toContain('backing-up');
    expect((await region.describe('own-tags')).TagList).toEqual([{ Key: 'incident', Value: 'i-1' }]);
    await expect(
      region.call('RestoreDBInstanceToPointInTime', {
        SourceDBInstanceIdentifier: 'own-tags',
        TargetDBInstanceIdentifier: 'x',
        UseLatestRestorableTime: true,
      }),
    ).rejects.toMatchObject({ code: 'PointInTimeRestoreNotEnabledFault' });
    await region.call('DeleteDBSnapshot', from);
    await expect(region.call('DescribeDBSnapshots', from)).rejects.toMatchObject({ code: 'DBSnapshotNotFoundFault' });
    await Promise.all([remove('inherits'), remove('own-tags')]);
  });

  test.each([
    { case: 'after the window', input: { RestoreTime: new Date('2199-01-01') }, code: 'InvalidRestoreFault' },
    { case: 'before the window', input: { RestoreTime: new Date('2020-01-01') }, code: 'InvalidRestoreFault' },
    {
      case: 'to a time and to the latest',
      input: { RestoreTime: new Date(), UseLatestRestorableTime: true },
      code: 'InvalidParameterCombination',
    },
    { case: 'to no time', input: {}, code: 'InvalidParameterCombination' },
    {
      case: 'of an unknown instance',
      input: { SourceDBInstanceIdentifier: 'nobody', UseLatestRestorableTime: true },
      code: 'DBInstanceNotFoundFault',
    },
    {
      case: 'onto an existing instance',
      input: { TargetDBInstanceIdentifier: 'prod', UseLatestRestorableTime: true },
      code: 'DBInstanceAlreadyExistsFault',
    },
    {
      case: 'with an unknown parameter group',
      input: { UseLatestRestorableTime: true, DBParameterGroupName: 'nobody' },
      code: 'DBParameterGroupNotFoundFault',
    },
    { case: 'with a KMS key', input: { UseLatestRestorableTime: true, KmsKeyId: 'k' }, code: 'NotImplemented' },
  ])('is refused $case', async ({ input, code }) => {
    await expect(restore('refused', input)).rejects.toMatchObject({ code });
    await expect(region.describe('refused')).rejects.toMatchObject({ code: 'DBInstanceNotFoundFault' });
  });

  test('ends as storage-full where the disk is full, once, and can be deleted', async () => {
    region.service.fillNextRestore();
    await restore('too-big', { UseLatestRestorableTime: true });
    expect(await region.until('too-big', 'storage-full')).toEqual(['creating', 'storage-full']);
    expect(await region.describe('too-big')).not.toHaveProperty('Endpoint');
    const happened = region.events.map(({ detail }) => (detail as { EventID?: string }).EventID);
    expect(happened).toContain('RDS-EVENT-0007');
    await remove('too-big');
    await expect.poll(() => region.describe('too-big').catch(({ code }) => code)).toBe('DBInstanceNotFoundFault');
  });

  test('from retained automated backups works after the source is gone', async () => {
    await region.call('ModifyDBInstance', { DBInstanceIdentifier: 'prod', DeletionProtection: false });
    await client.query('insert into ledger values (3000)');
    await client.end();
    await remove('prod', { DeleteAutomatedBackups: false });
    await expect.poll(() => region.describe('prod').catch(({ code }) => code)).toBe('DBInstanceNotFoundFault');
    const { DBInstanceAutomatedBackups: backups } =
      await region.call<sdk.DescribeDBInstanceAutomatedBackupsCommandOutput>('DescribeDBInstanceAutomatedBackups', {
        DbiResourceId: source.DbiResourceId,
      });
    expect(backups).toMatchObject([{ Status: 'retained', RestoreWindow: { EarliestTime: expect.any(Date) } }]);
    await region.call('RestoreDBInstanceToPointInTime', {
      SourceDBInstanceAutomatedBackupsArn: backups?.[0]?.DBInstanceAutomatedBackupsArn,
      TargetDBInstanceIdentifier: 'reborn',
      UseLatestRestorableTime: true,
    });
    await region.until('reborn', 'available');
    client = await region.connect('reborn');
    expect((await client.query('select 1 from ledger where id = 3000')).rowCount).toBe(1);
  });
});
