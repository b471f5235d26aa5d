import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as targets from 'aws-cdk-lib/aws-scheduler-targets';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
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

/** By whom a room's schedules start what they start, and where what they could not start is kept. */
export interface Delivery {
  readonly role: iam.IRole;
  readonly deadLetters: sqs.IQueue;
}

interface Scheduled extends Delivery {
  /** As Scheduler knows it. */
  readonly name: string;
  readonly description: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

/** A look every so many minutes. One that is missed is worth nothing later: one attempt, then the next. */
export function scheduleWatch(
  scope: Construct,
  id: string,
  { watch, minutes, ...scheduled }: Scheduled & { readonly watch: lambda.IFunction; readonly minutes: number },
): void {
  const { role, deadLetters, name, description, input } = scheduled;
  // Lambda itself would try a look that failed again, a minute later and two after that, beside the looks that are due then.
  if (minutes === 1) watch.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });
  new scheduler.Schedule(scope, id, {
    scheduleName: name,
    description,
    schedule: scheduler.ScheduleExpression.rate(Duration.minutes(minutes)),
    target: new targets.LambdaInvoke(watch, {
      role,
      deadLetterQueue: deadLetters,
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      ...(input === undefined ? {} : { input: scheduler.ScheduleTargetInput.fromObject(input) }),
    }),
  });
}

/** A start of a state machine at times in UTC; one that fails is tried again for an hour. */
export function scheduleStart(
  scope: Construct,
  id: string,
  { machine, cron, ...scheduled }: Scheduled & { readonly machine: sfn.IStateMachine; readonly cron: string },
): void {
  const { role, deadLetters, name, description, input = {} } = scheduled;
  new scheduler.Schedule(scope, id, {
    scheduleName: name,
    description,
    schedule: scheduler.ScheduleExpression.expression(cron, TimeZone.ETC_UTC),
    target: new targets.StepFunctionsStartExecution(machine, {
      role,
      deadLetterQueue: deadLetters,
      retryAttempts: 3,
      maxEventAge: Duration.hours(1),
      input: scheduler.ScheduleTargetInput.fromObject(input),
    }),
  });
}

/** What the schedule of that name asks of a machine: a rehearsal, for that reason. */
export const drillOf = (name: string, reason: string) => ({
  mode: 'drill',
  reason,
  trigger: { kind: 'schedule', name, at: scheduler.ContextAttribute.scheduledTime },
});
