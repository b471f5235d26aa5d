/** An installation that is ready in everything, what makes it so, and how readiness is looked at on it. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { clientsOf } from '../../../cli/clients.ts';
import { kubernetesGroup } from '../../../config/names.ts';
import { snapshotIdentifier, tagsOf } from '../../../core/backup/names.ts';
import { ReadinessRecord, type ReadinessVerdict } from '../../../core/readiness/contracts.ts';
import type { ServiceName } from '../../../local/kernel.ts';
import type { EksService } from '../../../local/services/eks/service.ts';
import { imageCalls, stockerImage } from '../../../workload/infrastructure/deployment.ts';
import { namespaceManifest, recoveryAccessManifests } from '../../../workload/kubernetes/manifests.ts';
import { eventually, Rehearsal } from '../../support/rehearsal.ts';

export let site: Rehearsal;
export let dr: string;

export const call = (service: ServiceName, operation: string, input: object, region = dr) =>
  // biome-ignore lint/suspicious/noExplicitAny: answers of every operation
  site.installation.cloud.call<any>(service, operation, input, region);

/** Makes `site` for the tests of the calling file, with all that a recovery depends on. */
export function onOneInstallation(): void {
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
    // Its schedule is stopped where nobody fails over.
    await call('lambda', 'Invoke', {
      FunctionName: site.names.lambda('region/probe-primary'),
      Payload: Buffer.from('{}'),
    });
  });
  afterEach(() => site.clearFaults());
  afterAll(() => site?.stop());
}

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

export const replica = 'stocker-pro-production-west';

async function makeReplica() {
  const { configuration } = site.installation;
  const { account, primary, database } = configuration;
  await call('rds', 'CreateDBInstanceReadReplica', {
    DBInstanceIdentifier: replica,
    SourceDBInstanceIdentifier: `arn:aws:rds:${primary.region}:${account}:db:${database.identifier}`,
    KmsKeyId: configuration.dr.backupKeyAlias,
    DBSubnetGroupName: configuration.dr.databaseSubnetGroup,
    VpcSecurityGroupIds: configuration.dr.databaseSecurityGroupIds,
  });
  await eventually('a replica that follows', async () => {
    const { DBInstances } = await call('rds', 'DescribeDBInstances', { DBInstanceIdentifier: replica });
    const [{ DBInstanceStatus, StatusInfos = [] }] = DBInstances;
    return DBInstanceStatus === 'available' && StatusInfos[0]?.Status === 'replicating';
  });
}

export const terraformState = () => {
  const { configuration } = site.installation;
  return { Bucket: configuration.dr.terraformStateBucket, Key: configuration.backup.terraformStates[0] };
};
export const putTerraformState = () => call('s3', 'PutObject', { ...terraformState(), Body: Buffer.from('{}') });

/** The image that runs, as it was replicated to the DR Region. */
export const image = () => imageCalls(site.installation.configuration.account, dr).image;
export const [repositoryName, imageTag] = stockerImage.split(':');
export const imageIds = [{ imageTag }];

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

export async function run(input: object, region: string) {
  const { sfn } = clientsOf(site.installation.connection, region);
  const stateMachineArn = site.names.stateMachineArn(region, 'readiness');
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  return eventually(`an end of ${executionArn}`, async () => {
    const ended = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return ended.status !== 'RUNNING' && ended;
  });
}

/** What the newest run found; the schedule of half an hour, a scaled half minute, runs beside it. */
export async function look(input: object = {}): Promise<ReadinessRecord> {
  const { status, cause, executionArn } = await run(input, dr);
  expect({ status, cause }).toEqual({ status: 'SUCCEEDED', cause: undefined });
  const { dynamodb } = clientsOf(site.installation.connection, dr);
  const { Items = [] } = await dynamodb.send(
    new QueryCommand({
      TableName: site.names.incidentTable,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'readiness' } },
      ConsistentRead: true,
      // The newest: a test that looks again and again fills more than the megabyte that an answer holds.
      ScanIndexForward: false,
      Limit: 20,
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
export const wrongIn = ({ checks }: ReadinessRecord): Record<string, ReadinessVerdict> =>
  Object.fromEntries(
    checks
      .filter(({ verdict }) => verdict === 'not-ready' || verdict === 'unknown')
      .map(({ check, verdict }) => [check, verdict]),
  );
