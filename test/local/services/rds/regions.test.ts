import type * as sdk from '@aws-sdk/client-rds';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, createProduction, east, openRegions, type RdsRegions, west } from './regions.ts';

describe('backups in another Region', () => {
  let regions: RdsRegions;
  let client: pg.Client;
  let sourceKey: string;
  let key: string;

  beforeAll(async () => {
    regions = await openRegions();
    [sourceKey, key] = await Promise.all([regions.newKey(east), regions.newKey(west)]);
    client = await createProduction(regions, sourceKey);
    await client.query('insert into ledger values (1)');
    await regions.call(east, 'CreateDBSnapshot', { DBInstanceIdentifier: 'prod', DBSnapshotIdentifier: 'daily' });
    await regions.until(east, 'prod', 'available');
  });
  afterAll(async () => {
    await client?.end().catch(() => {});
    await regions?.stop();
  });

  const copy = (input: object = {}, region = west) =>
    regions.call<sdk.CopyDBSnapshotCommandOutput>(region, 'CopyDBSnapshot', {
      SourceDBSnapshotIdentifier: arn(east, 'snapshot', 'daily'),
      TargetDBSnapshotIdentifier: 'daily-copy',
      KmsKeyId: key,
      ...input,
    });
  const becomes = (identifier: string, status: string, region = west) =>
    expect.poll(async () => (await regions.snapshot(region, identifier)).Status, { interval: 10 }).toBe(status);
  const backups = async (region: string) =>
    (
      await regions.call<sdk.DescribeDBInstanceAutomatedBackupsCommandOutput>(
        region,
        'DescribeDBInstanceAutomatedBackups',
        { DBInstanceIdentifier: 'prod' },
      )
    ).DBInstanceAutomatedBackups?.[0];
  const latest = async (region: string) => (await backups(region))?.RestoreWindow?.LatestTime ?? new Date(0);
  const rowsOf = async (identifier: string) => {
    const restored = await regions.connect(west, identifier);
    const { rows } = await restored.query<{ id: number }>('select id from ledger order by id');
    await restored.query('insert into ledger values (0)'); // it takes writes
    await restored.end();
    return rows.map(({ id }) => id);
  };
  const started = { SourceDBInstanceArn: arn(east, 'db', 'prod') };

  test('a snapshot is copied by a call there, with a key of there, and is known as a copy', async () => {
    const { DBSnapshot } = await copy({ CopyTags: true, Tags: [{ Key: 'kind', Value: 'daily' }] });
    expect(DBSnapshot).toMatchObject({ Status: 'creating', SnapshotType: 'manual' });
    await becomes('daily-copy', 'available');
    const original = await regions.snapshot(east, 'daily');
    const copied = await regions.snapshot(west, 'daily-copy');
    expect(copied).toMatchObject({
      DBInstanceIdentifier: 'prod',
      DbiResourceId: original.DbiResourceId,
      SourceDBSnapshotIdentifier: arn(east, 'snapshot', 'daily'),
      SourceRegion: east,
      Encrypted: true,
      KmsKeyId: key,
      OriginalSnapshotCreateTime: original.SnapshotCreateTime,
      TagList: [
        { Key: 'team', Value: 'stock' },
        { Key: 'kind', Value: 'daily' },
      ],
    });
    expect(copied.SnapshotCreateTime?.getTime()).toBeGreaterThan(original.SnapshotCreateTime?.getTime() ?? Number.NaN);
    expect(regions.eventsOf(arn(west, 'snapshot', 'daily-copy'))).toEqual(['RDS-EVENT-0059', 'RDS-EVENT-0060']);
  });

  test('within a Region a copy has the same key, no tags and events of its own, and an automated one becomes manual', async () => {
    const { DBSnapshots = [] } = await regions.call<sdk.DescribeDBSnapshotsCommandOutput>(east, 'DescribeDBSnapshots', {
      SnapshotType: 'automated',
    });
    const SourceDBSnapshotIdentifier = DBSnapshots[0]?.DBSnapshotIdentifier;
    await copy({ SourceDBSnapshotIdentifier, TargetDBSnapshotIdentifier: 'kept', KmsKeyId: undefined }, east);
    await becomes('kept', 'available', east);
    const kept = await regions.snapshot(east, 'kept');
    expect(kept).toMatchObject({ SnapshotType: 'manual', KmsKeyId: sourceKey, TagList: [] });
    expect(kept).not.toHaveProperty('SourceRegion');
    expect(regions.eventsOf(arn(east, 'snapshot', 'kept'))).toEqual(['RDS-EVENT-0196', 'RDS-EVENT-0197']);
    // It no longer needs the archive that it was taken beside.
    await copy({ SourceDBSnapshotIdentifier: arn(east, 'snapshot', 'kept'), TargetDBSnapshotIdentifier: 'kept-there' });
    await becomes('kept-there', 'available');
    await regions.call(west, 'RestoreDBInstanceFromDBSnapshot', {
      DBSnapshotIdentifier: 'kept-there',
      DBInstanceIdentifier: 'from-automated',
      BackupRetentionPeriod: 0,
    });
    await regions.until(west, 'from-automated', 'available');
  });

  test.each([
    { case: 'without a key of there', input: { KmsKeyId: undefined }, code: 'InvalidParameterCombination' },
    { case: 'with a key of the source', input: () => ({ KmsKeyId: sourceKey }), code: 'KMSKeyNotAccessibleFault' },
    { case: 'with no such key', input: { KmsKeyId: 'alias/none' }, code: 'KMSKeyNotAccessibleFault' },
    {
      case: 'onto one that exists',
      input: { TargetDBSnapshotIdentifier: 'daily-copy' },
      code: 'DBSnapshotAlreadyExistsFault',
    },
    {
      case: 'of none',
      input: { SourceDBSnapshotIdentifier: arn(east, 'snapshot', 'none') },
      code: 'DBSnapshotNotFoundFault',
    },
    { case: 'with an option group', input: { OptionGroupName: 'mine' }, code: 'NotImplemented' },
    { case: 'with what is not honoured', input: { CopyOptionGroup: true }, code: 'NotImplemented' },
  ])('a copy is refused $case', async ({ input, code }) => {
    const given = typeof input === 'function' ? input() : input;
    await expect(copy({ TargetDBSnapshotIdentifier: 'refused', ...given })).rejects.toMatchObject({ code });
  });

  test('a copy is refused while a key is disabled, beyond the quota, and beyond twenty at once', async () => {
    const target = (name: string) => ({ TargetDBSnapshotIdentifier: name });
    await regions.disableKey(west, key, true);
    await expect(copy(target('no-key'))).rejects.toMatchObject({ code: 'KMSKeyNotAccessibleFault' });
    await regions.disableKey(west, key, false);
    await regions.disableKey(east, sourceKey, true);
    await expect(copy(target('no-key'))).rejects.toMatchObject({ code: 'KMSKeyNotAccessibleFault' });
    await regions.disableKey(east, sourceKey, false);

    regions.quotas(west).set('rds', 'L-272F1212', 2);
    await expect(copy(target('too-many'))).rejects.toMatchObject({ code: 'SnapshotQuotaExceededFault' });
    regions.quotas(west).set('rds', 'L-272F1212', 100);

    const names = Array.from({ length: 21 }, (_, at) => `copy-${at}`);
    const settled = await Promise.allSettled(names.map((name) => copy(target(name))));
    const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
    expect(refused).toEqual(['SnapshotQuotaExceededFault']);
    for (const name of names.slice(0, 20)) await becomes(name, 'available');
    for (const DBSnapshotIdentifier of names.slice(0, 20))
      await regions.call(west, 'DeleteDBSnapshot', { DBSnapshotIdentifier });
  });

  test('a copy that is deleted while it is made was canceled', async () => {
    await copy({ TargetDBSnapshotIdentifier: 'canceled' });
    await regions.call(west, 'DeleteDBSnapshot', { DBSnapshotIdentifier: 'canceled' });
    await expect(regions.snapshot(west, 'canceled')).rejects.toMatchObject({ code: 'DBSnapshotNotFoundFault' });
    await expect
      .poll(() => regions.eventsOf(arn(west, 'snapshot', 'canceled')))
      .toEqual(['RDS-EVENT-0059', 'RDS-EVENT-0061']);
  });

  test('copies and replication present both Regions and the key to IAM', async () => {
    const keyUses = [`kms:CreateGrant ${key}`, `kms:DescribeKey ${key}`];
    expect(
      await regions.presented(west, 'CopyDBSnapshot', {
        SourceDBSnapshotIdentifier: arn(east, 'snapshot', 'daily'),
        TargetDBSnapshotIdentifier: 'Copy',
        KmsKeyId: key,
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    ).toEqual([
      `rds:CopyDBSnapshot ${arn(west, 'snapshot', 'copy')}`,
      `rds:CopyDBSnapshot ${arn(east, 'snapshot', 'daily')}`,
      `rds:AddTagsToResource ${arn(west, 'snapshot', 'copy')}`,
      ...keyUses,
    ]);
    const action = 'StartDBInstanceAutomatedBackupsReplication';
    expect(await regions.presented(west, action, { ...started, KmsKeyId: key })).toEqual([
      `rds:${action} ${arn(east, 'db', 'prod')}`,
      `rds:${action} ${arn(west, 'auto-backup', '*')}`,
      ...keyUses,
    ]);
  });

  test('automated backups are replicated with a window that lags, until a key is disabled, silently', async () => {
    const start = (input: object) =>
      regions.call(west, 'StartDBInstanceAutomatedBackupsReplication', { ...started, ...input });
    await expect(start({})).rejects.toMatchObject({ code: 'InvalidParameterCombination' });
    await expect(start({ KmsKeyId: key, BackupRetentionPeriod: 40 })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
    expect(await start({ KmsKeyId: key, BackupRetentionPeriod: 14 })).toMatchObject({
      DBInstanceAutomatedBackup: { Status: 'pending', RestoreWindow: {} },
    });
    await expect.poll(async () => (await backups(west))?.Status).toBe('replicating');
    const there = arn(
      west,
      'auto-backup',
      (await backups(east))?.DBInstanceAutomatedBackupsArn?.split(':').at(-1) ?? '',
    );
    expect(await backups(west)).toMatchObject({
      DBInstanceAutomatedBackupsArn: there,
      DBInstanceArn: arn(east, 'db', 'prod'),
      Region: east,
      KmsKeyId: key,
      BackupRetentionPeriod: 14,
      RestoreWindow: { EarliestTime: (await backups(east))?.RestoreWindow?.EarliestTime },
    });
    const replications = [{ DBInstanceAutomatedBackupsArn: there }];
    expect(await backups(east)).toMatchObject({ DBInstanceAutomatedBackupsReplications: replications });
    expect(await regions.describe(east, 'prod')).toMatchObject({
      DBInstanceAutomatedBackupsReplications: replications,
    });
    await expect(start({ KmsKeyId: key })).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });

    await regions.disableKey(west, key, true);
    const stalled = await latest(east);
    // Two uploads of the source later nothing has come, and nothing says so but the window.
    await expect.poll(async () => (await latest(east)).getTime() - stalled.getTime()).toBeGreaterThan(1000);
    expect((await latest(west)) <= stalled).toBe(true);
    expect(await backups(west)).toMatchObject({ Status: 'replicating' });
    await regions.disableKey(west, key, false);
    await expect.poll(async () => (await latest(west)) > stalled).toBe(true);
  });

  test('both restore with the source Region dark, and nothing more is copied', async () => {
    await client.query('insert into ledger values (2)');
    const committed = new Date(Date.now() + 1); // Date drops the microseconds in which it committed.
    await expect.poll(async () => (await latest(west)) > committed).toBe(true);
    await client.query('insert into ledger values (3)');
    const lightUp = await regions.goDark(east);
    await expect(copy({ TargetDBSnapshotIdentifier: 'too-late' })).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });

    expect(await backups(west)).toMatchObject({ Status: 'replicating' });
    await regions.call(west, 'RestoreDBInstanceToPointInTime', {
      SourceDBInstanceAutomatedBackupsArn: (await backups(west))?.DBInstanceAutomatedBackupsArn,
      TargetDBInstanceIdentifier: 'from-backups',
      RestoreTime: committed,
    });
    await regions.call(west, 'RestoreDBInstanceFromDBSnapshot', {
      DBSnapshotIdentifier: 'daily-copy',
      DBInstanceIdentifier: 'from-copy',
    });
    await Promise.all(['from-backups', 'from-copy'].map((name) => regions.until(west, name, 'available')));
    expect(await rowsOf('from-backups')).toEqual([1, 2]);
    expect(await rowsOf('from-copy')).toEqual([1]);
    expect(await regions.describe(west, 'from-backups')).toMatchObject({
      KmsKeyId: key,
      BackupRetentionPeriod: 14,
      AvailabilityZone: 'us-west-2a',
    });

    await regions.call(west, 'StopDBInstanceAutomatedBackupsReplication', started);
    expect(await backups(west)).toMatchObject({ Status: 'retained', RestoreWindow: { LatestTime: expect.any(Date) } });
    await expect(regions.call(west, 'StopDBInstanceAutomatedBackupsReplication', started)).rejects.toMatchObject({
      code: 'InvalidDBInstanceStateFault',
    });
    await lightUp();
  });
});
