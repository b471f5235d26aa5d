/** What a recovery depends on, looked at on a whole installation: all is ready, and then one thing after another is not. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import { confirmSubscriptions } from '../../cli/installation.ts';
import { kubernetesGroup } from '../../config/names.ts';
import { snapshotIdentifier, tagsOf } from '../../core/backup/names.ts';
import { ReadinessRecord, type ReadinessVerdict } from '../../core/readiness/contracts.ts';
import type { FaultRule } from '../../local/faults.ts';
import { AwsError, type ServiceName } from '../../local/kernel.ts';
import type { EksService } from '../../local/services/eks/service.ts';
import type { QuotasService } from '../../local/services/service-quotas/index.ts';
import { imageCalls, stockerImage } from '../../workload/infrastructure/deployment.ts';
import { namespaceManifest, recoveryAccessManifests } from '../../workload/kubernetes/manifests.ts';
import { eventually, Rehearsal } from '../support/rehearsal.ts';

let site: Rehearsal;
let dr: string;

const call = (service: ServiceName, operation: string, input: object, region = dr) =>
  // biome-ignore lint/suspicious/noExplicitAny: answers of every operation
  site.installation.cloud.call<any>(service, operation, input, region);

beforeAll(async () => {
  site = await Rehearsal.start({
    environment: 'production',
    assembly: inject('assemblies').production,
    readiness: true,
  });
  dr = site.installation.configuration.dr.region;
  await site.ignoreAlarms();
  await Promise.all([admitToCluster(), exportImage(), backUp().then(makeReplica)]);
  await site.restorable(Date.now());
  const { status, cause } = await site.drill();
  if (status !== 'SUCCEEDED') throw new Error(`the drill ${status}: ${cause}`);
  await rememberDrillOfRegion();
});
afterEach(() => site.clearFaults());
afterAll(() => site?.stop());

/** What a drill of the Region leaves in the DR Region, of the same release; region.test.ts has one. */
async function rememberDrillOfRegion() {
  const drilled = (await site.records()).find(({ pk, sk }) => pk === 'green-drill' && sk === 'database');
  const Item = marshall({ ...drilled, sk: 'region', scenario: 'region' });
  await call('dynamodb', 'PutItem', { TableName: site.names.incidentTable, Item });
}

/** What docs/deploy.md has applied in the cluster of each Region. */
async function admitToCluster() {
  const { cluster, namespace } = site.installation.configuration.application.deployment;
  const kubernetes = (site.installation.cloud.service('eks', dr) as EksService).kubernetes(cluster);
  await kubernetes.apply(namespaceManifest(namespace));
  for (const manifest of recoveryAccessManifests(namespace, kubernetesGroup)) await kubernetes.apply(manifest);
}

const replica = 'stocker-pro-production-west';

async function makeReplica() {
  const { configuration } = site.installation;
  const { account, primary, database } = configuration;
  await call('rds', 'CreateDBInstanceReadReplica', {
    DBInstanceIdentifier: replica,
    SourceDBInstanceIdentifier: `arn:aws:rds:${primary.region}:${account}:db:${database.identifier}`,
    KmsKeyId: configuration.dr.backupKeyAlias,
    DBSubnetGroupName: configuration.dr.databaseSubnetGroup,
    DBParameterGroupName: configuration.dr.databaseParameterGroup,
    VpcSecurityGroupIds: configuration.dr.databaseSecurityGroupIds,
  });
  await eventually('a replica that follows', async () => {
    const { DBInstances } = await call('rds', 'DescribeDBInstances', { DBInstanceIdentifier: replica });
    const [{ DBInstanceStatus, StatusInfos = [] }] = DBInstances;
    return DBInstanceStatus === 'available' && StatusInfos[0]?.Status === 'replicating';
  });
}

const terraformState = () => {
  const { configuration } = site.installation;
  return { Bucket: configuration.dr.terraformStateBucket, Key: configuration.backup.terraformStates[0] };
};
const putTerraformState = () => call('s3', 'PutObject', { ...terraformState(), Body: Buffer.from('{}') });

/** The image that runs, as it was replicated to the DR Region. */
const image = () => imageCalls(site.installation.configuration.account, dr).image;
const [repositoryName, imageTag] = stockerImage.split(':');
const imageIds = [{ imageTag }];

/** The export that names it, as the backup keeps it there. */
async function exportImage() {
  const { account } = site.installation.configuration;
  const replicated = await eventually('the image in the DR Region', () =>
    call('ecr', 'DescribeImages', { repositoryName, imageIds }).catch(() => undefined),
  );
  const [{ imageDigest }] = replicated.imageDetails;
  const name = `${account}.dkr.ecr.${dr}.amazonaws.com/${repositoryName}@${imageDigest}`;
  await call('s3', 'PutObject', {
    Bucket: site.names.evidenceBucket(dr),
    Key: 'backups/cluster-state/backup-20261128T020000Z/stocker-production.json',
    Body: Buffer.from(JSON.stringify({ items: [{ spec: { containers: [{ image: name }] } }] }, undefined, 2)),
  });
}

