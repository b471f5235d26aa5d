import { Duration, TimeZone } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';

/** Heartbeat, sentinel and the plan's monthly restore test, all in UTC: local times that do not exist are skipped (aws-facts). */
export class DatabaseSchedules extends Construct {
  readonly deadLetters: sqs.Queue;

  constructor(scope: Construct, id: string, configuration: Configuration, parts: { heartbeat: lambda.IFunction; sentinel: lambda.IFunction; machine: sfn.IStateMachine }) {
    super(scope, id);
    const names = namesOf(configuration);
    const { schedules } = configuration;
    this.deadLetters = new sqs.Queue(this, 'DeadLetters', {
      queueName: `${names.prefix}-schedule-dead-letters`,
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    const every = (minutes: number) => scheduler.ScheduleExpression.rate(Duration.minutes(minutes));
    // A missed beat is worth nothing later: one attempt, then the next beat.
    const once = { deadLetterQueue: this.deadLetters, retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    new scheduler.Schedule(this, 'Heartbeat', {
      scheduleName: names.schedule('heartbeat'),
      description: 'Write the heartbeat that measures the RPO',
      schedule: every(schedules.heartbeatMinutes),
      target: new targets.LambdaInvoke(parts.heartbeat, once),
    });
    new scheduler.Schedule(this, 'Sentinel', {
      scheduleName: names.schedule('sentinel'),
      description: 'Look for damage in the active database',
      schedule: every(schedules.sentinelMinutes),
      target: new targets.LambdaInvoke(parts.sentinel, once),
    });
    new scheduler.Schedule(this, 'Drill', {
      scheduleName: names.schedule('database-drill'),
      description: 'The plan’s monthly database restore test',
      schedule: scheduler.ScheduleExpression.expression(schedules.databaseDrill, TimeZone.ETC_UTC),
      target: new targets.StepFunctionsStartExecution(parts.machine, {
        deadLetterQueue: this.deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
        input: scheduler.ScheduleTargetInput.fromObject({
          mode: 'drill',
          reason: 'Monthly database restore test of the disaster recovery plan',
          trigger: { kind: 'schedule', name: names.schedule('database-drill'), at: scheduler.ContextAttribute.scheduledTime },
        }),
      }),
    });
  }
}
