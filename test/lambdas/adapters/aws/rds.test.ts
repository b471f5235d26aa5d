import { expect, test } from 'vitest';
import { explicitSettings, provisionedStorage } from '../../../../lambdas/adapters/aws/rds-restore.ts';
import { makeInstance } from '../../../core/fakes.ts';

test.each([
  {
    $case: 'small gp3: RDS refuses to be told its baseline',
    like: { storageType: 'gp3', allocatedStorage: 100, iops: 3000, storageThroughput: 125 },
    told: {},
  },
  {
    $case: 'striped gp3',
    like: { storageType: 'gp3', allocatedStorage: 400, iops: 12_000, storageThroughput: 500 },
    told: { Iops: 12_000, StorageThroughput: 500 },
  },
  { $case: 'gp2, which has neither', like: { storageType: 'gp2', allocatedStorage: 500 }, told: {} },
  {
    $case: 'io2, whose throughput follows from its IOPS',
    like: { storageType: 'io2', allocatedStorage: 100, iops: 5000, storageThroughput: 0 },
    told: { Iops: 5000 },
  },
])('a restore states the IOPS of $case', ({ like, told }) => {
  expect(provisionedStorage(like)).toEqual(told);
});

test('a restore leaves nothing to the defaults of RDS that its source says otherwise', () => {
  const like = makeInstance({
    settings: {
      instanceClass: 'db.r7g.large',
      storageType: 'io2',
      iops: 5000,
      iamAuthentication: true,
      dedicatedLogVolume: true,
      engineLifecycleSupport: 'open-source-rds-extended-support-disabled',
      logExports: ['postgresql'],
    },
  });
  const explicit = explicitSettings({
    targetIdentifier: 'dr-drill-copy',
    from: { kind: 'time', sourceIdentifier: like.identifier, sourceResourceId: like.resourceId, at: 'latest' },
    like,
    subnetGroup: 'private',
    parameterGroup: 'ours',
    securityGroupIds: ['sg-isolated'],
    multiAz: false,
    tags: { 'stocker-dr:incident': 'drill-1' },
  });
  expect(explicit).toMatchObject({
    DBInstanceClass: 'db.r7g.large',
    Iops: 5000,
    EnableIAMDatabaseAuthentication: true,
    DedicatedLogVolume: true,
    EngineLifecycleSupport: 'open-source-rds-extended-support-disabled',
    EnableCloudwatchLogsExports: ['postgresql'],
    VpcSecurityGroupIds: ['sg-isolated'],
    PubliclyAccessible: false,
    Tags: [{ Key: 'stocker-dr:incident', Value: 'drill-1' }],
  });
});
