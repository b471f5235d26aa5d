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

const { BREACHING, NOT_BREACHING } = cloudwatch.TreatMissingData;

/** What the watch says once a minute. Only what is lost starts something: unknown and silence page people. */
const specifications = [
  {
    name: 'cluster-lost',
    title: 'Production’s cluster, or what is deployed on it, is gone',
    metric: 'ClusterLost',
    periods: 2,
    missing: NOT_BREACHING,
    starts: true,
  },
  {
    name: 'cluster-nodes-lost',
    title: 'Nodes are not Ready, or deployments are not available',
    metric: 'NodesLost',
    periods: 3,
    missing: NOT_BREACHING,
    starts: true,
  },
  {
    name: 'cluster-unknown',
    title: 'The Kubernetes API does not answer, and EKS says that the cluster is there',
    metric: 'ClusterUnknown',
    periods: 3,
    missing: NOT_BREACHING,
    starts: false,
  },
  {
    name: 'watch-of-cluster-silent',
    title: 'Nobody has looked at the cluster for three periods',
    metric: 'ClusterWatched',
    periods: 3,
    missing: BREACHING,
    starts: false,
  },
] as const;

/** Alarms of a cluster that is lost, and the rule that hands them to triage. */
export class ClusterDetection extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, triage: lambda.IFunction, topic: sns.ITopic) {
    super(scope, id);
    const names = namesOf(configuration);
    const alarms = specifications.map(({ name, title, metric, periods, missing, starts }) => {
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName: names.alarm(name),
        alarmDescription: `${title}. Runbook: docs/runbooks/cluster.md#${name}`,
        metric: new cloudwatch.Metric({
          namespace: 'StockerDr',
          metricName: metric,
          dimensionsMap: { Environment: configuration.environment },
          period: Duration.minutes(1),
          statistic: missing === BREACHING ? 'Maximum' : 'Minimum',
        }),
        threshold: 1,
        comparisonOperator:
          missing === BREACHING
            ? cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
            : cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        treatMissingData: missing,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
      return { alarm, starts };
    });
    new events.Rule(this, 'AlarmRings', {
      ruleName: `${names.prefix}-cluster-alarm`,
      description: 'A cluster alarm entered ALARM',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        resources: alarms.filter(({ starts }) => starts).map(({ alarm }) => alarm.alarmArn),
        detail: { state: { value: ['ALARM'] } },
      },
      targets: [
        // A stale event must not start anything hours later (aws-facts).
        new targets.LambdaFunction(triage, {
          deadLetterQueue: deadLetterQueue(this, {
            prefix: names.prefix,
            of: 'triage-of-cluster',
            title: 'An alarm of the cluster did not reach triage',
            topic,
          }),
          maxEventAge: Duration.minutes(15),
          retryAttempts: 8,
        }),
      ],
    });
  }
}
