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

/** How often it is asked whether the day has its backup. */
const watchMinutes = 30;

/** The daily backup, the weekly proofs, and the watch over them, in UTC: local times that do not exist are skipped (aws-facts). */
export class BackupSchedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    parts: { machine: sfn.IStateMachine; watch: lambda.IFunction; topic: sns.ITopic },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const { schedules } = configuration;
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'backup-schedule',
      title: 'A schedule could not start what it starts: a backup, a proof, or the watch over backups',
      topic: parts.topic,
    });
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedules of backups',
      starts: [
        { sid: 'Watch', action: 'lambda:InvokeFunction', resources: [parts.watch.functionArn] },
        { sid: 'StartBackup', action: 'states:StartExecution', resources: [parts.machine.stateMachineArn] },
      ],
      deadLetters,
    });
    const starts = [
      { name: 'backup', description: 'The plan’s daily backup', cron: schedules.backup, task: 'backup' },
      {
        name: 'backup-proof',
        description: 'Prove weekly that the newest backup restores',
        cron: schedules.backupProof,
        task: 'prove',
      },
      {
        name: 'dump-proof',
        description: 'Prove weekly that the newest nightly dump restores',
        cron: schedules.dumpProof,
        task: 'prove-dump',
      },
    ];
    for (const { name, description, cron, task } of starts)
      new scheduler.Schedule(this, name, {
        scheduleName: names.schedule(name),
        description,
        schedule: scheduler.ScheduleExpression.expression(cron, TimeZone.ETC_UTC),
        target: new targets.StepFunctionsStartExecution(parts.machine, {
          role,
          deadLetterQueue: deadLetters,
          retryAttempts: 3,
          maxEventAge: Duration.hours(1),
          input: scheduler.ScheduleTargetInput.fromObject({ task }),
        }),
      });
    new scheduler.Schedule(this, 'backup-watch', {
      scheduleName: names.schedule('backup-watch'),
      description: 'Say whether the day has its backup',
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(watchMinutes)),
      target: new targets.LambdaInvoke(parts.watch, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    });
  }
}
