/**
 * The account in which drills make their cluster, as docs/runbooks/cluster.md asks for it: the role that they assume, and
 * where Terraform keeps their state. Inputs of AWS calls, which whoever operates that account makes.
 */
import { bucketIn } from './deployment.ts';
import type { InstallationPlan } from './provision.ts';

export interface DrillAccountPlan extends Pick<InstallationPlan, 'account' | 'environment' | 'cluster' | 'lockTable'> {
  readonly id: string;
  readonly roleArn: string;
  readonly states: readonly { readonly region: string; readonly bucket: string }[];
  /** The drill's own. */
  readonly drillCluster: string;
  readonly stateKey: string;
  /** What its pods read when they start. */
  readonly endpointParameter: string;
  readonly secretName: string;
}

const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });

/** Who may become the role: roles of the recovery in production's account, for a drill. */
export const trustOf = ({ account, environment }: DrillAccountPlan) =>
  policy({
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'sts:AssumeRole',
    Condition: {
      ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/StockerDr-${environment}-*` },
      StringLike: { 'sts:RoleSessionName': 'drill-*' },
    },
  });

/** What the role may do: what Terraform needs for the drill's cluster, and nothing of production's account. */
export function permissionsOf({ id, account, cluster, drillCluster, lockTable, states, stateKey }: DrillAccountPlan) {
  const allow = (Sid: string, Action: string[], Resource: string[], more: object = {}) => ({
    ...{ Sid, Effect: 'Allow', Action, Resource },
    ...more,
  });
  return policy(
    allow(
      'FindState',
      ['s3:ListBucket'],
      states.map(({ bucket }) => `arn:aws:s3:::${bucket}`),
    ),
    allow(
      'OwnState',
      ['s3:GetObject', 's3:PutObject'],
      states.map(({ bucket }) => `arn:aws:s3:::${bucket}/${stateKey}`),
    ),
    allow(
      'FetchTerraform',
      ['s3:GetObject'],
      states.map(({ bucket }) => `arn:aws:s3:::${bucket}/tools/terraform-linux-arm64.zip`),
    ),
    allow(
      'OwnLock',
      ['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      [`arn:aws:dynamodb:*:${id}:table/${lockTable}`],
    ),
    allow(
      'MakeCluster',
      [
        ...['eks:CreateCluster', 'eks:DescribeCluster', 'eks:DeleteCluster', 'eks:TagResource'],
        ...['eks:CreateNodegroup', 'eks:ListNodegroups'],
      ],
      [`arn:aws:eks:*:${id}:cluster/${drillCluster}`],
    ),
    allow(
      'MakeNodes',
      ['eks:DescribeNodegroup', 'eks:UpdateNodegroupConfig', 'eks:DeleteNodegroup'],
      [`arn:aws:eks:*:${id}:nodegroup/${drillCluster}/*`],
    ),
    allow(
      'LendRoles',
      ['iam:PassRole', 'iam:GetRole'],
      ['cluster', 'node'].map((name) => `arn:aws:iam::${id}:role/${cluster}-${name}`),
    ),
    allow('SeeNetwork', ['ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'], ['*']),
    {
      ...{ Sid: 'NeverProduction', Effect: 'Deny', Action: '*', Resource: '*' },
      Condition: { StringEquals: { 'aws:ResourceAccount': account } },
    },
  );
}

/** One call of an operator of that account. */
type Call = (
  service: 'iam' | 's3' | 'dynamodb' | 'ssm' | 'secrets-manager',
  operation: string,
  input: object,
  region: string,
) => Promise<unknown>;

export async function makeDrillAccount(plan: DrillAccountPlan, call: Call): Promise<void> {
  const [first] = plan.states;
  const RoleName = plan.roleArn.split('/').at(-1);
  const AssumeRolePolicyDocument = JSON.stringify(trustOf(plan));
  const PolicyDocument = JSON.stringify(permissionsOf(plan));
  await call('iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument }, first?.region ?? '');
  await call('iam', 'PutRolePolicy', { RoleName, PolicyName: 'drill', PolicyDocument }, first?.region ?? '');
  for (const { region, bucket: Bucket } of plan.states) {
    await call('s3', 'CreateBucket', bucketIn(region, Bucket), region);
    const VersioningConfiguration = { Status: 'Enabled' };
    await call('s3', 'PutBucketVersioning', { Bucket, VersioningConfiguration }, region);
    const table = {
      TableName: plan.lockTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    };
    await call('dynamodb', 'CreateTable', table, region);
    // Pods without a database, which a drill of the cluster does not need, are alive all the same.
    const endpoint = { Name: plan.endpointParameter, Value: 'none', Type: 'String' };
    await call('ssm', 'PutParameter', endpoint, region);
    const SecretString = JSON.stringify({ username: 'nobody', password: 'nothing' });
    await call('secrets-manager', 'CreateSecret', { Name: plan.secretName, SecretString }, region);
  }
}
