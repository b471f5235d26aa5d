/** Every service of the embedded cloud. */
import type { ServiceDefinition } from '../kernel.ts';
import { cloudwatch } from './cloudwatch/index.ts';
import { cloudwatchLogs } from './cloudwatch-logs/index.ts';
import { dynamodb } from './dynamodb/index.ts';
import { ec2 } from './ec2/index.ts';
import { eventbridge } from './eventbridge/index.ts';
import { kms } from './kms/index.ts';
import { lambda } from './lambda/index.ts';
import { s3 } from './s3/index.ts';
import { scheduler } from './scheduler/index.ts';
import { secretsManager } from './secrets-manager/index.ts';
import { sns } from './sns/index.ts';
import { sqs } from './sqs/index.ts';
import { ssm } from './ssm/index.ts';

export const services: readonly ServiceDefinition[] = [
  cloudwatch,
  cloudwatchLogs,
  dynamodb,
  ec2,
  eventbridge,
  kms,
  lambda,
  s3,
  scheduler,
  secretsManager,
  sns,
  sqs,
  ssm,
];
