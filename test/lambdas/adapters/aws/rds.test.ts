import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { databases } from '../../../../lambdas/adapters/aws/rds.ts';
import { explicitSettings, provisionedStorage } from '../../../../lambdas/adapters/aws/rds-restore.ts';
import { makeInstance } from '../../../core/fakes.ts';

test.each([
  {
    case: 'small gp3: RDS refuses to be told its baseline',
    like: { storageType: 'gp3', allocatedStorage: 100, iops: 3000, storageThroughput: 125 },
    told: {},
  },
  {
    case: 'striped gp3',
    like: { storageType: 'gp3', allocatedStorage: 400, iops: 12_000, storageThroughput: 500 },
    told: { Iops: 12_000, StorageThroughput: 500 },
  },
  { case: 'gp2, which has neither', like: { storageType: 'gp2', allocatedStorage: 500 }, told: {} },
  {
    case: 'io2, whose throughput follows from its IOPS',
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

/** RDS that refuses every deletion; `exists` is what it says of the instance when it is asked. */
async function refusingDeletion(exists: boolean, region: string) {
  const failure = (status: number, code: string) => ({
    status,
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
  });
  const instance =
    '<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>copy</DBInstanceIdentifier></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>';
  const server = createServer(async (request, response) => {
    let asked = '';
    for await (const chunk of request) asked += chunk;
    const denied = asked.includes('Action=DeleteDBInstance');
    const { status, body } = denied
      ? failure(403, 'AccessDenied')
      : exists
        ? { status: 200, body: instance }
        : failure(404, 'DBInstanceNotFound');
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    server.close();
  });
  return databases({ here: { region } as Parameters<typeof databases>[0]['here'] });
}

test('a deletion that is refused because what it names is gone has succeeded', async () => {
  const rds = await refusingDeletion(false, 'us-east-1');
  expect(await rds.delete('copy')).toBe('gone');
});

test('(control) a deletion that is refused while the instance is there fails', async () => {
  const rds = await refusingDeletion(true, 'us-west-2');
  await expect(rds.delete('copy')).rejects.toMatchObject({ name: 'AccessDenied' });
});
