import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { drillOf, scheduleRole, scheduleStart, scheduleWatch } from '../schedule-role.ts';

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
    const delivery = { role, deadLetters };
    for (const { name, description, target } of everyMinute)
      scheduleWatch(this, name, { ...delivery, name: names.schedule(name), description, minutes: 1, watch: target });
    if (standby === undefined) return;
    const drill = names.schedule('region-drill');
    scheduleStart(this, 'Drill', {
      ...delivery,
      name: drill,
      description: 'The plan’s semi-annual failover drill',
      cron: configuration.schedules.regionDrill,
      machine: standby.machine,
      input: drillOf(drill, 'Semi-annual failover drill of the disaster recovery plan'),
    });
  }
}
