/** What looking takes: in both Regions, by name, and to read. */
import type { Configuration, Network } from '../../../config/schema.ts';
import { statementsOf } from '../statements.ts';

export function lookPermissionsOf(configuration: Configuration, region: string) {
  const { names, other, arn, allow, leadingKey, reading, prefixed } = statementsOf(configuration, region);
  const { account } = configuration;
  const seeTerraformStates = (...networks: readonly Pick<Network, 'terraformStateBucket'>[]) =>
    allow(
      'SeeTerraformStates',
      ['s3:GetBucketVersioning', 's3:ListBucketVersions'],
      networks.map(({ terraformStateBucket }) => `arn:aws:s3:::${terraformStateBucket}`),
    );
  const seeSecretVersions = (...secretNames: readonly string[]) =>
    allow(
      'SeeSecretVersions',
      ['secretsmanager:DescribeSecret'],
      [region, other.region].flatMap((each) =>
        // Without its suffix as well: of a secret that is not there, one who may not know that is told he is denied.
        secretNames.flatMap((name) =>
          [name, `${name}-??????`].map((id) => arn('secretsmanager', `secret:${id}`, each)),
        ),
      ),
    );
  const seeImages = (where: string = region) =>
    allow('SeeImages', ['ecr:DescribeImages'], [arn('ecr', 'repository/*', where)], {
      wildcard: 'Reading only. Which repositories there are, the deployed pods tell.',
    });

  return {
    seeTerraformStates,
    seeSecretVersions,
    seeImages,
    seeDatabasesElsewhere: () =>
      allow('SeeDatabasesElsewhere', ['rds:DescribeDBInstances'], [arn('rds', 'db:*', other.region)], {
        wildcard: reading,
      }),
    seeMetrics: () =>
      allow('SeeMetrics', ['cloudwatch:GetMetricStatistics'], ['*'], {
        wildcard: 'GetMetricStatistics has no resource type.',
      }),
    /** Proofs, drills and profile of both Regions. */
    seeRecords: () =>
      allow(
        'SeeRecords',
        ['dynamodb:GetItem', 'dynamodb:Query'],
        [region, other.region].map((each) => arn('dynamodb', `table/${names.incidentTable}`, each)),
      ),
    /** Some kinds of record, in the incident table of this Region. */
    keepRecord: (...pks: readonly string[]) => [
      allow('KeepRecord', ['dynamodb:PutItem'], [arn('dynamodb', `table/${names.incidentTable}`)], leadingKey(...pks)),
      allow('ReadRecord', ['dynamodb:Query'], [arn('dynamodb', `table/${names.incidentTable}`)], leadingKey(...pks)),
    ],
    seeClusterState: () => [
      allow('FindClusterState', ['s3:ListBucket'], [`arn:aws:s3:::${names.evidenceBucket(region)}`], {
        conditions: { StringLike: { 's3:prefix': 'backups/cluster-state/*' } },
      }),
      allow(
        'ReadClusterState',
        ['s3:GetObject'],
        [`arn:aws:s3:::${names.evidenceBucket(region)}/backups/cluster-state/*`],
        { wildcard: 'Exports are named by run and namespace.' },
      ),
    ],
    seeQuotas: () =>
      allow('SeeQuotas', ['servicequotas:GetServiceQuota', 'ec2:DescribeAddresses'], ['*'], {
        wildcard: 'Neither action has a resource type; both only read.',
      }),
    /** Asks IAM what roles of this environment may do, and does none of it. */
    simulatePermissions: () => [
      allow(
        'SimulatePermissions',
        ['iam:SimulatePrincipalPolicy'],
        [`arn:aws:iam::${account}:role/StockerDr-${configuration.environment}-*`],
        { wildcard: 'Roles are named by CloudFormation after their stack.' },
      ),
      allow(
        'FindRoles',
        ['lambda:GetFunctionConfiguration'],
        [region, other.region].map((each) => arn('lambda', `function:${names.prefix}-*`, each)),
        { wildcard: prefixed },
      ),
    ],
    /** With an event that asks nothing of them. */
    wakeFunctions: () =>
      allow('WakeFunctions', ['lambda:InvokeFunction'], [arn('lambda', `function:${names.prefix}-*`)], {
        wildcard: prefixed,
      }),
    /** Reading only: the ungraceful failover itself asks Route 53 nothing. */
    seeRecordSets: () => [
      allow('FindZone', ['route53:ListHostedZonesByName'], ['*'], {
        wildcard: 'ListHostedZonesByName has no resource type.',
      }),
      allow(
        'SeeRecordSets',
        ['route53:ListResourceRecordSets', 'route53:GetHealthCheck'],
        ['arn:aws:route53:::hostedzone/*', 'arn:aws:route53:::healthcheck/*'],
        { wildcard: 'Ids are Route 53’s; which zone it is, the configuration names, and which checks, its records.' },
      ),
    ],
    seeSubscriptions: () =>
      allow(
        'SeeSubscriptions',
        ['sns:ListSubscriptionsByTopic'],
        [region, other.region].map((each) => names.topicArn(each, names.internalTopic)),
      ),
  };
}
