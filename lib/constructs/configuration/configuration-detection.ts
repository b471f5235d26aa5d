import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { watchedCalls } from '../../../core/configuration/change-event.ts';
import { deadLetterQueue } from '../dead-letters.ts';

/** What deletes or modifies what is protected, and the alarms of the daily comparison: both ask triage, which starts what asks people. */
export class ConfigurationDetection extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, triage: lambda.IFunction, topic: sns.ITopic) {
    super(scope, id);
    const names = namesOf(configuration);
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'triage-of-configuration',
      title: 'A change of something protected, or the alarm of a drift, did not reach triage',
      topic,
    });
    // A stale event must not start anything hours later (aws-facts).
    const target = () =>
      new targets.LambdaFunction(triage, {
        deadLetterQueue: deadLetters,
        maxEventAge: Duration.minutes(15),
        retryAttempts: 8,
      });
    // Whose call it was, and on what, triage judges and records. Route 53's calls arrive in us-east-1 alone.
    new events.Rule(this, 'Changed', {
      ruleName: `${names.prefix}-configuration-change`,
      description:
        'Somebody called an API that deletes or modifies what is protected. Runbook: docs/runbooks/configuration.md#configuration-change',
      eventPattern: {
        source: Object.keys(watchedCalls).map((service) => `aws.${service}`),
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          eventSource: Object.keys(watchedCalls).map((service) => `${service}.amazonaws.com`),
          eventName: [...new Set(Object.values(watchedCalls).flat())],
        },
      },
      targets: [target()],
    });
    const drift = this.alarm(configuration, topic, {
      name: 'configuration-drift',
      title: 'Production differs from Git, or its zone has lost a record',
      metric: 'ConfigurationDrift',
      periods: 1,
      isSilence: false,
    });
    this.alarm(configuration, topic, {
      name: 'configuration-check-silent',
      title: 'Nobody has compared production with Git for two days',
      metric: 'ConfigurationChecked',
      periods: 2,
      isSilence: true,
    });
    new events.Rule(this, 'AlarmRings', {
      ruleName: `${names.prefix}-configuration-alarm`,
      description: 'The alarm of a drift entered ALARM',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: [drift.alarmArn],
        detail: { state: { value: ['ALARM'] } },
      },
      targets: [target()],
    });
  }

  /** Of what is said once a day. */
  private alarm(
    configuration: Configuration,
    topic: sns.ITopic,
    told: { name: string; title: string; metric: string; periods: number; isSilence: boolean },
  ): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, told.name, {
      alarmName: namesOf(configuration).alarm(told.name),
      alarmDescription: `${told.title}. Runbook: docs/runbooks/configuration.md#${told.name}`,
      metric: new cloudwatch.Metric({
        namespace: 'StockerDr',
        metricName: told.metric,
        dimensionsMap: { Environment: configuration.environment },
        period: Duration.days(1),
        statistic: 'Maximum',
      }),
      threshold: 1,
      comparisonOperator: told.isSilence
        ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        : cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: told.periods,
      treatMissingData: told.isSilence
        ? cloudwatch.TreatMissingData.BREACHING
        : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new actions.SnsAction(topic));
    return alarm;
  }
}
