/**
 * The quarterly cluster drill where the configuration names another account: the assembly of that configuration on a cloud of
 * two accounts, without a database, which no drill of a cluster needs. Everything is seen from both accounts' operators.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherClusters } from '../../cli/commands/cluster-drill.ts';
import { planOf, prepareDrillAccount, registerNetwork } from '../../cli/installation.ts';
import { namesOf } from '../../config/names.ts';
import { production } from '../../config/production.ts';
import { parseConfiguration } from '../../config/schema.ts';
import { incidentId, requestKey } from '../../core/incident/identifiers.ts';
import { scaledClock } from '../../local/clock.ts';
import { type Cloud, startCloud } from '../../local/cloud.ts';
import { AwsError } from '../../local/kernel.ts';
import { imageCalls, stockerImage } from '../../workload/infrastructure/deployment.ts';
import { desiredStates, makeRepository } from '../../workload/infrastructure/repository.ts';
import { assemblyOf } from '../support/assembly-of.ts';
import { eventually } from '../support/rehearsal.ts';

const drillAccount = {
  id: '999900001111',
  roleArn: 'arn:aws:iam::999900001111:role/stocker-dr-drill',
  stateBuckets: { primary: 'drills-state-us-east-1', dr: 'drills-state-us-west-2' },
};
const configuration = parseConfiguration({ ...production, cluster: { ...production.cluster, drillAccount } });
const { account, primary, dr, cluster, backup } = configuration;
const { region } = primary;
const names = namesOf(configuration);

let directory: string;
let cloud: Cloud;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'stocker-dr-account-'));
  const assembly = assemblyOf(configuration, directory);
  const root = join(import.meta.dirname, '../..');
  cloud = await startCloud({
    assemblies: [],
    account,
    accounts: [drillAccount.id],
    regions: [region, dr.region],
    clock: scaledClock(60),
    images: { [stockerImage]: { command: [process.execPath, join(root, 'workload/api/main.ts')] } },
    tools: join(root, 'local/tools'),
  });
  for (const network of [primary, dr]) {
    registerNetwork(cloud, network);
    const own = { name: cluster.primary.cluster, resourcesVpcConfig: {}, accessConfig: { authenticationMode: 'API' } };
    await cloud.call('eks', 'CreateCluster', own, network.region);
  }
  await prepareDrillAccount(configuration, cloud);
  const image = imageCalls(account, dr.region);
  await cloud.call('ecr', 'CreateRepository', image.repository, region);
  await cloud.call('ecr', 'PutImage', image.image, region);
  const states = desiredStates(planOf(configuration), configuration.environment);
  const repository = makeRepository(join(cloud.dataDirectory, 'repository'), states);
  for (const [Name, Value] of [
    [cluster.repositoryParameter, repository.url],
    [backup.commitParameter, repository.commit],
  ])
    await cloud.call('ssm', 'PutParameter', { Name, Value, Type: 'String' }, region);
  // Alarms ring, for there is no database; what they would stop and start is no subject here.
  cloud.faults.inject({
    ...{ service: 'lambda', operation: 'Invoke', effect: { kind: 'deny' } },
    where: ({ FunctionName }: { FunctionName: string }) => FunctionName.includes('triage-'),
  });
  await cloud.deploy(assembly);
  await nothingElse();
  const active = {
    ...{ version: 1, identifier: configuration.database.identifier, resourceId: 'db-1', region, epoch: 1 },
    ...{ address: '127.0.0.1', port: 5432, since: '2026-11-22T00:00:00.000Z' },
  };
  const Item = marshall({ pk: 'active-database', sk: 'current', ...active });
  await cloud.call('dynamodb', 'PutItem', { TableName: names.controlTable, Item }, dr.region);
});
afterAll(async () => {
  await cloud?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** No schedule fires beside what is shown. */
async function nothingElse(): Promise<void> {
  for (const each of cloud.regions) {
    const { Schedules } = await cloud.call<{ Schedules: { Name: string }[] }>('scheduler', 'ListSchedules', {}, each);
    for (const { Name } of Schedules) await cloud.call('scheduler', 'DeleteSchedule', { Name }, each);
  }
}

const clustersIn = async (of: string) =>
  (await cloud.call<{ clusters: string[] }>('eks', 'ListClusters', {}, region, of)).clusters;
const keysIn = async (Bucket: string) =>
  (
    (await cloud.call<{ Contents?: { Key: string }[] }>('s3', 'ListObjectsV2', { Bucket }, region, drillAccount.id))
      .Contents ?? []
  ).map(({ Key }) => Key);

