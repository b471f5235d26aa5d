/** SQS: standard queues with visibility, long polling and dead-letter queues. FIFO queues are refused. */
import type {
  DeleteMessageBatchCommandInput,
  MessageAttributeValue,
  ReceiveMessageCommandInput,
  SendMessageBatchCommandInput,
  SendMessageCommandInput,
} from '@aws-sdk/client-sqs';
import { parsePolicy } from '../../authorization/policy.ts';
import {
  type Access,
  AwsError,
  type Call,
  type Home,
  type Operation,
  type PolicyDocument,
  type ResourceContext,
  type ResourceResult,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { notImplemented, page, refuseUnknown } from '../declare.ts';
import {
  everyInterval,
  inBatch,
  keyArn,
  operation,
  parseArn,
  physicalName,
  recordMetric,
  required,
  type Tags,
  tagConditions,
  tagsOf,
} from '../eventing.ts';
import { type Message, md5, Queue } from './queue.ts';

interface QueueRecord {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly tags: Tags;
  readonly createdAt: number;
  readonly attributes: Record<string, string>;
  readonly queue: Queue;
  policy?: PolicyDocument;
}

/** What CreateQueue gives a queue when nothing is said. */
const DEFAULTS = {
  DelaySeconds: '0',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
  SqsManagedSseEnabled: 'true',
} as const;
const SETTABLE = [
  ...Object.keys(DEFAULTS),
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
];

class Sqs implements Service {
  readonly #home: Home;
  readonly #queues = new Map<string, QueueRecord>();
  readonly #stopping = new AbortController();

  constructor(home: Home) {
    this.#home = home;
  }

  readonly operations: Record<string, Operation> = {
    SendMessage: operation<SendMessageCommandInput>(
      (input, call) => this.#access('sqs:SendMessage', input, call, ['kms:GenerateDataKey', 'kms:Decrypt']),
      (input, call) => this.#send(this.#byUrl(input.QueueUrl), input, call),
    ),
    SendMessageBatch: operation<SendMessageBatchCommandInput>(
      (input, call) => this.#access('sqs:SendMessage', input, call, ['kms:GenerateDataKey', 'kms:Decrypt']),
      (input, call) => {
        const record = this.#byUrl(input.QueueUrl);
        return inBatch(input.Entries, (entry) => this.#send(record, entry, call));
      },
    ),
    ReceiveMessage: operation<ReceiveMessageCommandInput>(
      (input, call) => this.#access('sqs:ReceiveMessage', input, call, ['kms:Decrypt']),
      (input) => this.#receive(input),
    ),
    DeleteMessage: operation<{ QueueUrl?: string; ReceiptHandle?: string }>(
      (input, call) => this.#access('sqs:DeleteMessage', input, call),
      (input) => {
        this.#byUrl(input.QueueUrl).queue.delete(required(input.ReceiptHandle, 'ReceiptHandle', 'MissingParameter'));
        return {};
      },
    ),
    DeleteMessageBatch: operation<DeleteMessageBatchCommandInput>(
      (input, call) => this.#access('sqs:DeleteMessage', input, call),
      (input) => {
        const { queue } = this.#byUrl(input.QueueUrl);
        return inBatch(input.Entries, (entry) => {
          queue.delete(entry.ReceiptHandle ?? '');
          return undefined;
        });
      },
    ),
    ChangeMessageVisibility: operation<{ QueueUrl?: string; ReceiptHandle?: string; VisibilityTimeout?: number }>(
      (input, call) => this.#access('sqs:ChangeMessageVisibility', input, call),
      (input) => {
        const seconds = required(input.VisibilityTimeout, 'VisibilityTimeout', 'MissingParameter');
        inRange('VisibilityTimeout', seconds, 0, 43_200);
        this.#byUrl(input.QueueUrl).queue.changeVisibility(input.ReceiptHandle ?? '', seconds * 1000);
        return {};
      },
    ),
    GetQueueAttributes: operation<{ QueueUrl?: string; AttributeNames?: string[] }>(
      (input, call) => this.#access('sqs:GetQueueAttributes', input, call),
      (input) => this.#attributes(this.#byUrl(input.QueueUrl), input.AttributeNames ?? []),
    ),
    SetQueueAttributes: operation<{ QueueUrl?: string; Attributes?: Record<string, string> }>(
      (input, call) => this.#access('sqs:SetQueueAttributes', input, call),
      (input) => {
        this.#setAttributes(this.#byUrl(input.QueueUrl), required(input.Attributes, 'Attributes', 'MissingParameter'));
        return {};
      },
    ),
    GetQueueUrl: operation<{ QueueName?: string }>(
      (input) => [{ action: 'sqs:GetQueueUrl', resources: [this.#arn(input.QueueName ?? '')] }],
      (input) => ({ QueueUrl: this.#byArn(this.#arn(required(input.QueueName, 'QueueName', 'MissingParameter'))).url }),
    ),
    ListQueues: operation<{ QueueNamePrefix?: string; NextToken?: string; MaxResults?: number }>(
      () => [{ action: 'sqs:ListQueues', resources: ['*'] }],
      (input) => {
        const urls = [...this.#queues.values()]
          .filter(({ name }) => name.startsWith(input.QueueNamePrefix ?? ''))
          .map(({ url }) => url);
        const { items, next } = page(urls, input.NextToken, input.MaxResults ?? 1000);
        return { QueueUrls: items, NextToken: next };
      },
    ),
    PurgeQueue: operation<{ QueueUrl?: string }>(
      (input, call) => this.#access('sqs:PurgeQueue', input, call),
      (input) => {
        this.#byUrl(input.QueueUrl).queue.purge();
        return {};
      },
    ),
  };

  readonly resources = {
    'AWS::SQS::Queue': {
      create: (properties: Record<string, unknown>, context: ResourceContext) => this.#createQueue(properties, context),
    },
    'AWS::SQS::QueuePolicy': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        refuseUnknown('AWS::SQS::QueuePolicy', properties, ['Queues', 'PolicyDocument']);
        for (const url of properties.Queues as string[])
          this.#byUrl(url).policy = parsePolicy(properties.PolicyDocument, 'resource');
        return { ref: physicalName(context) };
      },
    },
  };

  resourcePolicy(arn: string): PolicyDocument | undefined {
    return this.#queues.get(arn)?.policy;
  }

  start(): void {
    void everyInterval(this.#home.clock, 60_000, this.#stopping.signal, () => this.#publishMetrics());
  }

  stop(): void {
    this.#stopping.abort();
    for (const { queue } of this.#queues.values()) queue.close();
  }

  #createQueue(properties: Record<string, unknown>, context: ResourceContext): ResourceResult {
    if (properties.FifoQueue) throw notImplemented('FIFO queues');
    refuseUnknown('AWS::SQS::Queue', properties, ['QueueName', 'FifoQueue', 'Tags', ...SETTABLE]);
    const name = String(properties.QueueName ?? physicalName(context, 80));
    const arn = this.#arn(name);
    if (this.#queues.has(arn)) throw new AwsError('QueueNameExists', `A queue named ${name} already exists.`);
    const record: QueueRecord = {
      name,
      arn,
      url: `${this.#home.endpoint}/${this.#home.account}/${name}`,
      tags: tagsOf(properties.Tags),
      createdAt: this.#home.clock.now(),
      attributes: { ...DEFAULTS },
      queue: new Queue(this.#home.clock, () => this.#limits(record)),
    };
    const given = SETTABLE.filter((attribute) => properties[attribute] !== undefined);
    this.#setAttributes(
      record,
      Object.fromEntries(given.map((attribute) => [attribute, asText(properties[attribute])])),
    );
    this.#queues.set(arn, record);
    return { ref: record.url, attributes: { Arn: arn, QueueName: name, QueueUrl: record.url } };
  }

  #limits(record: QueueRecord) {
    const policy = record.attributes.RedrivePolicy && JSON.parse(record.attributes.RedrivePolicy);
    return {
      retentionMs: Number(record.attributes.MessageRetentionPeriod) * 1000,
      redrive: policy && {
        maxReceiveCount: Number(policy.maxReceiveCount),
        move: ({ body, attributes, senderId }: Message) =>
          this.#byArn(policy.deadLetterTargetArn).queue.send(
            { body, attributes, senderId, deadLetterSourceArn: record.arn },
            0,
          ),
      },
    };
  }

  #setAttributes(record: QueueRecord, attributes: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (name === 'Policy') record.policy = parsePolicy(value, 'resource');
      else if (SETTABLE.includes(name)) record.attributes[name] = value;
      else throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
  }

  #send(
    record: QueueRecord,
    input: Pick<SendMessageCommandInput, 'MessageBody' | 'MessageAttributes' | 'DelaySeconds'>,
    call: Call,
  ) {
    refuseUnknown('a message', input, ['QueueUrl', 'Id', 'MessageBody', 'MessageAttributes', 'DelaySeconds']);
    const body = required(input.MessageBody, 'MessageBody', 'MissingParameter');
    if (Buffer.byteLength(body) > Number(record.attributes.MaximumMessageSize)) {
      throw new AwsError(
        'InvalidParameterValue',
        'One or more parameters are invalid. Reason: Message must be shorter.',
      );
    }
    const delaySeconds = input.DelaySeconds ?? Number(record.attributes.DelaySeconds);
    inRange('DelaySeconds', delaySeconds, 0, 900);
    const attributes = { ...(input.MessageAttributes as Record<string, MessageAttributeValue>) };
    const message = record.queue.send({ body, attributes, senderId: senderId(call) }, delaySeconds * 1000);
    return { MessageId: message.id, MD5OfMessageBody: md5(body) };
  }

  async #receive(input: ReceiveMessageCommandInput) {
    const { queue, attributes } = this.#byUrl(input.QueueUrl);
    const maximum = input.MaxNumberOfMessages ?? 1;
    const waitSeconds = input.WaitTimeSeconds ?? Number(attributes.ReceiveMessageWaitTimeSeconds);
    inRange('MaxNumberOfMessages', maximum, 1, 10);
    inRange('WaitTimeSeconds', waitSeconds, 0, 20);
    const visibilitySeconds = input.VisibilityTimeout ?? Number(attributes.VisibilityTimeout);
    const messages = await queue.receive(maximum, visibilitySeconds * 1000, waitSeconds * 1000);
    return messages.length > 0 ? { Messages: messages.map((message) => received(message, input)) } : {};
  }

  #attributes(record: QueueRecord, names: readonly string[]) {
    const { visible, inFlight, delayed } = record.queue.counts();
    const all: Record<string, string | undefined> = {
      ...record.attributes,
      QueueArn: record.arn,
      CreatedTimestamp: String(Math.floor(record.createdAt / 1000)),
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      Policy: record.policy && JSON.stringify(record.policy),
    };
    const wanted = Object.entries(all).filter(
      ([name, value]) => value !== undefined && (names.includes('All') || names.includes(name)),
    );
    return { Attributes: Object.fromEntries(wanted) };
  }

  async #access(
    action: string,
    input: { QueueUrl?: string | undefined },
    { principal }: Call,
    keyActions: readonly string[] = [],
  ): Promise<Access[]> {
    const record = this.#byUrl(input.QueueUrl);
    const access = [{ action, resources: [record.arn], conditions: tagConditions(record.tags) }];
    const key = record.attributes.KmsMasterKeyId;
    if (!key) return access;
    // The AWS managed key's policy grants this account's principals through SQS, but no service.
    if (key.endsWith('alias/aws/sqs')) {
      if (principal.kind !== 'service') return access;
      throw new AwsError('KmsAccessDenied', `${principal.service} cannot use the AWS managed key ${key}.`);
    }
    const resources = [await keyArn(this.#home, key)];
    const conditions = { 'kms:ViaService': `sqs.${this.#home.region}.amazonaws.com` };
    return [...access, ...keyActions.map((keyAction) => ({ action: keyAction, resources, conditions }))];
  }

  /** What is in flight or delayed is only told of where there is any (SQS Developer Guide: available CloudWatch metrics). */
  #publishMetrics(): void {
    for (const { name, queue } of this.#queues.values()) {
      const { visible, inFlight, delayed } = queue.counts();
      const record = (metric: string, value: number) =>
        recordMetric(this.#home, 'AWS/SQS', metric, { QueueName: name }, value);
      record('ApproximateNumberOfMessagesVisible', visible);
      if (inFlight > 0) record('ApproximateNumberOfMessagesNotVisible', inFlight);
      if (delayed > 0) record('ApproximateNumberOfMessagesDelayed', delayed);
    }
  }

  #arn(name: string): string {
    return `arn:aws:sqs:${this.#home.region}:${this.#home.account}:${name}`;
  }

  #byArn(arn: string): QueueRecord {
    const record = this.#queues.get(arn);
    if (!record)
      throw new AwsError('QueueDoesNotExist', `The specified queue does not exist: ${parseArn(arn).resource}.`);
    return record;
  }

  #byUrl(url: string | undefined): QueueRecord {
    return this.#byArn(this.#arn(required(url, 'QueueUrl', 'MissingParameter').split('/').at(-1) ?? ''));
  }
}

