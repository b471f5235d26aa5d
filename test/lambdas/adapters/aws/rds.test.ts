import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RestoreSpecification } from '../../../../core/database/ports.ts';
import { databases } from '../../../../lambdas/adapters/aws/rds.ts';
import { explicitSettings, provisionedStorage } from '../../../../lambdas/adapters/aws/rds-restore.ts';
import { replicas } from '../../../../lambdas/adapters/aws/replicas.ts';
import { makeInstance, settings } from '../../../core/fakes.ts';

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

/** As small a copy as there is. */
const like = makeInstance({ settings: { instanceClass: 'db.r7g.large', storageType: 'gp3', allocatedStorage: 100 } });
const specification: Omit<RestoreSpecification, 'from'> = {
  targetIdentifier: 'dr-drill-copy',
  like,
  subnetGroup: 'private',
  parameterGroup: 'ours',
  securityGroupIds: ['sg-isolated'],
  multiAz: false,
  tags: {},
};
const origins: Readonly<Record<string, RestoreSpecification['from']>> = {
  RestoreDBInstanceToPointInTime: {
    kind: 'time',
    sourceIdentifier: like.identifier,
    sourceResourceId: like.resourceId,
    at: 'latest',
  },
  RestoreDBInstanceFromDBSnapshot: { kind: 'snapshot', snapshotIdentifier: 'nightly' },
  CreateDBInstance: {
    kind: 'nothing',
    engine: 'postgres',
    engineVersion: '17.4',
    databaseName: 'stocker',
    master: { username: 'postgres', password: 'correct-horse' },
  },
};
const replicasOf = (region: string) => replicas({ settings }, region);
const replica = {
  identifier: 'stocker-pro-staging-0123abcd',
  sourceArn: like.arn,
  subnetGroup: 'private',
  securityGroupIds: ['sg-isolated'],
  keyId: undefined,
  like,
  tags: {},
};
const calls: Readonly<Record<string, (region: string) => Promise<unknown>>> = {
  ...Object.fromEntries(
    Object.entries(origins).map(([action, from]) => [
      action,
      (region: string) => rdsOf(region).restore({ ...specification, from }),
    ]),
  ),
  CreateDBInstanceReadReplica: (region) => replicasOf(region).create(replica),
  ModifyDBInstance: (region) => rdsOf(region).protect('stocker-pro-staging', like),
};

test.each(Object.entries(calls).map(([action, call], index) => ({ action, call, region: `eu-west-${index + 1}` })))(
  '$action that RDS has no capacity for is tried again, and says what a person can do',
  async ({ action, call, region }) => {
    const questions = await answering(() => failure(400, 'InsufficientDBInstanceCapacity'));
    const failed = call(region);
    await expect(failed).rejects.toMatchObject({ name: 'DatabaseNotReady', retryable: true });
    await expect(failed).rejects.toThrow(new RegExp(`no capacity of class db.r7g.large .* in ${region} .*class`));
    expect(questions.map((asked) => asked.get('Action'))).toContain(action);
  },
);

test('(control) a restore that RDS refuses for good is not', async () => {
  await answering(() => failure(400, 'DBSubnetGroupDoesNotCoverEnoughAZs'));
  const restored = rdsOf('eu-south-1').restore({
    ...specification,
    from: { kind: 'snapshot', snapshotIdentifier: 's' },
  });
  await expect(restored).rejects.toMatchObject({ name: 'DBSubnetGroupDoesNotCoverEnoughAZs' });
});

test('a replica is asked for by its source’s ARN, which its subnet group needs, and without a parameter group', async () => {
  const questions = await answering(() => ({
    status: 200,
    body: '<CreateDBInstanceReadReplicaResponse><CreateDBInstanceReadReplicaResult/></CreateDBInstanceReadReplicaResponse>',
  }));
  expect(await replicasOf('eu-north-1').create(replica)).toBe('started');
  const [asked] = questions;
  expect(asked?.get('SourceDBInstanceIdentifier')).toBe(like.arn);
  expect(asked?.get('DBSubnetGroupName')).toBe('private');
  expect(asked?.has('DBParameterGroupName')).toBe(false);
});

test.each([
  { case: 'its own Region’s key', region: 'eu-central-2', has: true },
  { case: 'no key of another Region, which RDS refuses', region: 'ap-east-1', has: false },
])('a replica is observed as its source is, with $case', async ({ region, has }) => {
  const questions = await answering(() => ({
    status: 200,
    body: '<CreateDBInstanceReadReplicaResponse><CreateDBInstanceReadReplicaResult/></CreateDBInstanceReadReplicaResponse>',
  }));
  const key = 'arn:aws:kms:eu-central-2:111122223333:key/k';
  const settings = {
    ...like.settings,
    ...{ monitoringInterval: 60, monitoringRole: 'arn:aws:iam::111122223333:role/monitoring' },
    ...{ performanceInsights: true, performanceInsightsKey: key, performanceInsightsDays: 31 },
    ...{ iamAuthentication: true, networkType: 'DUAL' },
  };
  await replicasOf(region).create({ ...replica, like: { ...like, settings } });
  expect(Object.fromEntries(questions[0] ?? [])).toMatchObject({
    MonitoringInterval: '60',
    MonitoringRoleArn: 'arn:aws:iam::111122223333:role/monitoring',
    EnablePerformanceInsights: 'true',
    PerformanceInsightsRetentionPeriod: '31',
    EnableIAMDatabaseAuthentication: 'true',
    NetworkType: 'DUAL',
  });
  expect(questions[0]?.get('PerformanceInsightsKMSKeyId') ?? undefined).toBe(has ? key : undefined);
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

interface Answer {
  readonly status: number;
  readonly body: string;
}

const failure = (status: number, code: string): Answer => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${code}</Message></Error></ErrorResponse>`,
});

/** An RDS that answers as it is told; what it was asked, in order. The client of a Region is kept: each test has its own. */
async function answering(answerTo: (asked: URLSearchParams) => Answer): Promise<URLSearchParams[]> {
  const questions: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const asked = new URLSearchParams(text);
    questions.push(asked);
    const { status, body } = answerTo(asked);
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
  return questions;
}

const rdsOf = (region: string) => databases({ here: { region } as Parameters<typeof databases>[0]['here'] });

/** RDS that refuses every deletion; `exists` is what it says of the instance when it is asked. */
async function refusingDeletion(exists: boolean, region: string) {
  const instance =
    '<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>copy</DBInstanceIdentifier></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>';
  await answering((asked) =>
    asked.get('Action') === 'DeleteDBInstance'
      ? failure(403, 'AccessDenied')
      : exists
        ? { status: 200, body: instance }
        : failure(404, 'DBInstanceNotFound'),
  );
  return rdsOf(region);
}

test('a deletion that is refused because what it names is gone has succeeded', async () => {
  const rds = await refusingDeletion(false, 'us-east-1');
  expect(await rds.delete('copy')).toBe('gone');
});

test('(control) a deletion that is refused while the instance is there fails', async () => {
  const rds = await refusingDeletion(true, 'us-west-2');
  await expect(rds.delete('copy')).rejects.toMatchObject({ name: 'AccessDenied' });
});
