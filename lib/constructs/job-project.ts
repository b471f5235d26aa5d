import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as codebuild from 'aws-cdk-lib/aws-codebuild';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as assets from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { namesOf } from '../../config/names.ts';
import type { Configuration, Network } from '../../config/schema.ts';
import { grant } from './permissions.ts';
import type { Permission } from './statements.ts';

/** A build that runs longer is stopped; the Task that waits for it outlasts it. */
export const longestJobMinutes = 240;

export interface JobProjectProps {
  readonly configuration: Configuration;
  readonly network: Network;
  /** The functions' bundle: a job is a handler of it. */
  readonly bundleDirectory: string;
  /** The file in lib/buildspecs/, without .yml; the area's own by default. */
  readonly buildspec?: string;
  readonly timeoutInMinutes?: number;
  /** How many builds run at once, at most; without, as many as the account may. */
  readonly concurrentBuildLimit?: number;
  /** Of every build; a start may override them. */
  readonly variables?: Readonly<Record<string, { readonly type: string; readonly value: string }>>;
  /** What its jobs may do, beyond the log and the network of a build. */
  readonly statements: readonly Permission[];
}

/** The CodeBuild project in which an area's jobs run: inside the VPC, from the functions' own asset, with one role. */
export class JobProject extends Construct {
  readonly name: string;
  readonly arn: string;
  readonly role: iam.Role;

  constructor(scope: Construct, area: string, props: JobProjectProps) {
    super(scope, `${area}-job`);
    const { configuration, network } = props;
    this.name = namesOf(configuration).jobProject(area);
    this.arn = Stack.of(this).formatArn({ service: 'codebuild', resource: 'project', resourceName: this.name });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/codebuild/${this.name}`,
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const code = new assets.Asset(this, 'Code', { path: props.bundleDirectory });
    const role = new iam.Role(this, 'Role', {
      // A project's role is assumed for that project alone (CodeBuild: cross-service confused deputy prevention).
      assumedBy: new iam.ServicePrincipal('codebuild.amazonaws.com', {
        conditions: {
          ArnEquals: { 'aws:SourceArn': this.arn },
          StringEquals: { 'aws:SourceAccount': configuration.account },
        },
      }),
      description: `Role of ${area}/jobs`,
    });
    this.role = role;
    grant(role, [...ownPermissions(logGroup, code, network, configuration.account), ...props.statements], this);
    // The VPC is Terraform's and known by name, which the L2 construct does not take (docs/decisions/0015).
    const project = new codebuild.CfnProject(this, 'Project', {
      name: this.name,
      description: `Steps of the ${area} area that need more time than a function has`,
      serviceRole: role.roleArn,
      source: {
        type: 'S3',
        location: `${code.s3BucketName}/${code.s3ObjectKey}`,
        buildSpec: readFileSync(
          join(import.meta.dirname, `../buildspecs/${props.buildspec ?? `${area}-job`}.yml`),
          'utf8',
        ),
      },
      artifacts: { type: 'NO_ARTIFACTS' },
      environment: {
        type: 'ARM_CONTAINER',
        computeType: 'BUILD_GENERAL1_SMALL',
        image: 'aws/codebuild/amazonlinux-aarch64-standard:3.0',
        environmentVariables: Object.entries(props.variables ?? {}).map(([name, each]) => ({ name, ...each })),
      },
      logsConfig: { cloudWatchLogs: { status: 'ENABLED', groupName: logGroup.logGroupName } },
      timeoutInMinutes: props.timeoutInMinutes ?? longestJobMinutes,
      ...(props.concurrentBuildLimit && { concurrentBuildLimit: props.concurrentBuildLimit }),
      vpcConfig: {
        vpcId: network.vpcId,
        subnets: network.privateSubnetIds,
        securityGroupIds: [network.functionSecurityGroupId],
      },
    });
    // CodeBuild tries to use the role when the project is created: its policy must be there.
    project.node.addDependency(role);
    Validations.of(project).acknowledge({
      id: 'AwsSolutions::AwsSolutions-CB4',
      reason: 'The key encrypts artifacts of a build, and a job has none.',
    });
  }
}

/** Its log, its source, its network interfaces: what CodeBuild's user guide asks of a service role, by name where it can be. */
function ownPermissions(logGroup: logs.LogGroup, code: assets.Asset, network: Network, account: string): Permission[] {
  const allow = (sid: string, actions: string[], resources: string[]) =>
    new iam.PolicyStatement({ sid, actions, resources });
  const bucket = `arn:aws:s3:::${code.s3BucketName}`;
  return [
    { statement: allow('OwnLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]) },
    { statement: allow('OwnSource', ['s3:GetObject', 's3:GetObjectVersion'], [`${bucket}/${code.s3ObjectKey}`]) },
    { statement: allow('OwnSourceBucket', ['s3:GetBucketAcl', 's3:GetBucketLocation'], [bucket]) },
    {
      statement: allow(
        'OwnNetworkInterfaces',
        [
          'ec2:CreateNetworkInterface',
          'ec2:DescribeDhcpOptions',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DeleteNetworkInterface',
          'ec2:DescribeSubnets',
          'ec2:DescribeSecurityGroups',
          'ec2:DescribeVpcs',
        ],
        ['*'],
      ),
      wildcard: 'CodeBuild itself makes these calls to put the build into the VPC; it demands them on every resource.',
    },
    {
      statement: new iam.PolicyStatement({
        sid: 'LendNetworkInterface',
        actions: ['ec2:CreateNetworkInterfacePermission'],
        resources: [`arn:aws:ec2:${network.region}:${account}:network-interface/*`],
        conditions: {
          StringEquals: {
            'ec2:Subnet': network.privateSubnetIds.map((id) => `arn:aws:ec2:${network.region}:${account}:subnet/${id}`),
            'ec2:AuthorizedService': 'codebuild.amazonaws.com',
          },
        },
      }),
      wildcard: 'CodeBuild lends itself an interface that it makes at run time; subnets and service are the bound.',
    },
  ];
}