/** The day's snapshot and its copy, by the names and tags of the backup. */
async function backUp() {
  const { account, database, dr: there } = site.installation.configuration;
  const { DBInstances } = await call(
    'rds',
    'DescribeDBInstances',
    { DBInstanceIdentifier: database.identifier },
    site.region,
  );
  const source = { identifier: database.identifier, resourceId: DBInstances[0].DbiResourceId };
  const name = snapshotIdentifier(database.identifier, new Date().toISOString());
  const Tags = Object.entries(tagsOf({ id: 'backup-1', source }, 'production')).map(([Key, Value]) => ({ Key, Value }));
  const isAvailable = (region: string) =>
    eventually(`${name} in ${region}`, async () => {
      const { DBSnapshots } = await call('rds', 'DescribeDBSnapshots', { DBSnapshotIdentifier: name }, region);
      return DBSnapshots[0].Status === 'available';
    });
  const snapshot = { DBSnapshotIdentifier: name, DBInstanceIdentifier: database.identifier, Tags };
  await call('rds', 'CreateDBSnapshot', snapshot, site.region);
  await isAvailable(site.region);
  await call('rds', 'CopyDBSnapshot', {
    SourceDBSnapshotIdentifier: `arn:aws:rds:${site.region}:${account}:snapshot:${name}`,
    TargetDBSnapshotIdentifier: name,
    KmsKeyId: there.backupKeyAlias,
    Tags,
  });
  await isAvailable(dr);
}

async function run(input: object, region: string) {
  const { sfn } = clientsOf(site.installation.connection, region);
  const stateMachineArn = site.names.stateMachineArn(region, 'readiness');
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  return eventually(`an end of ${executionArn}`, async () => {
    const ended = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return ended.status !== 'RUNNING' && ended;
  });
}

/** What the newest run found; the schedule of half an hour, a scaled half minute, runs beside it. */
async function look(input: object = {}): Promise<ReadinessRecord> {
  const { status, cause, executionArn } = await run(input, dr);
  expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
  const { dynamodb } = clientsOf(site.installation.connection, dr);
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: site.names.incidentTable,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'readiness' } },
      ConsistentRead: true,
    }),
  );
  const records = Items.map((item) => {
    const { pk: _, sk: __, ttl: ___, ...record } = unmarshall(item);
    return ReadinessRecord.parse(record);
  });
  const own = records.find(({ run: { executionArn: by } }) => by === executionArn);
  if (own === undefined) throw new Error(`${executionArn} kept no record`);
  return own;
}

/** Checks that are neither ready nor exempt, by verdict. */
const wrongIn = ({ checks }: ReadinessRecord): Record<string, ReadinessVerdict> =>
  Object.fromEntries(
    checks
      .filter(({ verdict }) => verdict === 'not-ready' || verdict === 'unknown')
      .map(({ check, verdict }) => [check, verdict]),
  );

test('all is ready, and the Region of production leaves it to the other one', async () => {
  const record = await look();
  expect(record.checks.filter(({ check }) => check in wrongIn(record))).toEqual([]);
  expect(record).toMatchObject({
    verdict: 'ready',
    run: { region: dr, activeRegion: site.region },
    scenarios: [
      { scenario: 'database', score: 100 },
      { scenario: 'region', score: 100 },
    ],
  });
  // Control: there was something to look at.
  const evidence = Object.fromEntries(record.checks.map((each) => [each.check, each.evidence]));
  expect(evidence).toMatchObject({
    'replica-lag': { heartbeat: expect.any(String) },
    'certificate-standby': { until: expect.stringMatching(/^20\d\d-/) },
    images: { checked: 1 },
    'terraform-state': { states: [{ found: 'versioned' }] },
    'drill-database': { release: expect.stringMatching(/^[0-9a-f]{16}$/) },
    'cluster-access': { answer: 200 },
    dns: { records: expect.arrayContaining([expect.objectContaining({ routing: 'PRIMARY' })]) },
  });
  expect(Number(evidence.permissions?.simulated)).toBeGreaterThan(500);
  const there = await run({}, site.region);
  expect(JSON.parse(there.output ?? '')).toEqual({ skipped: expect.stringContaining(dr) });
});

