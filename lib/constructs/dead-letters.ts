import { Duration, Validations } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** Where undeliverable events end: encrypted, TLS only, kept for 14 days, the longest that SQS keeps anything. */
export function deadLetterQueue(scope: Construct, queueName: string): sqs.Queue {
  const queue = new sqs.Queue(scope, 'DeadLetters', {
    queueName,
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SQS3',
    reason: 'This queue is itself a dead-letter queue.',
  });
  return queue;
}
