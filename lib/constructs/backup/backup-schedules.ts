import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { scheduleRole, scheduleStart, scheduleWatch } from '../schedule-role.ts';

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
    const delivery = { role, deadLetters };
    for (const { name, description, cron, task } of starts)
      scheduleStart(this, name, {
        ...delivery,
        name: names.schedule(name),
        description,
        cron,
        machine: parts.machine,
        input: { task },
      });
    scheduleWatch(this, 'backup-watch', {
      ...delivery,
      name: names.schedule('backup-watch'),
      description: 'Say whether the day has its backup',
      minutes: watchMinutes,
      watch: parts.watch,
    });
  }
}
