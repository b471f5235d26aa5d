/** EventBridge Scheduler: schedules and their groups. Time zone UTC only. */
import { randomUUID } from 'node:crypto';
import type { CreateScheduleCommandInput, ListSchedulesCommandInput, Target } from '@aws-sdk/client-scheduler';
import {
  type Access,
  AwsError,
  type Home,
  type Operation,
  type ResourceContext,
  type ResourceResult,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { notImplemented, page, refuseUnknown } from '../declare.ts';
import {
  assumeRole,
  type DeliveryFailure,
  deliverWithRetries,
  epochMs,
  failureAttributes,
  operation,
  physicalName,
  recordMetric,
  required,
  sendToDeadLetterQueue,
  type Tags,
  tagsOf,
} from '../eventing.ts';
import { nextTime } from './expression.ts';
import { callTarget, checkTarget } from './target.ts';

interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly arn: string;
  readonly input: CreateScheduleCommandInput;
  readonly target: Target;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** Ends the wait for the next time: on deletion, replacement and stop. */
  readonly cancelled: AbortController;
}

/** An invocation that was given up, and whether a dead-letter queue took it. */
export interface FailedInvocation extends DeliveryFailure {
  readonly scheduleArn: string;
  readonly targetArn: string;
  readonly scheduledTime: string;
  readonly deadLettered: boolean;
}

type Key = { Name?: string | undefined; GroupName?: string | undefined };

const SERVICE = 'scheduler.amazonaws.com';
const MEMBERS = [
  ...['Name', 'GroupName', 'Description', 'ScheduleExpression', 'ScheduleExpressionTimezone', 'FlexibleTimeWindow'],
  ...['State', 'StartDate', 'EndDate', 'Target', 'ActionAfterCompletion', 'ClientToken'],
];

export class Scheduler implements Service {
  readonly #home: Home;
  readonly #groups = new Map<string, { readonly tags: Tags }>([['default', { tags: {} }]]);
  readonly #schedules = new Map<string, Schedule>();
  readonly #failures: FailedInvocation[] = [];
  readonly #stopping = new AbortController();
  #started = false;

  constructor(home: Home) {
    this.#home = home;
  }

