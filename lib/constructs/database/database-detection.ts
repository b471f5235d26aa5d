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

/**
 * RDS events that say "this instance is lost or damaged". Multi-AZ failover (0013, 0015, 0049) heals itself and is no
 * trigger; 0003 is a deletion. Best effort on AWS's side: the heartbeat is the certain signal.
 */
export const lostOrDamagedEvents = [
  'RDS-EVENT-0003',
  'RDS-EVENT-0031',
  'RDS-EVENT-0035',
  'RDS-EVENT-0036',
  'RDS-EVENT-0221',
];

/** An alarm that nothing is allowed to hide: title of its runbook heading, and what it measures. */
interface AlarmSpecification {
  readonly name: string;
  readonly title: string;
  readonly metric: cloudwatch.IMetric;
  readonly threshold: number;
  readonly comparison: cloudwatch.ComparisonOperator;
  readonly evaluationPeriods: number;
  readonly missing: cloudwatch.TreatMissingData;
}

/** Alarms and RDS events of a lost or damaged database, and the rule that hands both to triage. */
export class DatabaseDetection extends Construct {
  readonly alarms: readonly cloudwatch.Alarm[];

  constructor(scope: Construct, id: string, configuration: Configuration, triage: lambda.IFunction, topic: sns.ITopic) {
    super(scope, id);
    const names = namesOf(configuration);
    this.alarms = specifications(configuration).map((specification) => {
      const alarm = new cloudwatch.Alarm(this, specification.name, {
        alarmName: names.alarm(specification.name),
        alarmDescription: `${specification.title}. Runbook: docs/runbooks/database.md#${specification.name}`,
        metric: specification.metric,
        threshold: specification.threshold,
        comparisonOperator: specification.comparison,
        evaluationPeriods: specification.evaluationPeriods,
        treatMissingData: specification.missing,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
      return alarm;
    });
    this.sendToTriage(triage, topic, names.prefix);
  }

  /** A stale event must not start anything hours later: bounded age, few retries, and a queue that rings (aws-facts). */
  private sendToTriage(triage: lambda.IFunction, topic: sns.ITopic, prefix: string) {
    const title = 'An alarm or event did not reach triage';
    const deadLetters = deadLetterQueue(this, { prefix, of: 'triage', title, topic });
    const target = new targets.LambdaFunction(triage, {
      deadLetterQueue: deadLetters,
      maxEventAge: Duration.minutes(15),
      retryAttempts: 8,
    });
    new events.Rule(this, 'AlarmRings', {
      ruleName: `${prefix}-database-alarm`,
      description: 'A database alarm entered ALARM',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: this.triggers().map((alarm) => alarm.alarmArn),
        detail: { state: { value: ['ALARM'] } },
      },
      targets: [target],
    });
    new events.Rule(this, 'InstanceLost', {
      ruleName: `${prefix}-database-event`,
      description: 'RDS says that an instance is lost or damaged; triage asks whether it is the active database',
      eventPattern: {
        source: ['aws.rds'],
        detailType: ['RDS DB Instance Event'],
        detail: { EventID: lostOrDamagedEvents },
      },
      targets: [target],
    });
  }

  /** A silent sentinel pages people; it is no sign of damage and starts nothing. */
  private triggers(): readonly cloudwatch.Alarm[] {
    return this.alarms.filter((alarm) => alarm.node.id !== 'sentinel-silent');
  }
}

function specifications(configuration: Configuration): AlarmSpecification[] {
  const { schedules } = configuration;
  const metric = (metricName: string, minutes: number, statistic: string) =>
    new cloudwatch.Metric({
      namespace: 'StockerDr',
      metricName,
      dimensionsMap: { Environment: configuration.environment },
      period: Duration.minutes(minutes),
      statistic,
    });
  /** Where the active database is in the other Region, that Region's alarms watch it and this one's rest. */
  const unlessElsewhere = (metricName: string, minutes: number) =>
    new cloudwatch.MathExpression({
      expression: 'FILL(here, 0) + FILL(elsewhere, 0)',
      usingMetrics: {
        here: metric(metricName, minutes, 'Maximum'),
        elsewhere: metric('ActiveElsewhere', minutes, 'Maximum'),
      },
      label: metricName,
      period: Duration.minutes(minutes),
    });
  const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = cloudwatch.ComparisonOperator;
  const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;
  return [
    {
      name: 'database-heartbeat-missing',
      title: 'No heartbeat was written to the active database for three periods',
      metric: unlessElsewhere('HeartbeatWritten', schedules.heartbeatMinutes),
      threshold: 1,
      comparison: LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      missing: BREACHING,
    },
    {
      name: 'database-connections-refused',
      title: 'The active database refuses connections',
      // The sentinel writes it: in shorter periods than it looks, most would be empty and the alarm could never ring.
      metric: metric('ConnectionRefused', schedules.sentinelMinutes, 'Minimum'),
      threshold: 1,
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 2,
      missing: NOT_BREACHING,
    },
    {
      name: 'database-damage-found',
      title: 'The sentinel found damage: rows missing, schema changed, or corrupted pages',
      metric: metric('DamageFound', schedules.sentinelMinutes, 'Maximum'),
      threshold: 1,
      comparison: GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      missing: NOT_BREACHING,
    },
    {
      name: 'sentinel-silent',
      title: 'The damage sentinel has not looked for three periods',
      metric: unlessElsewhere('SentinelLooked', schedules.sentinelMinutes),
      threshold: 1,
      comparison: LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      missing: BREACHING,
    },
  ];
}
