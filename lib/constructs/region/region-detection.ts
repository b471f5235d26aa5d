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
import { deadLetterQueue } from '../dead-letters.ts';

const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = cloudwatch.ComparisonOperator;
const { BREACHING, MISSING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/** Each is one independent look; two of them make a loss. */
const signals = [
  { name: 'region-primary-endpoint', metric: 'PrimaryEndpoint', what: 'the application' },
  { name: 'region-primary-database', metric: 'PrimaryDatabase', what: 'the database' },
  { name: 'region-primary-control-plane', metric: 'PrimaryControlPlane', what: 'the control plane of RDS' },
];

/** Where something that watches has fallen silent, or met something that people must know. */
const silences = [
  {
    name: 'region-probe-silent',
    title: 'Nobody looks at the primary from the DR Region: its loss would not be seen',
    metric: 'PrimaryProbed',
    statistic: 'Maximum',
  },
  {
    name: 'region-latch-silent',
    title: 'Nobody says where the latch holds traffic: it holds, but a change of it would not be seen',
    metric: 'TrafficLatched',
    statistic: 'SampleCount',
  },
];

const metricOf = (configuration: Configuration, metricName: string, statistic: string) =>
  new cloudwatch.Metric({
    namespace: 'StockerDr',
    metricName,
    dimensionsMap: { Environment: configuration.environment },
    period: Duration.minutes(1),
    statistic,
  });

/** DR Region only: alarms on what the probe sees of the primary, and the composite one that asks for a failover. */
export class RegionDetection extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, triage: lambda.IFunction, topic: sns.ITopic) {
    super(scope, id);
    const names = namesOf(configuration);
    const { looks } = configuration.region;
    const lost = signals.map(
      ({ name, metric, what }) =>
        // Unknown publishes nothing, and is not down: the alarm keeps its state.
        new cloudwatch.Alarm(this, name, {
          alarmName: names.alarm(name),
          alarmDescription: `From the DR Region, ${what} of the primary is not reached. Runbook: docs/runbooks/region.md#${name}`,
          metric: metricOf(configuration, metric, 'Maximum'),
          threshold: 1,
          comparisonOperator: LESS_THAN_THRESHOLD,
          evaluationPeriods: looks,
          treatMissingData: MISSING,
        }),
    );
    for (const one of lost) one.addAlarmAction(new actions.SnsAction(topic));
    const composite = new cloudwatch.CompositeAlarm(this, 'region-primary-lost', {
      compositeAlarmName: names.alarm('region-primary-lost'),
      alarmDescription:
        'At least two of three independent signals say that the primary is lost. Runbook: docs/runbooks/region.md#region-primary-lost',
      alarmRule: cloudwatch.AlarmRule.anyOf(
        ...lost.flatMap((one, index) =>
          lost.slice(index + 1).map((other) => cloudwatch.AlarmRule.allOf(ringing(one), ringing(other))),
        ),
      ),
    });
    composite.addAlarmAction(new actions.SnsAction(topic));
    for (const { name, title, metric, statistic } of silences) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName: names.alarm(name),
        alarmDescription: `${title}. Runbook: docs/runbooks/region.md#${name}`,
        metric: metricOf(configuration, metric, statistic),
        threshold: 1,
        comparisonOperator: LESS_THAN_THRESHOLD,
        evaluationPeriods: 3,
        treatMissingData: BREACHING,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
    }
    new events.Rule(this, 'PrimaryLost', {
      ruleName: `${names.prefix}-region-alarm`,
      description: 'The primary Region seems lost; triage decides',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: [composite.alarmArn],
        detail: { state: { value: ['ALARM'] } },
      },
      targets: [
        // A stale event must not start anything hours later (aws-facts).
        new targets.LambdaFunction(triage, {
          deadLetterQueue: deadLetterQueue(this, {
            prefix: names.prefix,
            of: 'region-triage',
            title: 'The loss of the primary did not reach triage',
            topic,
          }),
          maxEventAge: Duration.minutes(15),
          retryAttempts: 8,
        }),
      ],
    });
  }
}

const ringing = (alarm: cloudwatch.IAlarm) => cloudwatch.AlarmRule.fromAlarm(alarm, cloudwatch.AlarmState.ALARM);

/** Both Regions: whether the guard looks, and whether it had to act. */
export class GuardAlarms extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, topic: sns.ITopic) {
    super(scope, id);
    const names = namesOf(configuration);
    const specifications = [
      {
        name: 'region-guard-silent',
        title: 'The guard has not looked for three minutes: a database that returns would not be fenced',
        metric: 'GuardLooked',
        comparison: LESS_THAN_THRESHOLD,
        periods: 3,
        missing: BREACHING,
      },
      {
        name: 'region-guard-fenced',
        title: 'A database that is not production any more took writes, and was fenced',
        metric: 'GuardFenced',
        comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        periods: 1,
        missing: NOT_BREACHING,
      },
    ];
    for (const { name, title, metric, comparison, periods, missing } of specifications) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName: names.alarm(name),
        alarmDescription: `${title}. Runbook: docs/runbooks/region.md#${name}`,
        metric: metricOf(configuration, metric, 'Maximum'),
        threshold: 1,
        comparisonOperator: comparison,
        evaluationPeriods: periods,
        treatMissingData: missing,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
    }
  }
}
