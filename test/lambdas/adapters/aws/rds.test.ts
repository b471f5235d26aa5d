import { expect, test } from 'vitest';
import { provisionedStorage } from '../../../../lambdas/adapters/aws/rds.ts';

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
