/**
 * What the eventing services (EventBridge, Scheduler, CloudWatch, SNS, SQS) share: reading CloudFormation properties,
 * role sessions of targets, and delivery with retries.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  type Access,
  AwsError,
  type Call,
  type Clock,
  type Home,
  type Operation,
  type Principal,
  type ResourceContext,
  type ServiceName,
} from '../kernel.ts';

export type Properties = Readonly<Record<string, unknown>>;

/** Types one entry of an operations table by its SDK input. */
export function operation<I, O = unknown>(
  access: (input: I, call: Call) => readonly Access[] | Promise<readonly Access[]>,
  run: (input: I, call: Call) => O | Promise<O>,
): Operation<I, O> {
  return { access, run };
}

/** The member, or the error that a service answers when it is absent. */
export function required<T>(value: T | undefined | null, name: string, code = 'ValidationException'): T {
  if (value === undefined || value === null || value === '') throw new AwsError(code, `${name} is required.`);
  return value;
}

/** A name as CloudFormation makes one, but the same at every deployment of the stack. */
export function physicalName(context: ResourceContext, maximum = 64): string {
  const suffix = createHash('sha256')
    .update(`${context.stackName}/${context.logicalId}`)
    .digest('hex')
    .slice(0, 12)
    .toUpperCase();
  return `${`${context.stackName}-${context.logicalId}`.slice(0, maximum - 13)}-${suffix}`;
}

export interface Arn {
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Splits `arn:aws:<service>:<region>:<account>:<resource>`; an error for anything else. */
export function parseArn(arn: string): Arn {
  const [prefix, , service, region, account, ...resource] = arn.split(':');
  if (prefix !== 'arn' || !service || resource.length === 0) {
    throw new AwsError('ValidationException', `${arn} is not a valid ARN.`);
  }
  return { service, region: region ?? '', account: account ?? '', resource: resource.join(':') };
}

/** Epoch milliseconds of what the wire or an in-process caller gives for a timestamp (seconds when it is a number). */
export function epochMs(time: Date | string | number): number {
  return typeof time === 'number' ? time * 1000 : new Date(time).getTime();
}

export type Tags = Readonly<Record<string, string>>;

/** CloudFormation's list of tags as a record. */
export function tagsOf(list: unknown): Tags {
  const tags = (list ?? []) as readonly { Key: string; Value: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** The condition keys that a tagged resource presents. */
export function tagConditions(tags: Tags = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
}

/** Sleeps until a moment of the clock (epoch ms), whatever its factor. */
export function sleepUntil(clock: Clock, moment: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(Math.max(0, moment - clock.now()) * clock.factor, signal);
}

/** Runs `tick` at every multiple of an AWS-owned interval until aborted. A tick's failure is the tick's business. */
export async function everyInterval(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  tick: (boundary: number) => void | Promise<void>,
): Promise<void> {
  const step = clock.scale(intervalMs);
  let boundary = Math.floor(clock.now() / step) * step + step;
  while (!signal.aborted) {
    try {
      await sleepUntil(clock, boundary, signal);
    } catch {
      return;
    }
    await tick(boundary);
    boundary = Math.max(boundary + step, Math.floor(clock.now() / step) * step);
  }
}

/**
 * The session in which a service calls a target. The role's trust policy decides, as on AWS:
 * a role that does not trust the service fails the delivery.
 */
export async function assumeRole(home: Home, roleArn: string, service: string, sourceArn: string): Promise<Principal> {
  const sessionName = randomUUID().replaceAll('-', '');
  await home.call(
    'sts',
    'AssumeRole',
    { RoleArn: roleArn, RoleSessionName: sessionName },
    { kind: 'service', service, sourceArn, sourceAccount: home.account },
  );
  return { kind: 'role', roleArn, sessionName };
}

export interface RetryPolicy {
  readonly MaximumEventAgeInSeconds?: number | undefined;
  readonly MaximumRetryAttempts?: number | undefined;
}

export interface DeliveryFailure {
  readonly code: string;
  readonly message: string;
  readonly retries: number;
  readonly exhausted?: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds';
}

/** An error that the same call may not meet again: throttling, a service that is down, a lost answer. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof AwsError)) return true;
  return /throttl|toomanyrequests|requestlimit|limitexceeded|slowdown|unavailable|serviceexception|internal|timeout/i.test(
    error.code,
  );
}

/**
 * Delivers until it succeeds, fails for good, or the policy is exhausted (EventBridge and Scheduler: 24 hours and
 * 185 retries by default, with exponential backoff and jitter). Answers why it gave up; undefined is success.
 */
export async function deliverWithRetries(
  clock: Clock,
  policy: RetryPolicy | undefined,
  signal: AbortSignal,
  deliver: () => Promise<unknown>,
): Promise<DeliveryFailure | undefined> {
  const deadline = clock.now() + clock.scale((policy?.MaximumEventAgeInSeconds ?? 86_400) * 1000);
  const maximumRetries = policy?.MaximumRetryAttempts ?? 185;
  for (let retries = 0; ; retries++) {
    try {
      await deliver();
      return undefined;
    } catch (error) {
      const failure = {
        code: error instanceof AwsError ? error.code : 'SERVICE_UNAVAILABLE',
        message: error instanceof Error ? error.message : String(error),
        retries,
      };
      if (!isRetryable(error)) return failure;
      if (retries >= maximumRetries) return { ...failure, exhausted: 'MaximumRetryAttempts' };
      const backoffMs = Math.min(2 ** retries, 600) * (500 + Math.random() * 500);
      if (clock.now() + clock.scale(backoffMs) > deadline) return { ...failure, exhausted: 'MaximumEventAgeInSeconds' };
      try {
        await clock.sleep(backoffMs, signal);
      } catch {
        return { ...failure, message: `${failure.message} (the cloud stopped before the next retry)` };
      }
    }
  }
}

/** Puts what could not be delivered into a dead-letter queue, its attributes saying why. */
export function sendToDeadLetterQueue(
  home: Home,
  queueArn: string,
  body: string,
  attributes: Readonly<Record<string, string | undefined>>,
  as: Principal,
): Promise<unknown> {
  const { region } = parseArn(queueArn);
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, { DataType: 'String', StringValue: value }]],
    ),
  );
  return home.call(
    'sqs',
    'SendMessage',
    { QueueUrl: queueUrl(home, queueArn), MessageBody: body, MessageAttributes },
    as,
    region,
  );
}

