import { Duration, TimeZone } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { scheduleRole } from '../schedule-role.ts';

/** The daily recording of the zone and comparison with Git, in UTC. */
export class ConfigurationSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    { watch, topic }: { readonly watch: lambda.IFunction; readonly topic: sns.ITopic },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'schedule-of-configuration',
      title: 'The schedule could not start the comparison with Git',
      topic,
    });
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedule of the configuration',
      starts: [{ sid: 'Watch', action: 'lambda:InvokeFunction', resources: [watch.functionArn] }],
      deadLetters,
    });
    new scheduler.Schedule(this, 'Check', {
      scheduleName: names.schedule('configuration-check'),
      description: 'Record the zone, and compare production with Git',
      schedule: scheduler.ScheduleExpression.expression(configuration.schedules.configurationCheck, TimeZone.ETC_UTC),
      target: new targets.LambdaInvoke(watch, {
        role,
        deadLetterQueue: deadLetters,
        retryAttempts: 3,
        maxEventAge: Duration.hours(1),
      }),
    });
  }
}
