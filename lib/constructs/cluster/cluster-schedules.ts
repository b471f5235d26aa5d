import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { namesOf } from '../../../config/names.ts';
import type { Configuration } from '../../../config/schema.ts';
import { deadLetterQueue } from '../dead-letters.ts';
import { drillOf, scheduleRole, scheduleStart, scheduleWatch } from '../schedule-role.ts';

/** The watch over the cluster, and the plan's quarterly cluster recovery test, in UTC. */
export class ClusterSchedules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    configuration: Configuration,
    parts: { watch: lambda.IFunction; machine: sfn.IStateMachine; topic: sns.ITopic },
  ) {
    super(scope, id);
    const names = namesOf(configuration);
    const deadLetters = deadLetterQueue(this, {
      prefix: names.prefix,
      of: 'schedule-of-cluster',
      title: 'A schedule could not start what it starts: a look at the cluster, or its drill',
      topic: parts.topic,
    });
    const role = scheduleRole(this, {
      account: configuration.account,
      description: 'Role of the schedules of the cluster',
      starts: [
        { sid: 'Watch', action: 'lambda:InvokeFunction', resources: [parts.watch.functionArn] },
        { sid: 'StartDrill', action: 'states:StartExecution', resources: [parts.machine.stateMachineArn] },
      ],
      deadLetters,
    });
    const delivery = { role, deadLetters };
    scheduleWatch(this, 'Watch', {
      ...delivery,
      name: names.schedule('cluster-watch'),
      description: 'Say whether the cluster, its nodes and its workloads are there',
      minutes: 1,
      watch: parts.watch,
    });
    const drill = names.schedule('cluster-drill');
    scheduleStart(this, 'Drill', {
      ...delivery,
      name: drill,
      description: 'The plan’s quarterly cluster recovery test',
      cron: configuration.schedules.clusterDrill,
      machine: parts.machine,
      input: drillOf(drill, 'Quarterly cluster recovery test of the disaster recovery plan'),
    });
  }
}
