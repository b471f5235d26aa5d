/** Which service each integration calls, how it names the service's errors, and how it spells members. */
import type { ServiceName } from '../../kernel.ts';
import type { Resource } from '../../states/resource.ts';
import { javaError, javaName, type Spelling } from './schema.ts';

export interface Target {
  readonly service: ServiceName;
  /** The part of an error's name before the point. */
  readonly prefix: string;
  /** What an error is called that the service's model does not list, AccessDenied above all. */
  readonly unmodelled: string;
  errorName(shape: string): string;
  readonly spelling: Spelling;
}

/** The first integrations speak the first Java SDK: members as modelled but capitalised, times in epoch milliseconds. */
const optimizedSpelling: Spelling = {
  name: (member) => member.charAt(0).toUpperCase() + member.slice(1),
  time: (value) => value.getTime(),
};
const sdkSpelling: Spelling = { name: javaName, time: (value) => value.toISOString() };

const withSuffix = (shape: string): string => (shape.endsWith('Exception') ? shape : `${shape}Exception`);

function optimized(service: ServiceName, prefix: string, unmodelled: string): Target {
  return { service, prefix, unmodelled, errorName: withSuffix, spelling: optimizedSpelling };
}

const optimizedTargets: Readonly<Record<string, Target>> = {
  lambda: optimized('lambda', 'Lambda', 'AWSLambdaException'),
  sns: optimized('sns', 'SNS', 'AmazonSNSException'),
  sqs: optimized('sqs', 'SQS', 'AmazonSQSException'),
  dynamodb: optimized('dynamodb', 'DynamoDB', 'AmazonDynamoDBException'),
  events: optimized('eventbridge', 'EventBridge', 'AmazonEventBridgeException'),
  states: optimized('sfn', 'StepFunctions', 'AWSStepFunctionsException'),
  codebuild: optimized('codebuild', 'CodeBuild', 'AWSCodeBuildException'),
};

/** Names in `aws-sdk:<name>` with the Java SDK's own name of the service. */
const sdkServices: Readonly<Record<string, readonly [ServiceName, string]>> = {
  rds: ['rds', 'Rds'],
  sfn: ['sfn', 'Sfn'],
  lambda: ['lambda', 'Lambda'],
  eventbridge: ['eventbridge', 'EventBridge'],
  scheduler: ['scheduler', 'Scheduler'],
  cloudwatch: ['cloudwatch', 'CloudWatch'],
  cloudwatchlogs: ['cloudwatch-logs', 'CloudWatchLogs'],
  sns: ['sns', 'Sns'],
  sqs: ['sqs', 'Sqs'],
  dynamodb: ['dynamodb', 'DynamoDb'],
  s3: ['s3', 'S3'],
  ssm: ['ssm', 'Ssm'],
  secretsmanager: ['secrets-manager', 'SecretsManager'],
  kms: ['kms', 'Kms'],
  iam: ['iam', 'Iam'],
  sts: ['sts', 'Sts'],
  ec2: ['ec2', 'Ec2'],
  eks: ['eks', 'Eks'],
  codebuild: ['codebuild', 'CodeBuild'],
};

/** Undefined for a service that the embedded cloud does not have. */
export function targetOf({ type }: Resource): Target | undefined {
  if (!type.startsWith('aws-sdk:')) return optimizedTargets[type];
  const [service, prefix] = sdkServices[type.slice('aws-sdk:'.length)] ?? [];
  if (service === undefined || prefix === undefined) return undefined;
  return { service, prefix, unmodelled: `${prefix}Exception`, errorName: javaError, spelling: sdkSpelling };
}
