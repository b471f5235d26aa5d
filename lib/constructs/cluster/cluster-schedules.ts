import { Duration, TimeZone } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { scheduleRole } from '../schedule-role.ts';

/** The watch over the cluster, and the plan's quarterly cluster recovery test, in UTC. */
export class ClusterSchedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    parts: { watch: lambda.IFunction; machine: sfn.IStateMachine; topic: sns.ITopic },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'schedule-of-cluster',
      title: 'A schedule could not start what it starts: a look at the cluster, or its drill',
      topic: parts.topic,
    });
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedules of the cluster',
      starts: [
        { sid: 'Watch', action: 'lambda:InvokeFunction', resources: [parts.watch.functionArn] },
        { sid: 'StartDrill', action: 'states:StartExecution', resources: [parts.machine.stateMachineArn] },
      ],
      deadLetters,
    });
    new scheduler.Schedule(this, 'Watch', {
      scheduleName: names.schedule('cluster-watch'),
      description: 'Say whether the cluster, its nodes and its workloads are there',
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(1)),
      target: new targets.LambdaInvoke(parts.watch, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    });
    new scheduler.Schedule(this, 'Drill', {
      scheduleName: names.schedule('cluster-drill'),
      description: 'The plan’s quarterly cluster recovery test',
      schedule: scheduler.ScheduleExpression.expression(configuration.schedules.clusterDrill, TimeZone.ETC_UTC),
      target: new targets.StepFunctionsStartExecution(parts.machine, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
        input: scheduler.ScheduleTargetInput.fromObject({
          mode: 'drill',
          reason: 'Quarterly cluster recovery test of the disaster recovery plan',
          trigger: {
            kind: 'schedule',
            name: names.schedule('cluster-drill'),
            at: scheduler.ContextAttribute.scheduledTime,
          },
        }),
      }),
    });
  }
}