interface Fault {
  readonly check: string;
  readonly fault: string;
  break(): Promise<unknown>;
  mend(): Promise<unknown>;
  readonly input?: object;
}
const topicKey = { KeyId: 'alias/stocker-dr-production' };
const keyId = async () => ({ KeyId: (await call('kms', 'DescribeKey', topicKey)).KeyMetadata.KeyId });
const secret = { SecretId: 'stocker-pro/production/database/stocker-app' };
const internalTopic = () => {
  const { account } = site.installation.configuration;
  return `arn:aws:sns:${dr}:${account}:${site.names.internalTopic}`;
};
const quotas = () => site.installation.cloud.service('service-quotas', dr) as QuotasService;
const roleOf = async (path: string) => {
  const { Role } = await call('lambda', 'GetFunctionConfiguration', { FunctionName: site.names.lambda(path) });
  return { RoleName: String(Role).split('/').at(-1) };
};
const deny = {
  PolicyName: 'Lockdown',
  PolicyDocument: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: 'rds:RestoreDBInstanceToPointInTime', Resource: '*' }],
  }),
};
const accessEntry = async () => {
  const { Role } = await call('lambda', 'GetFunctionConfiguration', {
    FunctionName: site.names.lambda('readiness/look-at-cluster'),
  });
  const { cluster } = site.installation.configuration.application.deployment;
  return { clusterName: cluster, principalArn: Role };
};

let recordOfClients: ResourceRecordSet | undefined;
/** Gives the primary's record of clients another shape, or its own again. */
async function changeRecord(change: Partial<ResourceRecordSet>) {
  const { hostedZoneId: HostedZoneId } = site.installation.traffic;
  const { ResourceRecordSets } = await call('route-53', 'ListResourceRecordSets', { HostedZoneId });
  const { recordName } = site.installation.configuration.traffic;
  recordOfClients ??= (ResourceRecordSets as ResourceRecordSet[]).find(
    ({ Name, Failover }) => Name === `${recordName}.` && Failover === 'PRIMARY',
  );
  const Changes = [{ Action: 'UPSERT', ResourceRecordSet: { ...recordOfClients, ...change } }];
  await call('route-53', 'ChangeResourceRecordSets', { HostedZoneId, ChangeBatch: { Changes } });
}

const faults: readonly Fault[] = [
  {
    check: 'keys-standby',
    fault: 'a key is disabled',
    break: async () => call('kms', 'DisableKey', await keyId()),
    mend: async () => call('kms', 'EnableKey', await keyId()),
  },
  {
    check: 'images',
    fault: 'an image is deleted',
    break: () => call('ecr', 'BatchDeleteImage', { repositoryName, imageIds }),
    mend: () => call('ecr', 'PutImage', image()),
  },
  {
    check: 'subscriptions-standby',
    fault: 'a subscription waits to be confirmed',
    break: () =>
      call('sns', 'Subscribe', { TopicArn: internalTopic(), Protocol: 'email', Endpoint: 'new@example.com' }),
    mend: () => confirmSubscriptions(site.installation.cloud),
  },
  {
    check: 'quotas-standby',
    fault: 'a quota is lowered',
    break: async () => quotas().set('rds', 'L-7B6409FD', 2),
    mend: async () => quotas().set('rds', 'L-7B6409FD', 40),
  },
  {
    check: 'terraform-state',
    fault: 'a state is deleted',
    break: () => call('s3', 'DeleteObject', terraformState()),
    mend: putTerraformState,
  },
  {
    check: 'secrets-standby',
    fault: 'a secret is replicated no more',
    break: () =>
      call('secrets-manager', 'RemoveRegionsFromReplication', { ...secret, RemoveReplicaRegions: [dr] }, site.region),
    mend: () =>
      call(
        'secrets-manager',
        'ReplicateSecretToRegions',
        { ...secret, AddReplicaRegions: [{ Region: dr }] },
        site.region,
      ),
  },
  {
    check: 'permissions',
    fault: 'a role may no longer restore',
    break: async () => call('iam', 'PutRolePolicy', { ...(await roleOf('database/restore-database')), ...deny }),
    mend: async () =>
      call('iam', 'DeleteRolePolicy', {
        ...(await roleOf('database/restore-database')),
        PolicyName: deny.PolicyName,
      }),
    input: { permissions: 'now' },
  },
  {
    check: 'dns',
    fault: 'the record of clients follows its latch no more',
    break: () => changeRecord({ HealthCheckId: undefined }),
    mend: () => changeRecord({}),
  },
  {
    check: 'cluster-access',
    fault: 'an access entry is deleted',
    break: async () => call('eks', 'DeleteAccessEntry', await accessEntry()),
    mend: async () =>
      call('eks', 'CreateAccessEntry', { ...(await accessEntry()), kubernetesGroups: [kubernetesGroup] }),
  },
];