const asText = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const senderId = ({ principal }: Call) =>
  principal.kind === 'service'
    ? principal.service
    : principal.kind === 'role'
      ? `${principal.roleArn}:${principal.sessionName}`
      : principal.accessKeyId;

function inRange(name: string, value: number, minimum: number, maximum: number): void {
  if (value >= minimum && value <= maximum) return;
  const reason = `Reason: Must be between ${minimum} and ${maximum}, if provided.`;
  throw new AwsError('InvalidParameterValue', `Value ${value} for parameter ${name} is invalid. ${reason}`);
}

function received(message: Message, input: ReceiveMessageCommandInput) {
  const system: Record<string, string | undefined> = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
  const attributes = select(system, [...(input.MessageSystemAttributeNames ?? []), ...(input.AttributeNames ?? [])]);
  const messageAttributes = select(message.attributes, input.MessageAttributeNames ?? []);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(attributes && { Attributes: attributes }),
    ...(messageAttributes && { MessageAttributes: messageAttributes }),
  };
}

/** The members asked for by name, by `All`, or by a prefix that ends in `.*`. */
function select<T>(
  values: Readonly<Record<string, T | undefined>>,
  names: readonly string[],
): Record<string, T> | undefined {
  const asked = (key: string) =>
    names.some(
      (name) =>
        name === 'All' || name === '.*' || name === key || (name.endsWith('.*') && key.startsWith(name.slice(0, -1))),
    );
  const chosen = Object.entries(values).filter(
    (entry): entry is [string, T] => entry[1] !== undefined && asked(entry[0]),
  );
  return chosen.length > 0 ? Object.fromEntries(chosen) : undefined;
}

export const sqs: ServiceDefinition = {
  name: 'sqs',
  sdk: '@aws-sdk/client-sqs',
  create: (home) => new Sqs(home),
};
