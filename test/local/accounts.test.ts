/** Two accounts of one cloud, through the real SDK: what is one's, the other neither sees nor reaches, but by a role that admits it. */
import { request } from 'node:https';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { CreateClusterCommand, DescribeClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cloud, startCloud } from '../../local/cloud.ts';
import type { KubernetesSetup } from '../../local/services/eks/service.ts';
import { tokenFor } from '../../local/tools/kubeconfig.ts';

const [production, drills, region] = ['111122223333', '999900001111', 'us-east-1'];
const roleIn = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`;
const there = roleIn(drills, 'drill');

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}
let cloud: Cloud;
let own: Keys;
let assumed: Keys;

async function makeRole(account: string, RoleName: string, trust: object, ...statements: object[]): Promise<void> {
  const policy = (Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
  const role = {
    RoleName,
    AssumeRolePolicyDocument: policy([{ Effect: 'Allow', Action: 'sts:AssumeRole', ...trust }]),
  };
  await cloud.call('iam', 'CreateRole', role, region, account);
  if (statements.length === 0) return;
  const inline = { RoleName, PolicyName: 'own', PolicyDocument: policy(statements) };
  await cloud.call('iam', 'PutRolePolicy', inline, region, account);
}
const clientOf = (credentials?: Keys) => ({
  endpoint: cloud.endpoint,
  region,
  maxAttempts: 1,
  forcePathStyle: true,
  credentials: credentials ?? { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'any' },
});
async function assume(RoleArn: string, as?: Keys, RoleSessionName = 'drill-1'): Promise<Keys> {
  const { Credentials } = await new STSClient(clientOf(as)).send(new AssumeRoleCommand({ RoleArn, RoleSessionName }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}
const listed = async (credentials: Keys) =>
  (await new EKSClient(clientOf(credentials)).send(new ListClustersCommand())).clusters;
const make = (credentials: Keys, name: string) =>
  new EKSClient(clientOf(credentials)).send(
    new CreateClusterCommand({
      name,
      roleArn: roleIn(drills, 'cluster'),
      resourcesVpcConfig: {},
      accessConfig: { authenticationMode: 'API' },
    }),
  );

beforeAll(async () => {
  cloud = await startCloud({ assemblies: [], account: production, accounts: [drills], regions: [region] });
  const anybody = { Principal: { AWS: `arn:aws:iam::${production}:root` } };
  const all = { Effect: 'Allow', Action: '*', Resource: '*' };
  await makeRole(production, 'recovery', anybody, all);
  await makeRole(production, 'bystander', anybody);
  await makeRole(
    drills,
    'drill',
    {
      Principal: { AWS: roleIn(production, 'recovery') },
      Condition: { StringLike: { 'sts:RoleSessionName': 'drill-*' } },
    },
    all,
  );
  await makeRole(drills, 'open', anybody, all);
  own = await assume(roleIn(production, 'recovery'));
  assumed = await assume(there, own);
  await make(own, 'stocker');
});
afterAll(() => cloud?.stop());

describe('another account', () => {
  it('is who its role’s session is', async () => {
    const { Account, Arn } = await new STSClient(clientOf(assumed)).send(new GetCallerIdentityCommand());
    expect({ Account, Arn }).toEqual({
      Account: drills,
      Arn: `arn:aws:sts::${drills}:assumed-role/drill/drill-1`,
    });
  });

  it('has clusters of its own: neither account sees the other’s, nor its Kubernetes API lets it in', async () => {
    expect(await listed(assumed)).toEqual([]);
    const { cluster } = await make(assumed, 'dr-drill-stocker');
    expect(cluster?.arn).toBe(`arn:aws:eks:${region}:${drills}:cluster/dr-drill-stocker`);
    expect(await listed(assumed)).toEqual(['dr-drill-stocker']);
    expect(await listed(own)).toEqual(['stocker']);
    const describeIt = new EKSClient(clientOf(own)).send(new DescribeClusterCommand({ name: 'dr-drill-stocker' }));
    await expect(describeIt).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const api = { server: cluster?.endpoint ?? '', ca: cluster?.certificateAuthority?.data ?? '' };
    expect(await getNodes(api, await tokenFor('dr-drill-stocker', region, assumed))).toBe(200);
    expect(await getNodes(api, await tokenFor('dr-drill-stocker', region, own))).toBe(401);
  });

  it('has buckets and tables of its own', async () => {
    await new S3Client(clientOf(assumed)).send(new CreateBucketCommand({ Bucket: 'drill-state' }));
    const AttributeDefinitions = [{ AttributeName: 'LockID', AttributeType: 'S' as const }];
    const KeySchema = [{ AttributeName: 'LockID', KeyType: 'HASH' as const }];
    const table = { TableName: 'locks', BillingMode: 'PAY_PER_REQUEST' as const, AttributeDefinitions, KeySchema };
    await new DynamoDBClient(clientOf(assumed)).send(new CreateTableCommand(table));
    const seen = async (as: Keys) => ({
      buckets: (await new S3Client(clientOf(as)).send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name),
      tables: (await new DynamoDBClient(clientOf(as)).send(new ListTablesCommand())).TableNames,
    });
    expect(await seen(assumed)).toEqual({ buckets: ['drill-state'], tables: ['locks'] });
    expect(await seen(own)).toEqual({ buckets: [], tables: [] });
  });

  it('has no other service, and says so', async () => {
    await expect(new RDSClient(clientOf(assumed)).send(new DescribeDBInstancesCommand())).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining(`rds in account ${drills} is not implemented`),
    });
  });
});

describe('a role of another account', () => {
  it('is assumed by who its trust names, and under the session names that it admits', async () => {
    await expect(assume(there, own, 'somebody')).rejects.toThrow(/no role trust policy allows the sts:AssumeRole/);
    const bystander = await assume(roleIn(production, 'bystander'));
    await expect(assume(there, bystander)).rejects.toThrow(/not authorized to perform: sts:AssumeRole/);
  });

  it('is not assumed by whom its own account does not allow it, whomever the trust admits', async () => {
    const bystander = await assume(roleIn(production, 'bystander'));
    await expect(assume(roleIn(drills, 'open'), bystander)).rejects.toThrow(/no identity-based policy allows/);
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: roleIn(drills, 'open') }],
    });
    const inline = { RoleName: 'bystander', PolicyName: 'own', PolicyDocument };
    await cloud.call('iam', 'PutRolePolicy', inline, region);
    await expect(assume(roleIn(drills, 'open'), bystander)).resolves.toHaveProperty('sessionToken');
  });

  it('of an account that is not there is nobody’s to assume', async () => {
    await expect(assume(roleIn('123123123123', 'drill'), own)).rejects.toThrow(/no role trust policy allows/);
  });

  it('(control) the operator of each account sees that account alone', async () => {
    const clusters = async (account: string) =>
      (await cloud.call<{ clusters: string[] }>('eks', 'ListClusters', {}, region, account)).clusters;
    expect(await clusters(production)).toEqual(['stocker']);
    expect(await clusters(drills)).toEqual(['dr-drill-stocker']);
    const setup = cloud.service('eks', region, drills) as { kubernetes?(name: string): KubernetesSetup };
    expect(setup.kubernetes?.('dr-drill-stocker').nodes().names()).toEqual([]);
  });
});

function getNodes({ server, ca }: { server: string; ca: string }, token: string): Promise<number | undefined> {
  const options = { headers: { authorization: `Bearer ${token}` }, ca: Buffer.from(ca, 'base64') };
  return new Promise((resolve, reject) => {
    request(new URL('/api/v1/nodes', server), options, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
}
