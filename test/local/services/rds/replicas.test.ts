import type * as sdk from '@aws-sdk/client-rds';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arn, createProduction, east, openRegions, type RdsRegions, west } from './regions.ts';

describe('read replicas', () => {
  let regions: RdsRegions;
  let primary: pg.Client;
  let key: string;
  let eastKey: string;

  beforeAll(async () => {
    regions = await openRegions();
    key = await regions.newKey(west);
    eastKey = await regions.newKey(east);
    primary = await createProduction(regions, eastKey);
  });
  afterAll(async () => {
    await primary?.end().catch(() => {});
    await regions?.stop();
  });

  const production = arn(east, 'db', 'prod');
  const replicate = (identifier: string, input: object = {}, region = west) =>
    regions.call<sdk.CreateDBInstanceReadReplicaCommandOutput>(region, 'CreateDBInstanceReadReplica', {
      DBInstanceIdentifier: identifier,
      SourceDBInstanceIdentifier: production,
      ...(region === west && { KmsKeyId: key }),
      ...input,
    });
  const promote = (identifier: string, input: object = {}, region = west) =>
    regions.call<sdk.PromoteReadReplicaCommandOutput>(region, 'PromoteReadReplica', {
      DBInstanceIdentifier: identifier,
      ...input,
    });
  const remove = (region: string, identifier: string, input: object = { SkipFinalSnapshot: true }) =>
    regions.call(region, 'DeleteDBInstance', { DBInstanceIdentifier: identifier, ...input });
  const gone = (region: string, identifier: string) =>
    expect.poll(() => regions.describe(region, identifier).catch(({ code }) => code)).toBe('DBInstanceNotFoundFault');
  const query = async <R extends pg.QueryResultRow>(region: string, identifier: string, sql: string) => {
    const client = await regions.connect(region, identifier);
    try {
      return (await client.query<R>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  /** Resolves when the replica has the row. */
  const arrives = (region: string, identifier: string, id: number) =>
    expect.poll(() => query(region, identifier, `select from ledger where id = ${id}`)).toHaveLength(1);
  const isReplica = async (region: string, identifier: string) => {
    const [row] = await query<{ is: boolean }>(region, identifier, 'select pg_is_in_recovery() as is');
    return row?.is;
  };
  const slots = async () =>
    (await primary.query(`select from pg_replication_slots where slot_name like 'replica%'`)).rowCount;

  test('a replica in another Region follows its source, answers reads, and says how far behind it is', async () => {
    const { DBInstance } = await replicate('replica', { Tags: [{ Key: 'a', Value: 'b' }] });
    expect(DBInstance).toMatchObject({
      DBInstanceStatus: 'creating',
      ReadReplicaSourceDBInstanceIdentifier: production,
    });
    expect(await regions.until(west, 'replica', 'available')).toEqual(['creating', 'available']);
    await primary.query('insert into ledger values (1)');
    await arrives(west, 'replica', 1);
    await expect(query(west, 'replica', 'insert into ledger values (2)')).rejects.toMatchObject({ code: '25006' });
    expect(await regions.describe(west, 'replica')).toMatchObject({
      DBInstanceClass: 'db.t3.micro',
      KmsKeyId: key,
      BackupRetentionPeriod: 0,
      TagList: [{ Key: 'a', Value: 'b' }],
      StatusInfos: [{ StatusType: 'read replication', Normal: true, Status: 'replicating' }],
    });
    expect(await regions.describe(east, 'prod')).toMatchObject({
      DBInstanceStatus: 'available',
      ReadReplicaDBInstanceIdentifiers: [arn(west, 'db', 'replica')],
    });
    await expect.poll(() => regions.lags.at(-1)).toSatisfy((lag: number) => lag >= 0 && lag < 60);
  });

  test('a replica that loses the stream says so once, falls behind, and catches up', async () => {
    const events = () => regions.eventsOf(arn(west, 'db', 'replica')).filter((id) => /004[56]/.test(id));
    await regions.rds(west).cutReplication('replica', true);
    await expect.poll(events).toEqual(['RDS-EVENT-0046', 'RDS-EVENT-0045']);
    expect((await regions.describe(west, 'replica')).StatusInfos).toMatchObject([{ Normal: false, Status: 'error' }]);
    await primary.query('insert into ledger values (3)');
    const before = regions.lags.at(-1) ?? Number.NaN;
    await expect.poll(() => regions.lags.at(-1)).toBeGreaterThan(before);
    expect(await query(west, 'replica', 'select from ledger where id = 3')).toHaveLength(0);
    await regions.rds(west).cutReplication('replica', false);
    await arrives(west, 'replica', 3);
    await expect.poll(events).toEqual(['RDS-EVENT-0046', 'RDS-EVENT-0045', 'RDS-EVENT-0046']);
  });

  test('replication goes on after either end restarts', async () => {
    for (const [region, name] of [
      [west, 'replica'],
      [east, 'prod'],
    ] as const) {
      await regions.call(region, 'RebootDBInstance', { DBInstanceIdentifier: name });
      await regions.until(region, name, 'available');
    }
    expect(await isReplica(west, 'replica')).toBe(true);
    await primary.end().catch(() => {});
    primary = await regions.connect(east, 'prod');
    await primary.query('insert into ledger values (4)');
    await arrives(west, 'replica', 4);
  });

  test('a replica of a replica needs automated backups on it, and a snapshot of it restores to no replica', async () => {
    const cascade = (input: object = {}) =>
      replicate('second', { SourceDBInstanceIdentifier: 'replica', KmsKeyId: undefined, ...input });
    await expect(cascade()).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });
    await regions.call(west, 'ModifyDBInstance', {
      DBInstanceIdentifier: 'replica',
      BackupRetentionPeriod: 7,
      ApplyImmediately: true,
    });
    await regions.until(west, 'replica', 'available');
    expect(await regions.describe(west, 'replica')).toMatchObject({ LatestRestorableTime: expect.any(Date) });
    await cascade();
    await regions.until(west, 'second', 'available');
    await primary.query('insert into ledger values (5)');
    await arrives(west, 'second', 5);
    expect(await regions.describe(west, 'second')).toMatchObject({ ReadReplicaSourceDBInstanceIdentifier: 'replica' });

    await regions.call(west, 'CreateDBSnapshot', {
      DBInstanceIdentifier: 'second',
      DBSnapshotIdentifier: 'of-replica',
    });
    await expect(promote('second')).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' }); // backing-up
    await regions.until(west, 'second', 'available');
    await regions.call(west, 'RestoreDBInstanceFromDBSnapshot', {
      DBSnapshotIdentifier: 'of-replica',
      DBInstanceIdentifier: 'restored',
    });
    await regions.until(west, 'restored', 'available');
    expect(await isReplica(west, 'restored')).toBe(false);
    await remove(west, 'restored');
  });

  test.each([
    {
      case: 'of none',
      input: { SourceDBInstanceIdentifier: arn(east, 'db', 'none') },
      code: 'DBInstanceNotFoundFault',
    },
    { case: 'without a key of there', input: { KmsKeyId: undefined }, code: 'InvalidParameterCombination' },
    { case: 'under a name in use', input: { DBInstanceIdentifier: 'replica' }, code: 'DBInstanceAlreadyExistsFault' },
    {
      case: 'with a parameter group, which RDS for PostgreSQL takes none of',
      input: { DBParameterGroupName: 'default.postgres18' },
      code: 'InvalidParameterCombination',
    },
    {
      case: 'with a parameter group beside its source',
      input: { SourceDBInstanceIdentifier: 'replica', DBParameterGroupName: 'default.postgres18' },
      code: 'InvalidParameterCombination',
    },
    {
      case: 'with a subnet group beside a source that is no ARN',
      input: { SourceDBInstanceIdentifier: 'replica', DBSubnetGroupName: 'private' },
      code: 'DBSubnetGroupNotAllowedFault',
    },
    { case: 'with what is not honoured', input: { ReplicaMode: 'mounted' }, code: 'NotImplemented' },
  ])('a replica is refused $case', async ({ input, code }) => {
    await expect(replicate('refused', input)).rejects.toMatchObject({ code });
    await expect(regions.describe(west, 'refused')).rejects.toMatchObject({ code: 'DBInstanceNotFoundFault' });
  });

  test('a source and its replicas are not stopped, a replica leaves no final snapshot and has the password of its source', async () => {
    const stop = (region: string, DBInstanceIdentifier: string) =>
      regions.call(region, 'StopDBInstance', { DBInstanceIdentifier });
    await expect(stop(east, 'prod')).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });
    await expect(stop(west, 'replica')).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });
    await expect(remove(west, 'replica', { FinalDBSnapshotIdentifier: 'last' })).rejects.toMatchObject({
      code: 'InvalidParameterCombination',
    });
    const password = { DBInstanceIdentifier: 'replica', MasterUserPassword: 'battery-staple' };
    await expect(regions.call(west, 'ModifyDBInstance', password)).rejects.toMatchObject({
      code: 'InvalidParameterCombination',
    });
  });

  test('what replicas present to IAM: both Regions, groups, key', async () => {
    const action = 'CreateDBInstanceReadReplica';
    expect(
      await regions.presented(west, action, {
        DBInstanceIdentifier: 'New',
        SourceDBInstanceIdentifier: production,
        KmsKeyId: key,
      }),
    ).toEqual([
      `rds:${action} ${arn(west, 'db', 'new')}`,
      `rds:${action} ${production}`,
      `rds:${action} ${arn(west, 'og', 'default:postgres-18')}`,
      `rds:${action} ${arn(west, 'subgrp', 'default')}`,
      `rds:${action} ${arn(west, 'pg', 'default.postgres18')}`,
      `kms:CreateGrant ${key}`,
      `kms:DescribeKey ${key}`,
    ]);
    expect(await regions.presented(west, 'PromoteReadReplica', { DBInstanceIdentifier: 'replica' })).toEqual([
      `rds:PromoteReadReplica ${arn(west, 'db', 'replica')}`,
    ]);
  });

  test('a replica in another Region has the engine’s parameters until it is given others and rebooted; one beside it has its', async () => {
    const workMem = async (identifier: string) => (await query(west, identifier, 'show work_mem'))[0];
    const groups = async (identifier: string) => (await regions.describe(west, identifier)).DBParameterGroups;
    await regions.call(west, 'CreateDBParameterGroup', {
      DBParameterGroupName: 'ours',
      DBParameterGroupFamily: 'postgres18',
      Description: 'ours',
    });
    const Parameters = [{ ParameterName: 'work_mem', ParameterValue: '8192', ApplyMethod: 'immediate' }];
    await regions.call(west, 'ModifyDBParameterGroup', { DBParameterGroupName: 'ours', Parameters });
    const engines = { DBParameterGroupName: 'default.postgres18', ParameterApplyStatus: 'in-sync' };
    expect(await groups('replica')).toEqual([engines]);

    const change = { DBInstanceIdentifier: 'replica', DBParameterGroupName: 'ours', ApplyImmediately: true };
    await regions.call(west, 'ModifyDBInstance', change);
    await regions.until(west, 'replica', 'available');
    const given = { DBParameterGroupName: 'ours', ParameterApplyStatus: 'pending-reboot' };
    expect(await groups('replica')).toEqual([given]);
    expect(await workMem('replica')).toEqual({ work_mem: '4MB' });
    await regions.call(west, 'RebootDBInstance', { DBInstanceIdentifier: 'replica' });
    await regions.until(west, 'replica', 'available');
    expect(await groups('replica')).toEqual([{ ...given, ParameterApplyStatus: 'in-sync' }]);
    expect(await workMem('replica')).toEqual({ work_mem: '8MB' });
    expect(await isReplica(west, 'replica')).toBe(true);

    await regions.call(west, 'CreateDBSubnetGroup', {
      DBSubnetGroupName: 'private',
      DBSubnetGroupDescription: 'private',
      SubnetIds: ['subnet-1', 'subnet-2'],
    });
    const beside = { SourceDBInstanceIdentifier: arn(west, 'db', 'replica'), DBSubnetGroupName: 'private' };
    await replicate('beside', { ...beside, KmsKeyId: undefined });
    await regions.until(west, 'beside', 'available');
    expect(await groups('beside')).toEqual([{ ...given, ParameterApplyStatus: 'in-sync' }]);
    expect(await regions.describe(west, 'beside')).toMatchObject({ DBSubnetGroup: { DBSubnetGroupName: 'private' } });
    await remove(west, 'beside');
    await gone(west, 'beside');
  });

  test('a promotion while the source lives reads available at first, reboots, and ends replication at both', async () => {
    await replicate('drill');
    await regions.until(west, 'drill', 'available');
    expect(await slots()).toBe(2);
    await expect(promote('none')).rejects.toMatchObject({ code: 'DBInstanceNotFoundFault' });

    const { DBInstance } = await promote('drill', { BackupRetentionPeriod: 3 });
    expect(DBInstance).toMatchObject({
      DBInstanceStatus: 'available',
      ReadReplicaSourceDBInstanceIdentifier: production,
    });
    await expect(promote('drill')).rejects.toMatchObject({ code: 'InvalidDBInstanceStateFault' });
    await regions.until(west, 'drill', 'rebooting');
    await regions.until(west, 'drill', 'available');
    expect(await regions.describe(west, 'drill')).not.toHaveProperty('ReadReplicaSourceDBInstanceIdentifier');
    expect(await isReplica(west, 'drill')).toBe(false);
    await query(west, 'drill', 'insert into ledger values (100)');
    await expect.poll(slots).toBe(1);
    expect(await regions.describe(east, 'prod')).toMatchObject({
      ReadReplicaDBInstanceIdentifiers: [arn(west, 'db', 'replica')],
    });
  });

  test('a source that is deleted leaves replicas of its Region on their own, and those of others without one', async () => {
    const [near, far] = [arn(west, 'db', 'near'), arn(east, 'db', 'far')];
    await replicate('near', { SourceDBInstanceIdentifier: 'drill', KmsKeyId: undefined });
    await regions.until(west, 'near', 'available');
    await replicate('far', { SourceDBInstanceIdentifier: arn(west, 'db', 'drill'), KmsKeyId: eastKey }, east);
    await regions.until(east, 'far', 'available');
    await remove(west, 'drill');
    await gone(west, 'drill');
    await expect.poll(() => isReplica(west, 'near').catch(() => true)).toBe(false);
    await regions.until(west, 'near', 'available');
    expect(regions.eventsOf(near)).not.toContain('RDS-EVENT-0057');
    expect(regions.eventsOf(far)).toContain('RDS-EVENT-0057');
    expect((await regions.describe(east, 'far')).StatusInfos).toMatchObject([{ Status: 'terminated' }]);
    expect(await isReplica(east, 'far')).toBe(true);
    await Promise.all([remove(west, 'near'), remove(east, 'far')]);
  });

  test('a replica is promoted with the source Region dark, has what it received, and keeps its own replica', async () => {
    await primary.query('insert into ledger values (6)');
    await arrives(west, 'replica', 6);
    const lightUp = await regions.goDark(east);
    await promote('replica');
    expect((await regions.until(west, 'replica', 'rebooting')).slice(-2)).toEqual(['modifying', 'rebooting']);
    expect(await regions.until(west, 'replica', 'available')).toEqual(['rebooting', 'backing-up', 'available']);
    expect(await isReplica(west, 'replica')).toBe(false);
    expect(await query(west, 'replica', 'select from ledger where id in (1, 3, 4, 5, 6)')).toHaveLength(5);
    await query(west, 'replica', 'insert into ledger values (7)');
    await arrives(west, 'second', 7); // which goes on following it
    // Retention is a day unless the call says otherwise, whatever the replica had.
    expect(await regions.describe(west, 'replica')).toMatchObject({
      BackupRetentionPeriod: 1,
      LatestRestorableTime: expect.any(Date),
    });
    await expect(replicate('too-late', {}, west)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    await lightUp();
  });
});
