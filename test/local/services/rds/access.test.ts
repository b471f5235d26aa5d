import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRegion, type RdsRegion, small } from './region.ts';

describe('what RDS presents to IAM', () => {
  let region: RdsRegion;
  const arn = (type: string, name: string) => `arn:aws:rds:us-east-1:111122223333:${type}:${name}`;

  beforeAll(async () => {
    region = await openRegion();
    const Tags = [{ Key: 'incident', Value: 'i-1' }];
    await region.create('prod', { Tags, BackupRetentionPeriod: 0, DBInstanceClass: 'db.m6g.large' });
  });
  afterAll(() => region?.stop());

  const presented = async (operation: string, input: object) =>
    (await region.access(operation, input)).map(({ action, resources }) => `${action} ${resources.join()}`);

  test('for a restore to a time: both databases and the default groups, so that db alone is denied', async () => {
    expect(
      await presented('RestoreDBInstanceToPointInTime', {
        SourceDBInstanceIdentifier: 'prod',
        TargetDBInstanceIdentifier: 'dr-drill-1',
        Tags: [{ Key: 'incident', Value: 'i-2' }],
      }),
    ).toEqual([
      `rds:RestoreDBInstanceToPointInTime ${arn('db', 'dr-drill-1')}`,
      `rds:RestoreDBInstanceToPointInTime ${arn('db', 'prod')}`,
      `rds:RestoreDBInstanceToPointInTime ${arn('og', 'default:postgres-18')}`,
      `rds:RestoreDBInstanceToPointInTime ${arn('pg', 'default.postgres18')}`,
      `rds:RestoreDBInstanceToPointInTime ${arn('subgrp', 'default')}`,
      `rds:AddTagsToResource ${arn('db', 'dr-drill-1')}`,
    ]);
  });

  test('for a deletion: the tags and settings of what is deleted', async () => {
    expect(await region.access('DeleteDBInstance', { DBInstanceIdentifier: 'PROD', SkipFinalSnapshot: true })).toEqual([
      {
        action: 'rds:DeleteDBInstance',
        resources: [arn('db', 'prod')],
        conditions: expect.objectContaining({
          'aws:ResourceTag/incident': 'i-1',
          'rds:db-tag/incident': 'i-1',
          'rds:DatabaseClass': 'db.m6g.large',
          'rds:MultiAz': 'false',
        }),
      },
    ]);
  });

  test('for a creation: the tags of the request', async () => {
    const [first] = await region.access('CreateDBInstance', {
      DBInstanceIdentifier: 'new',
      ...small,
      Tags: [{ Key: 'incident', Value: 'i-3' }],
    });
    expect(first?.conditions).toMatchObject({
      'aws:RequestTag/incident': 'i-3',
      'rds:req-tag/incident': 'i-3',
      'aws:TagKeys': ['incident'],
    });
    expect(first?.conditions).not.toHaveProperty('aws:ResourceTag/incident');
  });

  test.each([
    { operation: 'DescribeDBInstances', input: {}, expected: [`rds:DescribeDBInstances ${arn('db', '*')}`] },
    {
      operation: 'CreateDBSnapshot',
      input: { DBInstanceIdentifier: 'prod', DBSnapshotIdentifier: 's' },
      expected: [`rds:CreateDBSnapshot ${arn('db', 'prod')}`, `rds:CreateDBSnapshot ${arn('snapshot', 's')}`],
    },
    {
      operation: 'ModifyDBInstance',
      input: { DBInstanceIdentifier: 'prod', DBParameterGroupName: 'p', MonitoringRoleArn: 'arn:aws:iam::1:role/m' },
      expected: [
        `rds:ModifyDBInstance ${arn('db', 'prod')}`,
        `rds:ModifyDBInstance ${arn('pg', 'p')}`,
        'iam:PassRole arn:aws:iam::1:role/m',
      ],
    },
    {
      operation: 'RemoveTagsFromResource',
      input: { ResourceName: arn('db', 'prod'), TagKeys: ['incident'] },
      expected: [`rds:RemoveTagsFromResource ${arn('db', 'prod')}`],
    },
    { operation: 'DescribeEvents', input: {}, expected: ['rds:DescribeEvents *'] },
  ])('for $operation', async ({ operation, input, expected }) => {
    expect(await presented(operation, input)).toEqual(expected);
  });

  test('tags are added, listed and removed', async () => {
    const ResourceName = arn('db', 'prod');
    await region.call('AddTagsToResource', { ResourceName, Tags: [{ Key: 'a', Value: 'b' }] });
    await region.call('RemoveTagsFromResource', { ResourceName, TagKeys: ['incident'] });
    expect(await region.call('ListTagsForResource', { ResourceName })).toEqual({ TagList: [{ Key: 'a', Value: 'b' }] });
    await expect(region.call('ListTagsForResource', { ResourceName: arn('db', 'nobody') })).rejects.toMatchObject({
      code: 'DBInstanceNotFoundFault',
    });
  });
});
