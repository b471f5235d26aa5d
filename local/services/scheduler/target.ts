/** How a schedule calls its target: always in a session of the target's role. */
import type { Target } from '@aws-sdk/client-scheduler';
import type { Home, Principal, ServiceName } from '../../kernel.ts';
import { notImplemented, refuseUnknown } from '../declare.ts';
import { parseArn, queueUrl, required } from '../eventing.ts';

/** The attributes that `Input` may name as `<aws.scheduler.…>`. */
export interface ScheduleContext {
  readonly scheduleArn: string;
  readonly scheduledTime: string;
  readonly executionId: string;
  readonly attempt: number;
}

/** The names that universal targets use, as the SDK names its services, to this cloud's. */
const UNIVERSAL: Readonly<Record<string, ServiceName>> = {
  rds: 'rds',
  sfn: 'sfn',
  lambda: 'lambda',
  eventbridge: 'eventbridge',
  scheduler: 'scheduler',
  cloudwatch: 'cloudwatch',
  cloudwatchlogs: 'cloudwatch-logs',
  sns: 'sns',
  sqs: 'sqs',
  dynamodb: 'dynamodb',
  s3: 's3',
  ssm: 'ssm',
  secretsmanager: 'secrets-manager',
  kms: 'kms',
  ec2: 'ec2',
  eks: 'eks',
  codebuild: 'codebuild',
};

type Caller = (home: Home, arn: string, input: string | undefined, as: Principal) => Promise<unknown>;

/** Throws for a target that cannot be called here, when the schedule is made. */
export function checkTarget(target: Target | undefined): Target {
  const checked = required(target, 'Target');
  refuseUnknown('a schedule target', checked, ['Arn', 'RoleArn', 'Input', 'RetryPolicy', 'DeadLetterConfig']);
  required(checked.RoleArn, 'Target.RoleArn');
  callerOf(required(checked.Arn, 'Target.Arn'));
  return checked;
}

/** Calls the target once. Throws what its service throws. */
export function callTarget(home: Home, target: Target, context: ScheduleContext, as: Principal): Promise<unknown> {
  const arn = target.Arn ?? '';
  return callerOf(arn)(home, arn, target.Input && fillContext(target.Input, context), as);
}

/** Replaces the context attributes in an input. */
export function fillContext(input: string, context: ScheduleContext): string {
  const values: Readonly<Record<string, string>> = {
    'schedule-arn': context.scheduleArn,
    'scheduled-time': context.scheduledTime,
    'execution-id': context.executionId,
    'attempt-number': String(context.attempt),
  };
  return input.replace(/<aws\.scheduler\.([\w-]+)>/g, (unknown, name: string) => values[name] ?? unknown);
}

function callerOf(arn: string): Caller {
  const { service, resource } = parseArn(arn);
  const [kind = ''] = resource.split(':');
  const caller =
    CALLERS[service === 'scheduler' || service === 'lambda' || service === 'states' ? `${service}:${kind}` : service];
  if (!caller) throw notImplemented(`schedule targets like ${arn}`);
  if (kind === 'aws-sdk') universal(arn);
  return caller;
}

const CALLERS: Readonly<Record<string, Caller>> = {
  'lambda:function': (home, arn, input, as) =>
    home.call(
      'lambda',
      'Invoke',
      { FunctionName: arn, InvocationType: 'Event', ...(input !== undefined && { Payload: Buffer.from(input) }) },
      as,
      parseArn(arn).region,
    ),
  'states:stateMachine': (home, arn, input, as) =>
    home.call('sfn', 'StartExecution', { stateMachineArn: arn, input: input ?? '{}' }, as, parseArn(arn).region),
  sns: (home, arn, input, as) =>
    home.call('sns', 'Publish', { TopicArn: arn, Message: input ?? '{}' }, as, parseArn(arn).region),
  sqs: (home, arn, input, as) =>
    home.call(
      'sqs',
      'SendMessage',
      { QueueUrl: queueUrl(home, arn), MessageBody: input ?? '{}' },
      as,
      parseArn(arn).region,
    ),
  'scheduler:aws-sdk': (home, arn, input, as) => {
    const { service, operation } = universal(arn);
    return home.call(service, operation, JSON.parse(input ?? '{}'), as);
  },
};

/** `arn:aws:scheduler:::aws-sdk:<service>:<operation>`, the operation in camel case. */
function universal(arn: string): { service: ServiceName; operation: string } {
  const [, name = '', operation = ''] = parseArn(arn).resource.split(':');
  const service = UNIVERSAL[name];
  if (!service || !operation) throw notImplemented(`the universal schedule target ${arn}`);
  return { service, operation: `${operation.slice(0, 1).toUpperCase()}${operation.slice(1)}` };
}