/** Heartbeats stop here, for CloudWatch counts by the minute: meanwhile other checks are turned, and the last test sees it. */
const othersIn = (record: ReadinessRecord) => {
  const { heartbeat: _, ...others } = wrongIn(record);
  return others;
};

describe('a fault turns its check, and no other', () => {
  beforeAll(() => site.sql('ALTER ROLE stocker_dr_heartbeat NOLOGIN'));

  test.each(faults)('$check: $fault', async ({ check, break: breakIt, mend, input = {} }) => {
    await breakIt();
    const broken = await look(input).finally(mend);
    expect(othersIn(broken)).toEqual({ [check]: 'not-ready' });
    expect(broken.verdict).toBe('not-ready');
    expect(othersIn(await look())).toEqual({});
  });
});

const dark = (where: NonNullable<FaultRule['where']>): Pick<FaultRule, 'where' | 'effect'> => ({
  where,
  effect: { kind: 'throw', error: new AwsError('ServiceUnavailable', 'dark') },
});
const dependsOnPrimary = [
  'restore-window',
  'backup',
  'keys',
  'secrets',
  'quotas',
  'subscriptions',
  'drill-database',
  'drill-region',
  'release-database',
  'release-region',
];

const unknownHeartbeat = expect.objectContaining({ check: 'heartbeat', verdict: 'unknown' });

describe('what does not answer is unknown, and nothing else changes', () => {
  test.each<{ silent: string; rule: () => FaultRule; checks: readonly string[] }>([
    {
      silent: 'KMS of the DR Region',
      rule: () => ({ service: 'kms', operation: 'DescribeKey', ...dark((_, { region }) => region === dr) }),
      checks: ['keys-standby'],
    },
    {
      silent: 'a function that looks',
      rule: () => ({
        service: 'lambda',
        operation: 'Invoke',
        ...dark(({ FunctionName = '' }) => FunctionName.includes('look-at-terraform')),
      }),
      checks: ['terraform-state'],
    },
    {
      silent: 'the whole Region of production',
      rule: () => ({ service: '*', operation: '*', ...dark((_, { region }) => region === site.region) }),
      // Route 53's control plane is there as well, wherever one asks from.
      checks: [...dependsOnPrimary, 'dns'],
    },
  ])('$silent', async ({ rule, checks }) => {
    site.inject(rule());
    const record = await look();
    expect(othersIn(record)).toEqual(Object.fromEntries(checks.map((check) => [check, 'unknown'])));
    const ofPrimary = record.checks.filter(({ dependsOn }) => dependsOn === 'primary').map(({ check }) => check);
    if (!checks.includes('dns')) return;
    // Without strict fencing there is no tenure to know of.
    expect(ofPrimary.toSorted()).toEqual([...dependsOnPrimary, 'heartbeat', 'tenure'].toSorted());
    expect(record).toMatchObject({ verdict: 'unknown', checks: expect.arrayContaining([unknownHeartbeat]) });
  });
});

test('`dr readiness` looks, prints the table and ends with what it found', async () => {
  const { cloud, connection } = site.installation;
  const bin = join(import.meta.dirname, '../../bin/dr.ts');
  const child = spawn(process.execPath, [bin, 'readiness', '--run'], {
    env: {
      PATH: process.env.PATH,
      HOME: cloud.dataDirectory,
      AWS_ENDPOINT_URL: cloud.endpoint,
      AWS_ACCESS_KEY_ID: connection.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: connection.credentials.secretAccessKey,
    },
  });
  quotas().set('rds', 'L-272F1212', 1);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = await text(child.stdout);
  expect(await ended).toBe(exitCodes.failed);
  quotas().set('rds', 'L-272F1212', 100);
  expect(said).toMatch(/^\nReadiness of production, seen from us-west-2 at /);
  expect(said).toMatch(/quotas-standby +NOT READY +dr +\S+ s +manual DB snapshots in us-west-2: 1 of 1 used/);
  expect(said).toMatch(/region +NOT READY +\d\d % +.*quotas-standby/);
  // The first of them: heartbeats have stopped, which CloudWatch may know by now.
  expect(said).toMatch(/docs\/runbooks\/readiness\.md#readiness-(heartbeat|quotas-standby)/);
});

test('a replica that is gone, and heartbeats that have stopped', async () => {
  await call('rds', 'DeleteDBInstance', { DBInstanceIdentifier: replica, SkipFinalSnapshot: true });
  const record = await eventually('a look in a minute without heartbeats', async () => {
    const found = await look();
    const wrong = wrongIn(found);
    // A source that is slow to answer is unknown, and asked again.
    return wrong.heartbeat !== undefined && !Object.values(wrong).includes('unknown') && found;
  });
  expect(wrongIn(record)).toEqual({ replication: 'not-ready', 'replica-lag': 'not-ready', heartbeat: 'not-ready' });
});
