/** Runs functions for callers: at once, or from the queue of asynchronous events with retries, destinations and dead letters. */
import { randomUUID } from 'node:crypto';
import type { Invocation, LambdaFunction } from '../../functions/function.ts';
import { AwsError, type Home, type Principal } from '../../kernel.ts';
import { parseArn, queueUrl, recordMetric } from '../eventing.ts';
import { eventInvokeDefaults, type FunctionRecord } from './registry.ts';
import { use } from './sleep.ts';

export interface Target {
  readonly record: FunctionRecord;
  readonly run: LambdaFunction;
  /** The ARN by which it was invoked. */
  readonly arn: string;
  readonly qualifier: string;
}

/** Lambda waits one minute before the first retry of a failed event and two before the second. */
const retryDelaysMs = [60_000, 120_000] as const;

type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
interface Attempted {
  readonly requestId: string;
  readonly event: string;
  readonly condition: Condition;
  readonly attempts: number;
  readonly invocation?: Invocation;
}

export class Invoker {
  readonly #home: Home;
  readonly #stopping: AbortSignal;

  constructor(home: Home, stopping: AbortSignal) {
    this.#home = home;
    this.#stopping = stopping;
  }

  /** Throws TooManyRequestsException, and what the call of a function that is asleep comes to. */
  async invoke({ record, run, arn }: Target, event: string, requestId?: string): Promise<Invocation> {
    const count = (metric: string, value = 1) =>
      recordMetric(this.#home, 'AWS/Lambda', metric, { FunctionName: run.definition.name }, value);
    use(record, this.#home.clock);
    try {
      const invocation = await run.invoke(event, arn, requestId);
      count('Invocations');
      count('Errors', invocation.failed ? 1 : 0);
      count('Duration', invocation.durationMs);
      return invocation;
    } catch (error) {
      if (error instanceof AwsError && error.code === 'TooManyRequestsException') count('Throttles');
      throw error;
    }
  }

  /** Queues an event and answers its request id at once. */
  enqueue(target: Target, event: string): string {
    const requestId = randomUUID();
    void this.#process(target, event, requestId).catch((error: unknown) => {
      if (!this.#stopping.aborted) throw error;
    });
    return requestId;
  }

  async #process(target: Target, event: string, requestId: string): Promise<void> {
    const outcome = await this.#attempt(target, event, requestId);
    await this.#send(target, outcome);
  }

  async #attempt(target: Target, event: string, requestId: string): Promise<Attempted> {
    const { clock } = this.#home;
    const config = this.#config(target);
    const expires = clock.now() + clock.scale(config.maximumEventAgeSeconds * 1000);
    let invocation: Invocation | undefined;
    for (let attempts = 0, throttled = 0; ; ) {
      let delayMs: number;
      try {
        invocation = await this.invoke(target, event, requestId);
        attempts++;
        const attempted = { requestId, event, attempts, invocation };
        if (!invocation.failed) return { ...attempted, condition: 'Success' };
        if (attempts > config.maximumRetryAttempts) return { ...attempted, condition: 'RetriesExhausted' };
        delayMs = retryDelaysMs[attempts - 1] ?? 0;
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        // Throttles and errors of Lambda itself do not count as attempts: backoff from 1 second to 5 minutes.
        delayMs = Math.min(1000 * 2 ** throttled++, 300_000);
      }
      if (clock.now() + clock.scale(delayMs) > expires) {
        return { requestId, event, attempts, condition: 'EventAgeExceeded', ...(invocation && { invocation }) };
      }
      await clock.sleep(delayMs, this.#stopping);
    }
  }

  async #send(target: Target, outcome: Attempted): Promise<void> {
    const { onSuccess, onFailure } = this.#config(target);
    const { deadLetterArn } = target.record;
    const count = (metric: string) =>
      recordMetric(this.#home, 'AWS/Lambda', metric, { FunctionName: target.record.name }, 1);
    if (outcome.condition !== 'Success') count('AsyncEventsDropped');
    const destination = outcome.condition === 'Success' ? onSuccess : onFailure;
    if (destination !== undefined) {
      await this.#toDestination(target, destination, outcome).catch(() => count('DestinationDeliveryFailures'));
    }
    if (deadLetterArn !== undefined && outcome.condition !== 'Success') {
      await this.#toDeadLetters(target, deadLetterArn, outcome).catch(() => count('DeadLetterErrors'));
    }
  }

  #config({ record, qualifier }: Target) {
    return record.eventInvokeConfigs.get(qualifier) ?? eventInvokeDefaults;
  }

  #toDestination(target: Target, arn: string, outcome: Attempted): Promise<unknown> {
    const body = JSON.stringify(this.#destinationRecord(target, outcome));
    const as = roleOf(target);
    switch (parseArn(arn).service) {
      case 'sqs':
        return this.#home.call('sqs', 'SendMessage', { QueueUrl: queueUrl(this.#home, arn), MessageBody: body }, as);
      case 'sns':
        return this.#home.call('sns', 'Publish', { TopicArn: arn, Message: body }, as);
      case 'lambda':
        return this.#home.call(
          'lambda',
          'Invoke',
          { FunctionName: arn, InvocationType: 'Event', Payload: Buffer.from(body) },
          as,
        );
      default: {
        const entry = {
          Source: 'lambda',
          DetailType: `Lambda Function Invocation Result - ${outcome.condition === 'Success' ? 'Success' : 'Failure'}`,
          Resources: [`${target.run.definition.arn}:${target.run.definition.version}`, arn],
          Detail: body,
          EventBusName: arn,
        };
        return this.#home.call('eventbridge', 'PutEvents', { Entries: [entry] }, as);
      }
    }
  }

  #destinationRecord({ run }: Target, { requestId, event, condition, attempts, invocation }: Attempted): object {
    const { arn, version } = run.definition;
    return {
      version: '1.0',
      timestamp: new Date(this.#home.clock.now()).toISOString(),
      requestContext: { requestId, functionArn: `${arn}:${version}`, condition, approximateInvokeCount: attempts },
      requestPayload: JSON.parse(event),
      ...(invocation && {
        responseContext: {
          statusCode: 200,
          executedVersion: version,
          ...(invocation.failed && { functionError: 'Unhandled' }),
        },
        responsePayload: JSON.parse(invocation.payload),
      }),
    };
  }

  /** A dead-letter queue gets the event as it came, with the error in attributes. */
  #toDeadLetters(target: Target, arn: string, { requestId, event, invocation }: Attempted): Promise<unknown> {
    const reason: { errorMessage?: string } = invocation === undefined ? {} : JSON.parse(invocation.payload);
    const text = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });
    const MessageAttributes = {
      RequestID: text(requestId),
      ErrorCode: text(invocation === undefined ? '429' : '200', 'Number'),
      ErrorMessage: text((reason.errorMessage || 'Rate Exceeded.').slice(0, 1024)),
    };
    const as = roleOf(target);
    return parseArn(arn).service === 'sqs'
      ? this.#home.call(
          'sqs',
          'SendMessage',
          { QueueUrl: queueUrl(this.#home, arn), MessageBody: event, MessageAttributes },
          as,
        )
      : this.#home.call('sns', 'Publish', { TopicArn: arn, Message: event, MessageAttributes }, as);
  }
}

/** Lambda delivers with the permissions of the function's own role. */
function roleOf({ run }: Target): Principal {
  return { kind: 'role', roleArn: run.definition.roleArn, sessionName: run.definition.name };
}
