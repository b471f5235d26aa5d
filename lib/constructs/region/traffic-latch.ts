import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as actions from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Configuration } from '../../../config/schema.ts';
import { latchAlarm } from '../../../core/incident/identifiers.ts';
import type { LatchName } from '../../../core/region/contracts.ts';

interface LatchSpecification {
  readonly latch: LatchName;
  readonly metricName: string;
  readonly title: string;
  /** Of the stack: what Terraform's primary record names. */
  readonly output: string;
}

const latches: readonly LatchSpecification[] = [
  {
    latch: 'traffic',
    metricName: 'TrafficLatched',
    title: 'The latch holds traffic on the DR Region',
    output: 'LatchHealthCheck',
  },
  {
    latch: 'drill-traffic',
    metricName: 'DrillTrafficLatched',
    title: 'A drill holds the drill’s record on the DR Region',
    output: 'DrillLatchHealthCheck',
  },
];

/**
 * DR Region only: from a metric to an alarm to a health check, by Route 53's data plane alone. What is missing changes
 * nothing: the alarm keeps its state, the check its last known one. Both outlive the stack: deleting what holds traffic
 * would send it back to a lost Region at once (aws-facts).
 */
export class TrafficLatch extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, topic: sns.ITopic) {
    super(scope, id);
    const { region } = configuration.dr;
    for (const { latch, metricName, title, output } of latches) {
      const name = `${latch}-latched`;
      const alarmName = latchAlarm(configuration.environment, latch);
      const alarm = new cloudwatch.Alarm(this, name, {
        alarmName,
        alarmDescription: `${title}. Runbook: docs/runbooks/region.md#${name}`,
        metric: new cloudwatch.Metric({
          namespace: 'StockerDr',
          metricName,
          dimensionsMap: { Environment: configuration.environment },
          // Health checks read no high-resolution metrics and the basic statistics only (Route 53 API: AlarmIdentifier).
          period: Duration.minutes(1),
          statistic: 'Maximum',
        }),
        threshold: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: cloudwatch.TreatMissingData.MISSING,
      });
      alarm.addAlarmAction(new actions.SnsAction(topic));
      alarm.applyRemovalPolicy(RemovalPolicy.RETAIN);
      const check = new route53.CfnHealthCheck(this, `${name}-check`, {
        healthCheckConfig: {
          type: 'CLOUDWATCH_METRIC',
          alarmIdentifier: { name: alarmName, region },
          insufficientDataHealthStatus: 'LastKnownStatus',
        },
        healthCheckTags: [{ key: 'Name', value: alarmName }],
      });
      check.applyRemovalPolicy(RemovalPolicy.RETAIN);
      check.node.addDependency(alarm);
      new CfnOutput(Stack.of(this), output, {
        value: check.attrHealthCheckId,
        description: 'For the primary record alone: HealthCheckId',
      });
    }
  }
}
