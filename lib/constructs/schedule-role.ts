import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

export interface ScheduleRoleOptions {
  readonly account: string;
  readonly description: string;
  /** What its schedules start. */
  readonly starts: readonly { readonly sid: string; readonly action: string; readonly resources: string[] }[];
  readonly deadLetters: sqs.IQueue;
}

/** The role of a room's schedules, which starts exactly these; the targets would grant themselves wildcards. */
export function scheduleRole(
  scope: Construct,
  { account, description, starts, deadLetters }: ScheduleRoleOptions,
): iam.IRole {
  const role = new iam.Role(scope, 'Role', {
    // Of a schedule's names Scheduler presents its group's only (EventBridge Scheduler: confused deputy prevention).
    assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        ArnEquals: { 'aws:SourceArn': `arn:aws:scheduler:${Stack.of(scope).region}:${account}:schedule-group/default` },
        StringEquals: { 'aws:SourceAccount': account },
      },
    }),
    description,
  });
  const keep = { sid: 'KeepUndelivered', action: 'sqs:SendMessage', resources: [deadLetters.queueArn] };
  for (const { sid, action, resources } of [...starts, keep])
    role.addToPolicy(new iam.PolicyStatement({ sid, actions: [action], resources }));
  return role.withoutPolicyUpdates();
}
