import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';

/** How often it is asked whether the day has its backup. */
const watchMinutes = 30;

/** The daily backup, its weekly proof, and the watch over both, in UTC: local times that do not exist are skipped (aws-facts). */
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
      title: 'A schedule could not start what it starts: a backup, its proof, or the watch over backups',
      topic: parts.topic,
    });
    const role = this.starter(parts, deadLetters.queueArn, configuration.account);
    const starts = [
      { name: 'backup', description: 'The plan’s daily backup', cron: schedules.backup, task: 'backup' },
      {
        name: 'backup-proof',
        description: 'Prove weekly that the newest backup restores',
        cron: schedules.backupProof,
        task: 'prove',
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

  /** One role that starts exactly these; the targets would grant themselves wildcards. */
  private starter(
    { machine, watch }: { machine: sfn.IStateMachine; watch: lambda.IFunction },
    queueArn: string,
    account: string,
  ): iam.IRole {
    const { region } = Stack.of(this);
    const role = new iam.Role(this, 'Role', {
      // Of a schedule's names Scheduler presents its group's only (EventBridge Scheduler: confused deputy prevention).
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          ArnEquals: { 'aws:SourceArn': `arn:aws:scheduler:${region}:${account}:schedule-group/default` },
          StringEquals: { 'aws:SourceAccount': account },
        },
      }),
      description: 'Role of the schedules of backups',
    });
    const allow = (sid: string, action: string, resource: string) =>
      role.addToPolicy(new iam.PolicyStatement({ sid, actions: [action], resources: [resource] }));
    allow('Watch', 'lambda:InvokeFunction', watch.functionArn);
    allow('StartBackup', 'states:StartExecution', machine.stateMachineArn);
    allow('KeepUndelivered', 'sqs:SendMessage', queueArn);
    return role.withoutPolicyUpdates();
  }
}
