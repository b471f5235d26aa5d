import { Duration, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export interface DeadLetterProps {
  /** `stocker-dr-production` */
  readonly prefix: string;
  /** What is undelivered: `triage` makes the queue `…-triage-dead-letters` and the alarm `…-triage-undelivered`. */
  readonly of: string;
  /** What the alarm says. */
  readonly title: string;
  readonly topic: sns.ITopic;
}

/** Where undeliverable events end, and ring: encrypted, TLS only, kept for 14 days, the longest that SQS keeps anything. */
export function deadLetterQueue(scope: Construct, { prefix, of, title, topic }: DeadLetterProps): sqs.Queue {
  const queue = new sqs.Queue(scope, 'DeadLetters', {
    queueName: `${prefix}-${of}-dead-letters`,
    encryption: sqs.QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SQS3',
    reason: 'This queue is itself a dead-letter queue.',
  });
  const alarm = new cloudwatch.Alarm(scope, `${of}-undelivered`, {
    alarmName: `${prefix}-${of}-undelivered`,
    alarmDescription: `${title}. Runbook: docs/runbooks/incident.md#${of}-undelivered`,
    metric: queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
    threshold: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  });
  alarm.addAlarmAction(new actions.SnsAction(topic));
  return queue;
}
