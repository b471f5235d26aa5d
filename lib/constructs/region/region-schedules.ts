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

export interface RegionScheduleParts {
  readonly guard: lambda.IFunction;
  /** DR Region only: it watches the primary, holds the latch, and rehearses the failover. */
  readonly standby?:
    | { readonly probe: lambda.IFunction; readonly latch: lambda.IFunction; readonly machine: sfn.IStateMachine }
    | undefined;
  readonly topic: sns.ITopic;
}

/** Every minute the guard, in both Regions; in the DR Region the probe and the latch, too, and the plan's semi-annual drill. */
export class RegionSchedules extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, parts: RegionScheduleParts) {
    super(scope, id);
    const names = namesOf(configuration);
    const { guard, standby, topic } = parts;
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'region-schedule',
      title: 'A schedule could not start what it starts: the guard, the probe, the latch or a drill of the Region',
      topic,
    });
    const everyMinute = [
      { name: 'region-guard', description: 'Fence what is not production any more', target: guard },
      ...(standby === undefined
        ? []
        : [
            { name: 'region-probe', description: 'Look at the primary from outside', target: standby.probe },
            { name: 'region-latch', description: 'Say where the latch holds traffic', target: standby.latch },
          ]),
    ];
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedules of the region area',
      starts: [
        {
          sid: 'Look',
          action: 'lambda:InvokeFunction',
          resources: everyMinute.map(({ target }) => target.functionArn),
        },
        ...(standby === undefined
          ? []
          : [{ sid: 'StartDrill', action: 'states:StartExecution', resources: [standby.machine.stateMachineArn] }]),
      ],
      deadLetters,
    });
    for (const { name, description, target } of everyMinute)
      new scheduler.Schedule(this, name, {
        scheduleName: names.schedule(name),
        description,
        schedule: scheduler.ScheduleExpression.rate(Duration.minutes(1)),
        target: new targets.LambdaInvoke(target, {
          role,
          deadLetterQueue: deadLetters,
          retryAttempts: 0,
          maxEventAge: Duration.minutes(1),
        }),
      });
    if (standby === undefined) return;
    const name = names.schedule('region-drill');
    new scheduler.Schedule(this, 'Drill', {
      scheduleName: name,
      description: 'The plan’s semi-annual failover drill',
      schedule: scheduler.ScheduleExpression.expression(configuration.schedules.regionDrill, TimeZone.ETC_UTC),
      target: new targets.StepFunctionsStartExecution(standby.machine, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
        input: scheduler.ScheduleTargetInput.fromObject({
          mode: 'drill',
          reason: 'Semi-annual failover drill of the disaster recovery plan',
          trigger: { kind: 'schedule', name, at: scheduler.ContextAttribute.scheduledTime },
        }),
      }),
    });
  }
}