  readonly operations: Record<string, Operation> = {
    CreateSchedule: operation<CreateScheduleCommandInput>(
      (input) => this.#writeAccess('scheduler:CreateSchedule', input),
      (input) => ({ ScheduleArn: this.#create(input).arn }),
    ),
    UpdateSchedule: operation<CreateScheduleCommandInput>(
      (input) => this.#writeAccess('scheduler:UpdateSchedule', input),
      (input) => {
        const old = this.#find(input);
        const schedule = this.#make(input, old.createdAt);
        old.cancelled.abort();
        this.#keep(schedule);
        return { ScheduleArn: schedule.arn };
      },
    ),
    GetSchedule: operation<Key>(
      (input) => this.#access('scheduler:GetSchedule', input),
      (input) => {
        const schedule = this.#find(input);
        const { ClientToken: _, ...given } = schedule.input;
        return {
          ...given,
          ...summary(schedule),
          Target: schedule.target,
          ScheduleExpressionTimezone: 'UTC',
          ActionAfterCompletion: given.ActionAfterCompletion ?? 'NONE',
        };
      },
    ),
    ListSchedules: operation<ListSchedulesCommandInput>(
      () => [{ action: 'scheduler:ListSchedules', resources: ['*'] }],
      (input) => {
        const schedules = [...this.#schedules.values()]
          .filter(({ group }) => !input.GroupName || group === input.GroupName)
          .filter(({ name }) => name.startsWith(input.NamePrefix ?? ''))
          .map((schedule) => ({ ...summary(schedule), Target: { Arn: schedule.target.Arn } }))
          .filter(({ State }) => !input.State || State === input.State);
        const { items, next } = page(schedules, input.NextToken, input.MaxResults ?? 100);
        return { Schedules: items, NextToken: next };
      },
    ),
    DeleteSchedule: operation<Key>(
      (input) => this.#access('scheduler:DeleteSchedule', input),
      (input) => {
        const schedule = this.#find(input);
        schedule.cancelled.abort();
        this.#schedules.delete(schedule.arn);
        return {};
      },
    ),
  };

  readonly resources = {
    'AWS::Scheduler::Schedule': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        const Name = String(properties.Name ?? physicalName(context));
        const { arn } = this.#create({ ...properties, Name } as never);
        return { ref: Name, attributes: { Arn: arn } };
      },
    },
    'AWS::Scheduler::ScheduleGroup': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        refuseUnknown('AWS::Scheduler::ScheduleGroup', properties, ['Name', 'Tags']);
        const name = String(properties.Name ?? physicalName(context));
        this.#groups.set(name, { tags: tagsOf(properties.Tags) });
        return { ref: name, attributes: { Arn: this.#groupArn(name), State: 'ACTIVE' } };
      },
    },
  };

  start(): void {
    this.#started = true;
    for (const schedule of this.#schedules.values()) void this.#run(schedule);
  }

  stop(): void {
    this.#stopping.abort();
    for (const { cancelled } of this.#schedules.values()) cancelled.abort();
  }

  /** The schedule's time has come now, whatever its expression and state say. Resolves when the target was called. */
  async fire(name: string, group = 'default'): Promise<void> {
    await this.#invoke(this.#find({ Name: name, GroupName: group }), new Date(this.#home.clock.now()));
  }

  /** Every invocation that was given up, oldest first. */
  failures(): readonly FailedInvocation[] {
    return this.#failures;
  }

  #create(input: CreateScheduleCommandInput): Schedule {
    const schedule = this.#make(input, this.#home.clock.now());
    if (this.#schedules.has(schedule.arn))
      throw new AwsError('ConflictException', `Schedule ${schedule.name} already exists.`);
    return this.#keep(schedule);
  }

  #make(input: CreateScheduleCommandInput, createdAt: number): Schedule {
    refuseUnknown('a schedule', input, MEMBERS);
    const name = required(input.Name, 'Name');
    const group = input.GroupName ?? 'default';
    if (!this.#groups.has(group))
      throw new AwsError('ResourceNotFoundException', `Schedule group ${group} does not exist.`);
    if (!['UTC', 'Etc/UTC'].includes(input.ScheduleExpressionTimezone ?? 'UTC')) {
      throw notImplemented(`schedules in the time zone ${input.ScheduleExpressionTimezone}`);
    }
    nextTime(required(input.ScheduleExpression, 'ScheduleExpression'), new Date(0));
    const window = required(input.FlexibleTimeWindow, 'FlexibleTimeWindow');
    if (window.Mode === 'FLEXIBLE')
      required(window.MaximumWindowInMinutes, 'FlexibleTimeWindow.MaximumWindowInMinutes');
    return {
      name,
      group,
      arn: this.#arn(name, group),
      input,
      target: checkTarget(input.Target),
      createdAt,
      modifiedAt: this.#home.clock.now(),
      cancelled: new AbortController(),
    };
  }

  #keep(schedule: Schedule): Schedule {
    this.#schedules.set(schedule.arn, schedule);
    if (this.#started) void this.#run(schedule);
    return schedule;
  }

  /**
   * Waits for time after time. On a scaled clock the schedule lives in a time of its own, which starts at the clock's
   * now and runs `factor` times as fast: a daily schedule then fires once per scaled day.
   */
  async #run(schedule: Schedule): Promise<void> {
    const { clock } = this.#home;
    const {
      ScheduleExpression = '',
      StartDate,
      EndDate,
      FlexibleTimeWindow,
      State,
      ActionAfterCompletion,
    } = schedule.input;
    if (State === 'DISABLED') return;
    const started = clock.now();
    const ownNow = () => started + (clock.now() - started) * clock.factor;
    const anchor = StartDate ? epochMs(StartDate) : started;
    const end = EndDate ? epochMs(EndDate) : Number.POSITIVE_INFINITY;
    let last = new Date(Math.max(started, anchor - 1));
    for (;;) {
      const next = nextTime(ScheduleExpression, last, new Date(anchor));
      if (!next || next.getTime() > end) break;
      const windowMs =
        FlexibleTimeWindow?.Mode === 'FLEXIBLE' ? Number(FlexibleTimeWindow.MaximumWindowInMinutes) * 60_000 : 0;
      const delay = Math.random() * windowMs;
      try {
        await clock.sleep(Math.max(0, next.getTime() + delay - ownNow()), schedule.cancelled.signal);
      } catch {
        return;
      }
      // Timestamps are real ones on every clock.
      void this.#invoke(schedule, new Date(started + clock.scale(next.getTime() - started)));
      last = next;
    }
    if (ActionAfterCompletion === 'DELETE') this.#schedules.delete(schedule.arn);
  }

  async #invoke(schedule: Schedule, time: Date): Promise<void> {
    const { target, arn } = schedule;
    const scheduledTime = `${time.toISOString().slice(0, 19)}Z`;
    const executionId = randomUUID();
    let attempt = 0;
    this.#count('InvocationAttemptCount', schedule);
    const failure = await deliverWithRetries(this.#home.clock, target.RetryPolicy, this.#stopping.signal, async () => {
      attempt += 1;
      // A role's trust policy for Scheduler conditions on the schedule group's ARN.
      const as = await assumeRole(this.#home, target.RoleArn ?? '', SERVICE, this.#groupArn(schedule.group));
      await callTarget(this.#home, target, { scheduleArn: arn, scheduledTime, executionId, attempt }, as);
    });
    if (!failure) return;
    this.#count('TargetErrorCount', schedule);
    const deadLettered = await this.#deadLetter(schedule, failure, scheduledTime, executionId);
    if (!deadLettered) this.#count('InvocationDroppedCount', schedule);
    this.#failures.push({ ...failure, scheduleArn: arn, targetArn: target.Arn ?? '', scheduledTime, deadLettered });
  }

  async #deadLetter(
    schedule: Schedule,
    failure: DeliveryFailure,
    scheduledTime: string,
    executionId: string,
  ): Promise<boolean> {
    const { target } = schedule;
    if (!target.DeadLetterConfig?.Arn) return false;
    const attributes = {
      ...failureAttributes(failure),
      SCHEDULE_ARN: schedule.arn,
      TARGET_ARN: target.Arn,
      SCHEDULED_TIME: scheduledTime,
      EXECUTION_ID: executionId,
      IS_PAYLOAD_TRUNCATED: 'false',
    };
    try {
      const as = await assumeRole(this.#home, target.RoleArn ?? '', SERVICE, this.#groupArn(schedule.group));
      await sendToDeadLetterQueue(this.#home, target.DeadLetterConfig.Arn, target.Input ?? '{}', attributes, as);
      this.#count('InvocationsSentToDeadLetterCount', schedule);
      return true;
    } catch {
      this.#count('InvocationsFailedToBeSentToDeadLetterCount', schedule);
      return false;
    }
  }

  #count(metric: string, { group }: Schedule): void {
    recordMetric(this.#home, 'AWS/Scheduler', metric, { ScheduleGroup: group }, 1);
  }

  #access(action: string, { Name, GroupName }: Key): Access[] {
    return [{ action, resources: [this.#arn(required(Name, 'Name'), GroupName ?? 'default')] }];
  }

  /** Giving a schedule a role is passing that role to Scheduler. */
  #writeAccess(action: string, input: CreateScheduleCommandInput): Access[] {
    const conditions = { 'iam:PassedToService': SERVICE };
    const role = required(input.Target?.RoleArn, 'Target.RoleArn');
    return [...this.#access(action, input), { action: 'iam:PassRole', resources: [role], conditions }];
  }

  #find({ Name, GroupName }: Key): Schedule {
    const schedule = this.#schedules.get(this.#arn(required(Name, 'Name'), GroupName ?? 'default'));
    if (!schedule) throw new AwsError('ResourceNotFoundException', `Schedule ${Name} does not exist.`);
    return schedule;
  }

  #arn(name: string, group: string): string {
    return `arn:aws:scheduler:${this.#home.region}:${this.#home.account}:schedule/${group}/${name}`;
  }

  #groupArn(group: string): string {
    return `arn:aws:scheduler:${this.#home.region}:${this.#home.account}:schedule-group/${group}`;
  }
}

const summary = ({ name, group, arn, input, createdAt, modifiedAt }: Schedule) => ({
  Name: name,
  GroupName: group,
  Arn: arn,
  State: input.State ?? 'ENABLED',
  CreationDate: new Date(createdAt),
  LastModificationDate: new Date(modifiedAt),
});

export const scheduler: ServiceDefinition = {
  name: 'scheduler',
  sdk: '@aws-sdk/client-scheduler',
  create: (home) => new Scheduler(home),
};
