/** What the functions and builds of the cluster area may do. Production's cluster is rebuilt by one role, a drill's by another. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Configuration } from '../../../config/schema.ts';
import { terraformArchive } from '../../../core/cluster/contracts.ts';
import { type Permission, statementsOf } from '../statements.ts';

export function clusterPermissionsOf(configuration: Configuration, region: string) {
  const { names, network, arn, allow, prefixed } = statementsOf(configuration, region);
  const { account, cluster, database, backup } = configuration;
  const production = cluster[region === configuration.dr.region ? 'dr' : 'primary'];
  const { drill, drillAccount } = cluster;
  /** Those of this account. */
  const both = drillAccount ? [production.cluster] : [production.cluster, drill.cluster];
  const assumeDrillRole = (): Permission[] =>
    drillAccount ? [allow('AssumeDrillRole', ['sts:AssumeRole'], [drillAccount.roleArn])] : [];
  const groups = (name: string) => arn('eks', `nodegroup/${name}/*`);
  const unnamed = 'EKS ends the ARNs of node groups and access entries with an id of its own.';
  const evidence = `arn:aws:s3:::${names.evidenceBucket(region)}`;
  const stateObject = (key: string) => `arn:aws:s3:::${network.terraformStateBucket}/${key}`;
  const deny = (sid: string, actions: string[], resources: string[]): Permission => ({
    statement: new iam.PolicyStatement({ sid, effect: iam.Effect.DENY, actions, resources }),
    wildcard: 'A Deny, as wide as it can be.',
  });

  /** What Terraform needs for one cluster: its state and lock, the cluster and its node groups, roles that were made beforehand. */
  const terraform = (name: string, stateKey: string): Permission[] => [
    allow('FindState', ['s3:ListBucket'], [`arn:aws:s3:::${network.terraformStateBucket}`]),
    allow('OwnState', ['s3:GetObject', 's3:PutObject'], [stateObject(stateKey)]),
    allow('FetchTerraform', ['s3:GetObject'], [stateObject(terraformArchive)]),
    allow(
      'OwnLock',
      ['dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
      [arn('dynamodb', `table/${cluster.lockTable}`)],
      { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`*${stateKey}*`] } } },
    ),
    allow(
      'MakeCluster',
      [
        'eks:CreateCluster',
        'eks:DescribeCluster',
        'eks:DeleteCluster',
        'eks:TagResource',
        'eks:CreateNodegroup',
        'eks:ListNodegroups',
      ],
      [arn('eks', `cluster/${name}`)],
    ),
    allow('MakeNodes', ['eks:DescribeNodegroup', 'eks:UpdateNodegroupConfig', 'eks:DeleteNodegroup'], [groups(name)], {
      wildcard: unnamed,
    }),
    allow(
      'LendRoles',
      ['iam:PassRole', 'iam:GetRole'],
      ['cluster', 'node'].map((role) => `arn:aws:iam::${account}:role/${production.cluster}-${role}`),
    ),
    allow('SeeNetwork', ['ec2:DescribeSubnets', 'ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'], ['*'], {
      wildcard: 'Describing networks has no resource types; it only reads.',
    }),
  ];
  /** Where Terraform and the manifests come from: the embedded cloud asks for one parameter, CodeBuild for several at once. */
  const source = () =>
    allow(
      'FindSource',
      ['ssm:GetParameter', 'ssm:GetParameters'],
      [cluster.repositoryParameter, backup.commitParameter].map((name) => arn('ssm', `parameter${name}`)),
    );
  const readExports = () =>
    allow('ReadExports', ['s3:GetObject'], [`${evidence}/backups/cluster-state/*`], {
      wildcard: 'Exports are named by run and namespace.',
    });
  /** Whatever a plan says: nothing that holds data is destroyed by a build. */
  const neverData = () =>
    deny(
      'NeverData',
      [
        'rds:DeleteDBInstance',
        's3:DeleteBucket',
        'dynamodb:DeleteTable',
        'kms:ScheduleKeyDeletion',
        'secretsmanager:DeleteSecret',
        'route53:DeleteHostedZone',
      ],
      ['*'],
    );

  return {
    /** To act on a drill's cluster in an account of its own, by the role there and nothing else. */
    assumeDrillRole,
    seeClusters: () => [
      allow(
        'SeeClusters',
        ['eks:DescribeCluster', 'eks:ListNodegroups'],
        both.map((name) => arn('eks', `cluster/${name}`)),
      ),
      allow('SeeNodes', ['eks:DescribeNodegroup'], both.map(groups), { wildcard: unnamed }),
    ],
    scaleNodes: () =>
      allow('ScaleNodes', ['eks:UpdateNodegroupConfig'], [groups(production.cluster)], { wildcard: unnamed }),
    admitRoles: () =>
      allow(
        'AdmitRoles',
        ['eks:CreateAccessEntry'],
        both.map((name) => arn('eks', `cluster/${name}`)),
      ),
    findExports: () =>
      allow('FindExports', ['s3:ListBucket'], [evidence], {
        conditions: { StringLike: { 's3:prefix': 'backups/cluster-state/*' } },
      }),
    /** The clean-up after a drill starts the build that destroys what it made. */
    destroyDrill: () =>
      allow(
        'DestroyDrill',
        ['codebuild:StartBuild'],
        [arn('codebuild', `project/${names.jobProject('cluster-drill')}`)],
      ),
    job: () => [
      source(),
      readExports(),
      ...terraform(production.cluster, production.stateKey),
      // Terraform refreshes what its state holds; the database is looked at and nothing more. What it imports after a
      // cut-over bears the name that a recovery gave it.
      allow(
        'SeeDatabase',
        ['rds:DescribeDBInstances', 'rds:ListTagsForResource'],
        [arn('rds', `db:${database.identifier}`), arn('rds', `db:${database.identifier}-*`)],
        { wildcard: prefixed },
      ),
      neverData(),
    ],
    drillJob: () => [
      source(),
      ...(drillAccount ? assumeDrillRole() : terraform(drill.cluster, drill.stateKey)),
      neverData(),
      deny(
        'NeverProduction',
        ['eks:*', 'rds:*', 's3:PutObject', 's3:DeleteObject'],
        [
          arn('eks', `cluster/${production.cluster}`),
          groups(production.cluster),
          arn('rds', `db:${database.identifier}*`),
          stateObject(production.stateKey),
        ],
      ),
    ],
  };
}
export type ClusterPermissions = ReturnType<typeof clusterPermissionsOf>;