/** The URL of a queue in this cloud. The Region is not in it: the wire takes it from the signature. */
export function queueUrl(home: Home, queueArn: string): string {
  const { account, resource } = parseArn(queueArn);
  return `${home.endpoint}/${account}/${resource}`;
}

/** Attributes that tell an operator why a delivery failed, as EventBridge and Scheduler name them. */
export function failureAttributes(failure: DeliveryFailure): Record<string, string | undefined> {
  return {
    ERROR_CODE: failure.code,
    ERROR_MESSAGE: failure.message,
    RETRY_ATTEMPTS: String(failure.retries),
    EXHAUSTED_RETRY_CONDITION: failure.exhausted,
  };
}

/** Something that keeps metrics: the CloudWatch service beside this one. AWS services' own namespaces take no PutMetricData. */
export interface MetricSink {
  /** Records one value of an AWS service's metric at the clock's now. */
  record(namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, value: number): void;
}

export function recordMetric(home: Home, ...datum: Parameters<MetricSink['record']>): void {
  (home.service('cloudwatch' satisfies ServiceName) as unknown as MetricSink).record(...datum);
}

/** The ARN of a KMS key however a resource names it; an alias is looked up with the account's own authority. */
export async function keyArn(home: Home, key: string): Promise<string> {
  if (key.startsWith('arn:') && !key.includes(':alias/')) return key;
  const alias = key.startsWith('arn:') ? parseArn(key).resource : key;
  if (!alias.startsWith('alias/')) return `arn:aws:kms:${home.region}:${home.account}:key/${key}`;
  const account: Principal = { kind: 'operator', arn: `arn:aws:iam::${home.account}:root`, accessKeyId: 'account' };
  const { KeyMetadata } = await home.call<{ KeyMetadata: { Arn: string } }>(
    'kms',
    'DescribeKey',
    { KeyId: alias },
    account,
  );
  return KeyMetadata.Arn;
}

/** Acts on each of up to ten entries; those that fail are answered beside those that succeed. */
export function inBatch<E extends { Id?: string | undefined }>(
  entries: readonly E[] | undefined,
  act: (entry: E) => object | undefined,
): { Successful: object[]; Failed: object[] } {
  if (!entries?.length) throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10)
    throw new AwsError('TooManyEntriesInBatchRequest', 'A batch request has at most 10 entries.');
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  }
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}
