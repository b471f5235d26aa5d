import type * as sdk from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilWindow } from '../../../../local/services/rds/modify.ts';
import { openRegion, type RdsRegion, small } from './region.ts';

describe('an instance', () => {
  let region: RdsRegion;

  beforeAll(async () => {
    region = await openRegion();
    await region.create('prod', { DBName: 'stock', EnableCloudwatchLogsExports: ['postgresql'] });
  });
  afterAll(() => region?.stop());

  const modify = (input: object) => region.call('ModifyDBInstance', { DBInstanceIdentifier: 'prod', ...input });
  const eventIds = () => region.events.map(({ detail }) => detail.EventID);
  const gone = (identifier: string) =>
    expect.poll(() => region.describe(identifier).catch(({ code }) => code)).toBe('DBInstanceNotFoundFault');

  test('is created without an endpoint, backed up, then available', async () => {
    const { DBInstance } = await region.call<sdk.CreateDBInstanceCommandOutput>('CreateDBInstance', {
      DBInstanceIdentifier: 'Second',
      ...small,
    });
    expect(DBInstance).toMatchObject({ DBInstanceIdentifier: 'second', DBInstanceStatus: 'creating' });
    expect(DBInstance).not.toHaveProperty('Endpoint');
    await expect(
      region.call('DeleteDBInstance', { DBInstanceIdentifier: 'second', SkipFinalSnapshot: true }),
    ).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });
    expect(await region.until('second', 'available')).toEqual(['creating', 'backing-up', 'available']);
    expect(await region.describe('second')).toMatchObject({
      Endpoint: { Address: '127.0.0.1', Port: expect.any(Number) },
      DbiResourceId: expect.stringMatching(/^db-[A-Z2-7]{26}$/),
      LatestRestorableTime: expect.any(Date),
    });
    const own = region.events.filter(({ detail }) => detail.SourceIdentifier === 'second');
    expect(own.map(({ detail }) => detail.EventID)).toEqual(['RDS-EVENT-0005', 'RDS-EVENT-0001', 'RDS-EVENT-0002']);
    expect(own[0]).toMatchObject({ source: 'aws.rds', 'detail-type': 'RDS DB Instance Event' });
  });

  test('verifies over TLS with the authority of the cloud, and only over TLS', async () => {
    const verified = await region.connect('prod');
    expect((await verified.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')).rows).toEqual([
      { ssl: true },
    ]);
    await verified.end();
    await expect(region.connect('prod', { ssl: { rejectUnauthorized: true } })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    await expect(region.connect('prod', { ssl: false })).rejects.toMatchObject({ code: '28000' });
    await expect(region.connect('prod', { password: 'wrong-password' })).rejects.toMatchObject({ code: '28P01' });
    await expect(region.connect('prod', { user: 'rdsadmin' })).rejects.toMatchObject({ code: '28000' });
  });

  test('gives its master user what RDS gives: no superuser, but extensions, statistics and other sessions', async () => {
    const master = await region.connect('prod', { database: 'stock' });
    await master.query(`create role app login password 'app-password'; create table stock (id int primary key);
      insert into stock values (1); create extension amcheck; create extension pg_stat_statements`);
    expect((await master.query('select usesuper from pg_user where usename = current_user')).rows).toEqual([
      { usesuper: false },
    ]);
    expect((await master.query(`select * from verify_heapam('stock')`)).rows).toEqual([]);
    await master.query(`select bt_index_check('stock_pkey', true)`);
    await master.query('select pg_walfile_name(pg_current_wal_lsn()), (select count(*) from pg_stat_statements)');
    const app = await region.connect('prod', { user: 'app', password: 'app-password', database: 'stock' });
    await expect(app.query(`select * from verify_heapam('stock')`)).rejects.toMatchObject({ code: '42501' });
    await master.query(
      `alter role app nologin; select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`,
    );
    await expect(app.query('select 1')).rejects.toThrow();
    await expect(region.connect('prod', { user: 'app', password: 'app-password' })).rejects.toMatchObject({
      code: '28000',
    });
    await expect(master.query(`alter system set work_mem = '1MB'`)).rejects.toThrow();
    await expect(master.query(`copy stock to program 'true'`)).rejects.toMatchObject({ code: '42501' });
    await master.end();
    await expect.poll(() => region.logLines.join()).toContain('role "app" is not permitted to log in');
  });

  test('shows what waits for its maintenance window, and applies it with ApplyImmediately', async () => {
    await modify({ MultiAZ: true, CopyTagsToSnapshot: true });
    expect(await region.describe('prod')).toMatchObject({
      DBInstanceStatus: 'available',
      MultiAZ: false,
      CopyTagsToSnapshot: true,
      PendingModifiedValues: { MultiAZ: true },
    });
    await modify({ ApplyImmediately: true });
    await region.until('prod', 'available');
    expect(await region.describe('prod')).toMatchObject({ MultiAZ: true, PendingModifiedValues: {} });
  });

  test('optimizes its storage after a change of it, for hours, and takes meanwhile whatever is no change of storage', async () => {
    const change = (input: object) =>
      region.call('ModifyDBInstance', { DBInstanceIdentifier: 'second', ApplyImmediately: true, ...input });
    await change({ AllocatedStorage: 40 });
    await region.until('second', 'storage-optimization');
    await expect(change({ AllocatedStorage: 60 })).rejects.toMatchObject({ code: 'InvalidParameterCombination' });
    await change({ CopyTagsToSnapshot: true });
    const client = await region.connect('second');
    await client.end();
    expect(await region.describe('second')).toMatchObject({
      DBInstanceStatus: 'storage-optimization',
      AllocatedStorage: 40,
      CopyTagsToSnapshot: true,
    });
    await region.call('RebootDBInstance', { DBInstanceIdentifier: 'second' });
    await region.until('second', 'available');
  });

  test('loses its restore window with its retention, and gets a new one with a new retention', async () => {
    const backups = async () =>
      (await region.call<sdk.DescribeDBInstanceAutomatedBackupsCommandOutput>('DescribeDBInstanceAutomatedBackups'))
        .DBInstanceAutomatedBackups;
    const change = { DBInstanceIdentifier: 'second', ApplyImmediately: true };
    await region.call('ModifyDBInstance', { ...change, BackupRetentionPeriod: 0 });
    await region.until('second', 'available');
    expect(await region.describe('second')).not.toHaveProperty('LatestRestorableTime');
    expect(await backups()).toHaveLength(1);
    await region.call('ModifyDBInstance', { ...change, BackupRetentionPeriod: 7 });
    expect(await region.until('second', 'available')).toContain('backing-up');
    expect(await region.describe('second')).toMatchObject({ LatestRestorableTime: expect.any(Date) });
    expect(await backups()).toHaveLength(2);
  });

  test.each([
    { window: 'sun:12:00-sun:12:30', now: '2026-11-22T11:00:00Z', hours: 1 }, // a Sunday
    { window: 'sun:12:00-sun:12:30', now: '2026-11-22T12:00:00Z', hours: 7 * 24 },
    { window: 'Mon:00:30-Mon:01:00', now: '2026-11-24T00:30:00Z', hours: 6 * 24 },
  ])('whose window is $window waits $hours h for it at $now', ({ window, now, hours }) => {
    expect(untilWindow(window, new Date(now).getTime())).toBe(hours * 3600 * 1000);
  });

  test('hides a new master password, which is in force once the instance is available again', async () => {
    await modify({ MasterUserPassword: 'battery-staple' });
    expect(await region.describe('prod')).toMatchObject({ PendingModifiedValues: { MasterUserPassword: '****' } });
    await region.until('prod', 'available');
    const client = await region.connect('prod', { password: 'battery-staple' });
    await client.end();
    await expect(region.connect('prod')).rejects.toMatchObject({ code: '28P01' });
    await modify({ MasterUserPassword: small.MasterUserPassword });
    await region.until('prod', 'available');
    expect(eventIds()).toContain('RDS-EVENT-0016');
  });

  test('keeps its rows, its port and its archive when it is stopped and started', async () => {
    const { Endpoint } = await region.describe('prod');
    await region.call('StopDBInstance', { DBInstanceIdentifier: 'prod' });
    expect(await region.until('prod', 'stopped')).toEqual(['stopping', 'stopped']);
    await expect(region.connect('prod')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(region.call('RebootDBInstance', { DBInstanceIdentifier: 'prod' })).rejects.toMatchObject({
      code: 'InvalidDBInstanceStateFault',
    });
    await region.call('StartDBInstance', { DBInstanceIdentifier: 'prod' });
    expect(await region.until('prod', 'available')).toEqual(['starting', 'available']);
    const started = await region.describe('prod');
    expect(started.Endpoint).toEqual(Endpoint);
    await expect
      .poll(async () => (await region.describe('prod')).LatestRestorableTime)
      .toSatisfy((latest: Date) => latest > (started.LatestRestorableTime ?? latest));
  });

  test('is renamed at once only with ApplyImmediately, and keeps its resource id', async () => {
    const { DbiResourceId } = await region.describe('second');
    const rename = { DBInstanceIdentifier: 'second', NewDBInstanceIdentifier: 'renamed' };
    await region.call('ModifyDBInstance', rename);
    expect((await region.describe('second')).PendingModifiedValues).toEqual({ DBInstanceIdentifier: 'renamed' });
    await region.call('ModifyDBInstance', { ...rename, ApplyImmediately: true });
    await expect.poll(() => region.until('renamed', 'available').catch(({ code }) => code)).toEqual(['available']);
    expect(await region.describe('renamed')).toMatchObject({ DbiResourceId, PendingModifiedValues: {} });
    await gone('second');
  });

  test.each([
    {
      case: 'creating one that exists',
      operation: 'CreateDBInstance',
      input: small,
      code: 'DBInstanceAlreadyExistsFault',
    },
    {
      case: 'another engine',
      operation: 'CreateDBInstance',
      input: { ...small, Engine: 'mysql' },
      code: 'NotImplemented',
    },
    {
      case: 'a short password',
      operation: 'CreateDBInstance',
      input: { ...small, MasterUserPassword: 'short' },
      code: 'InvalidParameterValue',
    },
    {
      case: 'an option that is not implemented',
      operation: 'ModifyDBInstance',
      input: { ManageMasterUserPassword: true },
      code: 'NotImplemented',
    },
    {
      case: 'an unknown parameter group',
      operation: 'ModifyDBInstance',
      input: { DBParameterGroupName: 'x' },
      code: 'DBParameterGroupNotFoundFault',
    },
    {
      case: 'retention beyond 35 days',
      operation: 'ModifyDBInstance',
      input: { BackupRetentionPeriod: 36 },
      code: 'InvalidParameterValue',
    },
    {
      case: 'deleting without saying what of the final snapshot',
      operation: 'DeleteDBInstance',
      input: {},
      code: 'InvalidParameterCombination',
    },
    {
      case: 'an unknown filter',
      operation: 'DescribeDBInstances',
      input: { Filters: [{ Name: 'x', Values: ['y'] }] },
      code: 'InvalidParameterValue',
    },
    { case: 'a page of 5', operation: 'DescribeDBInstances', input: { MaxRecords: 5 }, code: 'InvalidParameterValue' },
  ])('refuses $case', async ({ operation, input, code }) => {
    await expect(region.call(operation, { DBInstanceIdentifier: 'prod', ...input })).rejects.toMatchObject({ code });
  });

  test('is not deleted while protected; leaves a final snapshot and nothing else afterwards', async () => {
    await modify({ DeletionProtection: true });
    const input = { DBInstanceIdentifier: 'prod', FinalDBSnapshotIdentifier: 'final' };
    await expect(region.call('DeleteDBInstance', input)).rejects.toMatchObject({ code: 'InvalidParameterCombination' });
    await modify({ DeletionProtection: false });
    await region.call('DeleteDBInstance', input);
    expect((await region.describe('prod')).DBInstanceStatus).toBe('deleting');
    await gone('prod');
    const { DBSnapshots } = await region.call<sdk.DescribeDBSnapshotsCommandOutput>('DescribeDBSnapshots', {
      DBInstanceIdentifier: 'prod',
    });
    expect(DBSnapshots).toMatchObject([{ DBSnapshotIdentifier: 'final', Status: 'available', SnapshotType: 'manual' }]);
    const backups = await region.call<sdk.DescribeDBInstanceAutomatedBackupsCommandOutput>(
      'DescribeDBInstanceAutomatedBackups',
    );
    expect(backups.DBInstanceAutomatedBackups?.map(({ DBInstanceIdentifier }) => DBInstanceIdentifier)).toEqual([
      'renamed',
    ]);
    expect(eventIds()).toContain('RDS-EVENT-0003');
  });

  test('that is killed fails with an event and without metrics, and can be deleted', async () => {
    await expect
      .poll(() => region.metrics)
      .toEqual(expect.arrayContaining(['AWS/RDS CPUUtilization', 'AWS/RDS FreeStorageSpace']));
    const { pid } = region.service.clusterOf('renamed') ?? {};
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    await expect.poll(async () => (await region.describe('renamed')).DBInstanceStatus).toBe('failed');
    expect(eventIds().at(-1)).toBe('RDS-EVENT-0031');
    await region.call('DeleteDBInstance', { DBInstanceIdentifier: 'renamed', SkipFinalSnapshot: true });
    await gone('renamed');
  });
});
