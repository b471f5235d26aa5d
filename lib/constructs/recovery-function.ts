import * as path from 'node:path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { namesOf } from '../../config/names.ts';
import type { Configuration, Network } from '../../config/schema.ts';
import { explain } from './permissions.ts';
import type { Permission } from './statements.ts';

/** What the functions of one stack share. */
export interface FunctionHome {
  readonly configuration: Configuration;
  readonly network: Network;
  readonly code: lambda.Code;
}

export interface RecoveryFunctionProps {
  /** `<area>/<verb-noun>`: the file in lambdas/, and the handler in the bundle. */
  readonly path: string;
  readonly description: string;
  /** What it may do, beyond its own logs and traces. */
  readonly statements: readonly Permission[];
  readonly timeout?: Duration;
  readonly memorySize?: number;
  /** Runs in the private subnets, with the CA that signs RDS certificates. */
  readonly reachesDatabase?: boolean;
}

/** One function: its own role with an inline policy and nothing AWS-managed, its area's log group, tracing, ARM64, Node 24. */
export class RecoveryFunction extends Construct {
  readonly lambda: lambda.Function;
  /** As in the properties. */
  readonly path: string;
  readonly statements: readonly Permission[];

  constructor(scope: Construct, home: FunctionHome, props: RecoveryFunctionProps) {
    super(scope, path.basename(props.path));
    this.path = props.path;
    this.statements = props.statements;
    const { configuration } = home;
    const functionName = namesOf(configuration).lambda(props.path);
    const logGroup = logsOf(path.dirname(props.path), this, configuration);
    const permissions = [...ownPermissions(logGroup, props.reachesDatabase ?? false), ...props.statements];
    explain(permissions, this);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Role of ${props.path}`,
      // Within the role: a policy is a resource of its own, and a stack holds 500.
      inlinePolicies: { Own: new iam.PolicyDocument({ statements: permissions.map(({ statement }) => statement) }) },
    });
    this.lambda = new lambda.Function(this, 'Function', {
      functionName,
      description: props.description,
      code: home.code,
      handler: `${props.path}.handler`,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memorySize ?? 512,
      timeout: props.timeout ?? Duration.seconds(30),
      // What a function may do is listed above, and nothing is added to it.
      role: role.withoutPolicyUpdates(),
      logGroup,
      tracing: lambda.Tracing.ACTIVE,
      environment: {
        POWERTOOLS_LOG_LEVEL: 'INFO',
        POWERTOOLS_METRICS_NAMESPACE: 'StockerDr',
        // On AWS this file holds the authorities that sign RDS certificates.
        ...(props.reachesDatabase ? { DATABASE_CA_FILE: '/var/runtime/ca-cert.pem' } : {}),
      },
    });
    // The subnets and the group are Terraform's and known by name: no VPC construct, no look-up.
    if (props.reachesDatabase)
      (this.lambda.node.defaultChild as lambda.CfnFunction).vpcConfig = {
        subnetIds: home.network.privateSubnetIds,
        securityGroupIds: [home.network.functionSecurityGroupId],
      };
  }
}

/**
 * What an area's functions say, in one place: to read what happened is to read all of them, and a stack holds 500
 * resources. Each writes to streams of its own name (Lambda: log streams of a group that is not the function's own).
 */
function logsOf(area: string, scope: Construct, configuration: Configuration): logs.ILogGroup {
  const stack = Stack.of(scope);
  const id = `${area}-logs`;
  const known = stack.node.tryFindChild(id) as logs.LogGroup | undefined;
  return (
    known ??
    new logs.LogGroup(stack, id, {
      logGroupName: namesOf(configuration).areaLogs(area),
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  );
}

type Make = (
  name: string,
  description: string,
  statements: RecoveryFunctionProps['statements'],
  timeout?: Duration,
) => lambda.Function;

/** How an area makes its functions: `outside` calls AWS alone, `inside` reaches a database or Kubernetes. */
export function makersOf(
  scope: Construct,
  home: FunctionHome,
  area: string,
): { readonly outside: Make; readonly inside: Make } {
  const maker =
    (reachesDatabase: boolean): Make =>
    (name, description, statements, timeout = Duration.seconds(reachesDatabase ? 60 : 30)) =>
      new RecoveryFunction(scope, home, { path: `${area}/${name}`, description, statements, timeout, reachesDatabase })
        .lambda;
  return { outside: maker(false), inside: maker(true) };
}

/** Its own log, its traces and, in a VPC, its network interfaces: what AWS's managed policies would give, and no more. */
function ownPermissions(logGroup: logs.ILogGroup, inVpc: boolean): Permission[] {
  const allow = (sid: string, actions: string[], resources: string[]) =>
    new iam.PolicyStatement({ sid, actions, resources });
  return [
    { statement: allow('OwnLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]) },
    {
      statement: allow('OwnTraces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
      wildcard: 'X-Ray has no resource types for these actions.',
    },
    ...(inVpc
      ? [
          {
            statement: allow(
              'OwnNetworkInterfaces',
              [
                'ec2:CreateNetworkInterface',
                'ec2:DescribeNetworkInterfaces',
                'ec2:DescribeSubnets',
                'ec2:DeleteNetworkInterface',
                'ec2:AssignPrivateIpAddresses',
                'ec2:UnassignPrivateIpAddresses',
              ],
              ['*'],
            ),
            wildcard:
              'Lambda itself makes these calls to put the function into the VPC; it demands them on every resource.',
          },
        ]
      : []),
  ];
}
