/** Every service of the embedded cloud. */
import type { ServiceDefinition } from '../kernel.ts';
import { cloudwatch } from './cloudwatch/index.ts';
import { cloudwatchLogs } from './cloudwatch-logs/index.ts';
import { codebuild } from './codebuild/index.ts';
import { dynamodb } from './dynamodb/index.ts';
import { ec2 } from './ec2/index.ts';
import { ecr } from './ecr/index.ts';
import { eks } from './eks/index.ts';
import { eventbridge } from './eventbridge/index.ts';
import { iam } from './iam/index.ts';
import { kms } from './kms/index.ts';
import { lambda } from './lambda/index.ts';
import { rds } from './rds/index.ts';
import { route53 } from './route53/index.ts';
import { s3 } from './s3/index.ts';
import { scheduler } from './scheduler/index.ts';
import { secretsManager } from './secrets-manager/index.ts';
import { serviceQuotas } from './service-quotas/index.ts';
import { sfn } from './sfn/index.ts';
import { sns } from './sns/index.ts';
import { sqs } from './sqs/index.ts';
import { ssm } from './ssm/index.ts';
import { sts } from './sts/index.ts';

export const services: readonly ServiceDefinition[] = [
  cloudwatch,
  cloudwatchLogs,
  codebuild,
  dynamodb,
  ec2,
  ecr,
  eks,
  eventbridge,
  iam,
  kms,
  lambda,
  rds,
  route53,
  s3,
  scheduler,
  secretsManager,
  serviceQuotas,
  sfn,
  sns,
  sqs,
  ssm,
  sts,
];
