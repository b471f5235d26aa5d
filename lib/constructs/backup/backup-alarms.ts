import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';

const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/**
 * What rings where a day has no good backup. They read what the watch says of the records: a run that never began, or died,
 * reports nothing itself. A watch that is silent rings as a missed backup.
 */
const specifications = [
  {
    name: 'backup-missed',
    title: 'A day has no backup, or nobody watches whether it has',
    metric: 'BackupMissed',
    periods: 2,
    missing: BREACHING,
  },
  {
    name: 'backup-late',
    title: 'The day’s backup has not succeeded hours after its time',
    metric: 'BackupLate',
    periods: 1,
    missing: NOT_BREACHING,
  },
  {
    name: 'backup-failed',
    title: 'The day’s backup failed, or a part of it, or the last proof that one restores',
    metric: 'BackupFailed',
    periods: 1,
    missing: NOT_BREACHING,
  },
];

/** Twice the time between two looks of the watch: no period is empty where it looks. */
const periodMinutes = 60;

export class BackupAlarms extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, topic: sns.ITopic) {
    super(scope, id);
    for (const { name, title, metric, periods, missing } of specifications) {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName: namesOf(configuration).alarm(name),
        alarmDescription: `${title}. Runbook: docs/runbooks/backup.md#${name}`,
        metric: new cloudwatch.Metric({
          namespace: 'StockerDr',
          metricName: metric,
          dimensionsMap: { Environment: configuration.environment },
          period: Duration.minutes(periodMinutes),
          statistic: 'Maximum',
        }),
        threshold: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        treatMissingData: missing,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
    }
  }
}
