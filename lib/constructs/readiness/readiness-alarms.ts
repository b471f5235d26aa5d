import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { checks } from '../../../core/readiness/checks/index.ts';
import { readinessMinutes } from './readiness-schedule.ts';

const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

interface Specification {
  readonly name: string;
  readonly title: string;
  readonly metric: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  readonly comparison?: cloudwatch.ComparisonOperator;
  readonly periods: number;
  readonly missing: cloudwatch.TreatMissingData;
}

const { LESS_THAN_THRESHOLD, GREATER_THAN_OR_EQUAL_TO_THRESHOLD } = cloudwatch.ComparisonOperator;

/** One for each check, one for what nobody knows, one for nobody looking. Where the other Region looks, these rest. */
const specifications: readonly Specification[] = [
  ...checks.map(({ name, title }) => ({
    name: `readiness-${name}`,
    title,
    metric: 'CheckNotReady',
    dimensions: { Check: name },
    periods: 1,
    missing: NOT_BREACHING,
  })),
  {
    name: 'readiness-unknown',
    title: 'Of something that a recovery depends on nobody knows whether it is ready',
    metric: 'ReadinessUnknown',
    periods: 2,
    missing: NOT_BREACHING,
  },
  {
    name: 'readiness-silent',
    title: 'Nobody has looked whether a recovery would work',
    metric: 'ReadinessLooked',
    comparison: LESS_THAN_THRESHOLD,
    periods: 2,
    missing: BREACHING,
  },
];

export class ReadinessAlarms extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, topic: sns.ITopic) {
    super(scope, id);
    for (const { name, title, metric, dimensions, comparison, periods, missing } of specifications) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName: namesOf(configuration).alarm(name),
        alarmDescription: `${title}. Runbook: docs/runbooks/readiness.md#${name}`,
        metric: new cloudwatch.Metric({
          namespace: 'StockerDr',
          metricName: metric,
          dimensionsMap: { Environment: configuration.environment, ...dimensions },
          // Twice the time between two looks: no period is empty where it looks.
          period: Duration.minutes(2 * readinessMinutes),
          // The better of two looks: what was mended in between rings no more.
          statistic: comparison === LESS_THAN_THRESHOLD ? 'Maximum' : 'Minimum',
        }),
        threshold: 1,
        comparisonOperator: comparison ?? GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        treatMissingData: missing,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
    }
  }
}