async function startDrill() {
  const request = { mode: 'drill', reason: 'quarterly' };
  const { executionArn, startDate } = await cloud.call<{ executionArn: string; startDate: Date }>(
    'sfn',
    'StartExecution',
    { stateMachineArn: names.stateMachineArn(region, 'cluster-recovery'), input: JSON.stringify(request) },
    region,
  );
  return { executionArn, incident: incidentId('drill', startDate.toISOString(), requestKey({}, executionArn)) };
}
interface Ended {
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}
const ended = (executionArn: string) =>
  eventually('an end of the drill', async () => {
    const found = await cloud.call<Ended>('sfn', 'DescribeExecution', { executionArn }, region);
    return found.status !== 'RUNNING' && found;
  });

test('a drill makes, looks at and destroys its cluster there, as the role there; production’s account has no part in it', async () => {
  const made: object[] = [];
  const sessions = new Set<string>();
  const unseen = cloud.faults.inject({
    ...{ service: 'eks', operation: /^(Create|Delete)(Cluster|Nodegroup)$/ },
    effect: {
      kind: 'hold',
      until: async (input, { principal, account: of }) => {
        made.push({ of, by: principal.kind === 'role' && principal.roleArn, cluster: input.name ?? input.clusterName });
        if (principal.kind === 'role') sessions.add(principal.sessionName);
      },
    },
  });
  const { executionArn, incident } = await startDrill();
  const { status, cause } = await ended(executionArn);
  expect(status, cause).toBe('SUCCEEDED');
  unseen();
  const there = { of: drillAccount.id, by: drillAccount.roleArn, cluster: cluster.drill.cluster };
  expect(made).toEqual([there, there, there, there]);
  expect([...sessions]).toEqual([incident]);
  expect(await keysIn(drillAccount.stateBuckets.primary)).toEqual([cluster.drill.stateKey]);
  expect(await clustersIn(drillAccount.id)).toEqual([]);
  expect(await clustersIn(account)).toEqual([cluster.primary.cluster]);
});

test('a drill whose role does not admit it makes nothing, anywhere', async () => {
  const denied = cloud.faults.inject({
    ...{ service: 'sts', operation: 'AssumeRole', effect: { kind: 'deny' } },
    where: ({ RoleArn }: { RoleArn: string }) => RoleArn === drillAccount.roleArn,
  });
  let made = 0;
  const count = async () => void made++;
  const uncounted = cloud.faults.inject({
    service: 'eks',
    operation: /^Create/,
    effect: { kind: 'hold', until: count },
  });
  const { executionArn } = await startDrill();
  expect(await ended(executionArn)).toMatchObject({
    status: 'FAILED',
    error: 'DrillAccountRefused',
    cause: expect.stringContaining('Drills in another account'),
  });
  denied();
  uncounted();
  expect(made).toBe(0);
});

test('a drill that is stopped while its cluster is made is destroyed there as well, though Terraform’s state is locked and does not know of it', async () => {
  const there = <T>(...[service, operation, input]: [Parameters<Cloud['call']>[0], string, object]) =>
    cloud.call<T>(service, operation, input, region, drillAccount.id);
  const Key = { LockID: { S: `${drillAccount.stateBuckets.primary}/${cluster.drill.stateKey}` } };
  const lock = async () =>
    (await there<{ Item?: object }>('dynamodb', 'GetItem', { TableName: cluster.lockTable, Key })).Item;
  const beside = () => otherClusters({ configuration, cloud });
  const builds = async () => {
    const projectName = names.jobProject('cluster-drill');
    const { ids } = await cloud.call<{ ids: string[] }>('codebuild', 'ListBuildsForProject', { projectName }, region);
    return (await cloud.call<{ builds: { buildStatus: string }[] }>('codebuild', 'BatchGetBuilds', { ids }, region))
      .builds;
  };
  let executionArn = '';
  const left = new Promise<{ clusters: string[]; lock: object | undefined }>((resolve) => {
    cloud.faults.inject({
      ...{ service: 's3', operation: 'PutObject', times: 1 },
      where: (input: { Key: string }) => input.Key === cluster.drill.stateKey,
      effect: {
        kind: 'hold',
        until: async () => {
          await cloud.call('sfn', 'StopExecution', { executionArn, cause: 'seen enough' }, region);
          await eventually('the end of its build', async () => (await builds())[0]?.buildStatus === 'STOPPED');
          resolve({ clusters: await beside(), lock: await lock() });
          throw new AwsError('ServiceUnavailable', 'whoever writes this state is dead');
        },
      },
    });
  });
  ({ executionArn } = await startDrill());
  expect(await left).toEqual({ clusters: [cluster.drill.cluster], lock: expect.anything() });
  await eventually('no cluster of the drill', async () => (await beside()).length === 0);
  await eventually('no lock', async () => (await lock()) === undefined);
  expect(await clustersIn(account)).toEqual([cluster.primary.cluster]);
});
