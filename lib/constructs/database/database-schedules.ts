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

/** A copy that could not be deleted lives at most this much longer than what hindered its deletion. */
const sweepMinutes = 15;

/** How often it is asked whether a recovery has something to tell: an update every 30 minutes, a reminder every 5. */
const progressMinutes = 5;

/** Heartbeat, sentinel and the plan's monthly restore test, all in UTC: local times that do not exist are skipped (aws-facts). */
export class DatabaseSchedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    parts: {
      heartbeat: lambda.IFunction;
      sentinel: lambda.IFunction;
      cleanUp: lambda.IFunction;
      progress: lambda.IFunction;
      machine: sfn.IStateMachine;
      topic: sns.ITopic;
    },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const { schedules } = configuration;
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'schedule',
      title: 'A schedule could not start what it starts: a heartbeat, a look, a sweep, a status update or a drill',
      topic: parts.topic,
    });
    const invoked = [parts.heartbeat, parts.sentinel, parts.cleanUp, parts.progress];
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedules',
      starts: [
        { sid: 'Beat', action: 'lambda:InvokeFunction', resources: invoked.map(({ functionArn }) => functionArn) },
        { sid: 'StartDrill', action: 'states:StartExecution', resources: [parts.machine.stateMachineArn] },
      ],
      deadLetters,
    });
    const every = (minutes: number) => scheduler.ScheduleExpression.rate(Duration.minutes(minutes));
    // A missed beat is worth nothing later: one attempt, then the next beat.
    const once = { role, deadLetterQueue: deadLetters, retryAttempts: 0, maxEventAge: Duration.minutes(1) };
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
    new scheduler.Schedule(this, 'Sweep', {
      scheduleName: names.schedule('drill-sweep'),
      description: 'Delete copies that a drill left behind',
      schedule: every(sweepMinutes),
      target: new targets.LambdaInvoke(parts.cleanUp, {
        ...once,
        input: scheduler.ScheduleTargetInput.fromObject({ sweep: 'drills' }),
      }),
    });
    new scheduler.Schedule(this, 'Progress', {
      scheduleName: names.schedule('progress'),
      description: 'Tell people how the recovery that runs stands',
      schedule: every(progressMinutes),
      target: new targets.LambdaInvoke(parts.progress, once),
    });
    new scheduler.Schedule(this, 'Drill', {
      scheduleName: names.schedule('database-drill'),
      description: 'The plan’s monthly database restore test',
      schedule: scheduler.ScheduleExpression.expression(schedules.databaseDrill, TimeZone.ETC_UTC),
      target: new targets.StepFunctionsStartExecution(parts.machine, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
        input: scheduler.ScheduleTargetInput.fromObject({
          mode: 'drill',
          reason: 'Monthly database restore test of the disaster recovery plan',
          trigger: {
            kind: 'schedule',
            name: names.schedule('database-drill'),
            at: scheduler.ContextAttribute.scheduledTime,
          },
        }),
      }),
    });
  }
}
