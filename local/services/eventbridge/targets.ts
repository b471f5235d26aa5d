/** How EventBridge calls each kind of target that it supports here. */
import { randomUUID } from 'node:crypto';
import type { Home, Principal } from '../../kernel.ts';
import { notImplemented } from '../declare.ts';
import { parseArn, queueUrl } from '../eventing.ts';

type Caller = (home: Home, arn: string, input: string, as: Principal, eventId: string) => Promise<unknown>;

/** Calls a target once, as the given principal. Throws what the target's service throws. */
export const callTarget: Caller = (home, arn, input, as, eventId) => callerOf(arn)(home, arn, input, as, eventId);

/** Throws NotImplemented for a target of another kind, when the rule is made. */
export function callerOf(arn: string): Caller {
  const { service, resource } = parseArn(arn);
  const kind = service === 'lambda' || service === 'states' ? `${service}:${resource.split(':')[0]}` : service;
  const caller = CALLERS[service === 'logs' ? `logs:${resource.split(':')[0]}` : kind];
  if (!caller) throw notImplemented(`EventBridge targets like ${arn}`);
  return caller;
}

const CALLERS: Readonly<Record<string, Caller>> = {
  'lambda:function': (home, arn, input, as) =>
    home.call(
      'lambda',
      'Invoke',
      { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(input) },
      as,
      parseArn(arn).region,
    ),
  'states:stateMachine': (home, arn, input, as, eventId) =>
    home.call(
      'sfn',
      'StartExecution',
      { stateMachineArn: arn, input, name: `${eventId}_${randomUUID()}` },
      as,
      parseArn(arn).region,
    ),
  sns: (home, arn, input, as) =>
    home.call('sns', 'Publish', { TopicArn: arn, Message: input }, as, parseArn(arn).region),
  sqs: (home, arn, input, as) =>
    home.call('sqs', 'SendMessage', { QueueUrl: queueUrl(home, arn), MessageBody: input }, as, parseArn(arn).region),
  'logs:log-group': async (home, arn, input, as, eventId) => {
    const { region, resource } = parseArn(arn);
    const stream = {
      logGroupName: resource.replace(/^log-group:|:\*$/g, ''),
      logStreamName: `${eventId}-${randomUUID()}`,
    };
    await home.call('cloudwatch-logs', 'CreateLogStream', stream, as, region);
    const logEvents = [{ timestamp: home.clock.now(), message: input }];
    await home.call('cloudwatch-logs', 'PutLogEvents', { ...stream, logEvents }, as, region);
  },
};
