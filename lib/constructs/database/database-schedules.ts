import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { drillOf, scheduleRole, scheduleStart, scheduleWatch } from '../schedule-role.ts';

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
    const delivery = { role, deadLetters };
    scheduleWatch(this, 'Heartbeat', {
      ...delivery,
      name: names.schedule('heartbeat'),
      description: 'Write the heartbeat that measures the RPO',
      minutes: schedules.heartbeatMinutes,
      watch: parts.heartbeat,
    });
    scheduleWatch(this, 'Sentinel', {
      ...delivery,
      name: names.schedule('sentinel'),
      description: 'Look for damage in the active database',
      minutes: schedules.sentinelMinutes,
      watch: parts.sentinel,
    });
    scheduleWatch(this, 'Sweep', {
      ...delivery,
      name: names.schedule('drill-sweep'),
      description: 'Delete copies that a drill left behind',
      minutes: sweepMinutes,
      watch: parts.cleanUp,
      input: { sweep: 'drills' },
    });
    scheduleWatch(this, 'Progress', {
      ...delivery,
      name: names.schedule('progress'),
      description: 'Tell people how the recovery that runs stands',
      minutes: progressMinutes,
      watch: parts.progress,
    });
    const drill = names.schedule('database-drill');
    scheduleStart(this, 'Drill', {
      ...delivery,
      name: drill,
      description: 'The plan’s monthly database restore test',
      cron: schedules.databaseDrill,
      machine: parts.machine,
      input: drillOf(drill, 'Monthly database restore test of the disaster recovery plan'),
    });
  }
}
