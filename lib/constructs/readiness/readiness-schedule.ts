import { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { scheduleRole, scheduleWatch } from '../schedule-role.ts';

/** How often it is looked; an alarm's period is twice that. */
export const readinessMinutes = 30;

/** Lambda puts a function to sleep after 14 days without a call. */
const wakeMinutes = 7 * 24 * 60;

/** The look every half hour, in both Regions: which of them looks follows from the active-database record. */
export class ReadinessSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    { machine, wake, topic }: { machine: sfn.IStateMachine; wake: lambda.IFunction; topic: sns.ITopic },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'readiness-schedule',
      title: 'A schedule could not start the look at readiness, or what keeps functions awake',
      topic,
    });
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedule of readiness',
      starts: [
        { sid: 'StartReadiness', action: 'states:StartExecution', resources: [machine.stateMachineArn] },
        { sid: 'Wake', action: 'lambda:InvokeFunction', resources: [wake.functionArn] },
      ],
      deadLetters,
    });
    new scheduler.Schedule(this, 'Schedule', {
      scheduleName: names.schedule('readiness'),
      description: 'Look whether a recovery would work now',
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(readinessMinutes)),
      target: new targets.StepFunctionsStartExecution(machine, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        // The next one is due by then.
        maxEventAge: Duration.minutes(readinessMinutes),
        input: scheduler.ScheduleTargetInput.fromObject({}),
      }),
    });
    scheduleWatch(this, 'Wake', {
      ...{ role, deadLetters, watch: wake, minutes: wakeMinutes },
      name: names.schedule('wake-functions'),
      description: 'Call every function of a recovery once a week, so that none is asleep when it is needed',
    });
  }
}
