/** SNS: standard topics, their subscriptions, and every message that was published. FIFO topics are refused. */
import { randomUUID } from 'node:crypto';
import type { PublishBatchCommandInput, PublishCommandInput } from '@aws-sdk/client-sns';
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
  deliverWithRetries,
  inBatch,
  keyArn,
  operation,
  physicalName,
  recordMetric,
  required,
  sendToDeadLetterQueue,
  type Tags,
  tagConditions,
  tagsOf,
} from '../eventing.ts';
import { type Mail, type Notification, notify } from './delivery.ts';
import { accepts, type Subscription, Subscriptions } from './subscriptions.ts';

interface Topic {
  readonly arn: string;
  readonly name: string;
  readonly tags: Tags;
  readonly attributes: Record<string, string>;
  readonly published: Notification[];
  policy?: PolicyDocument;
}

type TopicArn = { TopicArn?: string | undefined };
const SETTABLE = ['DisplayName', 'KmsMasterKeyId', 'TracingConfig', 'SignatureVersion', 'DeliveryPolicy'];
const MAXIMUM_BYTES = 262_144;
/** SNS retries AWS-managed endpoints 100,015 times over 23 days; minutes are enough to outlive a fault here. */
const RETRIES = { MaximumRetryAttempts: 20, MaximumEventAgeInSeconds: 3600 };

const invalid = (reason: string) => new AwsError('InvalidParameter', `Invalid parameter: ${reason}`);

export class Sns implements Service {
  readonly #home: Home;
  readonly #topics = new Map<string, Topic>();
  readonly #subscriptions: Subscriptions;
  readonly #mailbox: Mail[] = [];
  readonly #stopping = new AbortController();
  readonly operations: Record<string, Operation>;

  constructor(home: Home) {
    this.#home = home;
    this.#subscriptions = new Subscriptions(home, (arn) => this.#topic(arn).tags);
    this.operations = {
      ...this.#subscriptions.operations,
      Publish: operation<PublishCommandInput>(
        (input, call) => this.#publishAccess(input, call),
        (input) => this.#publish(input, input),
      ),
      // Sending a batch is the action sns:Publish, too.
      PublishBatch: operation<PublishBatchCommandInput>(
        (input, call) => this.#publishAccess(input, call),
        (input) => this.#publishBatch(input),
      ),
      ListTopics: operation<{ NextToken?: string }>(
        () => [{ action: 'sns:ListTopics', resources: ['*'] }],
        (input) => {
          const topics = [...this.#topics.keys()].map((arn) => ({ TopicArn: arn }));
          const { items, next } = page(topics, input.NextToken, 100);
          return { Topics: items, NextToken: next };
        },
      ),
      GetTopicAttributes: operation<TopicArn>(
        (input) => this.#access('sns:GetTopicAttributes', input),
        (input) => ({ Attributes: this.#attributes(this.#topic(input.TopicArn)) }),
      ),
      SetTopicAttributes: operation<TopicArn & { AttributeName?: string; AttributeValue?: string }>(
        (input) => this.#access('sns:SetTopicAttributes', input),
        (input) => {
          const topic = this.#topic(input.TopicArn);
          const name = required(input.AttributeName, 'AttributeName', 'InvalidParameter');
          if (name === 'Policy') topic.policy = parsePolicy(input.AttributeValue, 'resource');
          else if (SETTABLE.includes(name)) topic.attributes[name] = input.AttributeValue ?? '';
          else throw invalid(`AttributeName ${name}`);
          return {};
        },
      ),
    };
  }

  readonly resources = {
    'AWS::SNS::Topic': {
      create: (properties: Record<string, unknown>, context: ResourceContext) => this.#createTopic(properties, context),
    },
    'AWS::SNS::TopicPolicy': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        refuseUnknown('AWS::SNS::TopicPolicy', properties, ['Topics', 'PolicyDocument']);
        for (const arn of properties.Topics as string[])
          this.#topic(arn).policy = parsePolicy(properties.PolicyDocument, 'resource');
        return { ref: physicalName(context) };
      },
    },
    'AWS::SNS::Subscription': {
      create: async (properties: Record<string, unknown>): Promise<ResourceResult> => {
        const { arn } = await this.#subscriptions.fromTemplate(properties);
        return { ref: arn, attributes: { Arn: arn } };
      },
    },
  };

  resourcePolicy(arn: string): PolicyDocument | undefined {
    return this.#topics.get(arn)?.policy;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** Mail to confirmed email subscriptions, oldest first. */
  mailbox(): readonly Mail[] {
    return this.#mailbox;
  }

  /** Every message published to a topic, oldest first. */
  published(topicArn: string): readonly Notification[] {
    return this.#topic(topicArn).published;
  }

  /** What a person would confirm in a mail program: endpoints that wait for ConfirmSubscription, with their tokens. */
  pendingConfirmations() {
    return this.#subscriptions.pending();
  }

  async #createTopic(properties: Record<string, unknown>, context: ResourceContext): Promise<ResourceResult> {
    if (properties.FifoTopic) throw notImplemented('FIFO topics');
    refuseUnknown('AWS::SNS::Topic', properties, ['TopicName', 'FifoTopic', 'Subscription', 'Tags', ...SETTABLE]);
    const name = String(properties.TopicName ?? physicalName(context, 256));
    const arn = `arn:aws:sns:${this.#home.region}:${this.#home.account}:${name}`;
    const attributes = SETTABLE.filter((attribute) => properties[attribute] !== undefined).map((attribute) => {
      const value = properties[attribute];
      return [attribute, typeof value === 'object' ? JSON.stringify(value) : String(value)];
    });
    this.#topics.set(arn, {
      arn,
      name,
      tags: tagsOf(properties.Tags),
      attributes: Object.fromEntries(attributes),
      published: [],
    });
    for (const inline of (properties.Subscription ?? []) as { Protocol: string; Endpoint: string }[]) {
      await this.#subscriptions.add({ topicArn: arn, protocol: inline.Protocol, endpoint: inline.Endpoint }, {});
    }
    return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
  }

  #publish(
    target: Pick<PublishCommandInput, 'TopicArn' | 'TargetArn' | 'PhoneNumber'>,
    message: Pick<
      PublishCommandInput,
      'Message' | 'Subject' | 'MessageAttributes' | 'MessageStructure' | 'MessageGroupId'
    >,
  ): { MessageId: string } {
    if (target.PhoneNumber) throw notImplemented('SNS text messages');
    const topic = this.#topic(target.TopicArn ?? target.TargetArn);
    checkMessage(message);
    const note: Notification = {
      messageId: randomUUID(),
      topicArn: topic.arn,
      subject: message.Subject,
      message: message.Message ?? '',
      attributes: message.MessageAttributes ?? {},
      at: this.#home.clock.now(),
    };
    topic.published.push(note);
    this.#count('NumberOfMessagesPublished', topic);
    for (const subscription of this.#subscriptions.confirmed(topic.arn))
      void this.#deliver(topic, subscription, note, message);
    return { MessageId: note.messageId };
  }

  #publishBatch(input: PublishBatchCommandInput) {
    return inBatch(input.PublishBatchRequestEntries, (entry) => this.#publish(input, entry));
  }

  async #deliver(
    topic: Topic,
    subscription: Subscription,
    note: Notification,
    { MessageStructure }: Pick<PublishCommandInput, 'MessageStructure'>,
  ): Promise<void> {
    const message = MessageStructure === 'json' ? forProtocol(note.message, subscription.protocol) : note.message;
    const addressed = { ...note, message };
    if (!accepts(subscription, addressed)) {
      this.#count('NumberOfNotificationsFilteredOut', topic);
      return;
    }
    const failure = await deliverWithRetries(this.#home.clock, RETRIES, this.#stopping.signal, () =>
      notify(this.#home, subscription.recipient, addressed, this.#mailbox),
    );
    this.#count(failure ? 'NumberOfNotificationsFailed' : 'NumberOfNotificationsDelivered', topic);
    if (!failure || !subscription.deadLetterArn) return;
    const as = {
      kind: 'service',
      service: 'sns.amazonaws.com',
      sourceArn: topic.arn,
      sourceAccount: this.#home.account,
    } as const;
    const sent = sendToDeadLetterQueue(this.#home, subscription.deadLetterArn, message, {}, as);
    await sent.then(
      () => this.#count('NumberOfNotificationsRedrivenToDlq', topic),
      () => this.#count('NumberOfNotificationsFailedToRedriveToDlq', topic),
    );
  }

  #count(metric: string, topic: Topic): void {
    recordMetric(this.#home, 'AWS/SNS', metric, { TopicName: topic.name }, 1);
  }

  #access(action: string, input: TopicArn): Access[] {
    const topic = this.#topic(input.TopicArn);
    return [{ action, resources: [topic.arn], conditions: tagConditions(topic.tags) }];
  }

  /** An encrypted topic needs its key, too. The AWS managed key's policy grants this account's principals, but no service. */
  async #publishAccess(input: TopicArn & { TargetArn?: string | undefined }, call: Call): Promise<Access[]> {
    const topic = this.#topic(input.TopicArn ?? input.TargetArn);
    const access: Access[] = this.#access('sns:Publish', { TopicArn: topic.arn });
    const key = topic.attributes.KmsMasterKeyId;
    if (!key) return access;
    if (key.endsWith('alias/aws/sns')) {
      if (call.principal.kind !== 'service') return access;
      throw new AwsError('KMSAccessDenied', `${call.principal.service} cannot use the AWS managed key ${key}.`);
    }
    const resources = [await keyArn(this.#home, key)];
    const conditions = { 'kms:ViaService': `sns.${this.#home.region}.amazonaws.com` };
    return [...access, ...['kms:GenerateDataKey', 'kms:Decrypt'].map((action) => ({ action, resources, conditions }))];
  }

  #attributes(topic: Topic): Record<string, string> {
    const { confirmed, pending } = this.#subscriptions.counts(topic.arn);
    return {
      ...topic.attributes,
      TopicArn: topic.arn,
      Owner: this.#home.account,
      SubscriptionsConfirmed: String(confirmed),
      SubscriptionsPending: String(pending),
      SubscriptionsDeleted: '0',
      ...(topic.policy && { Policy: JSON.stringify(topic.policy) }),
    };
  }

  #topic(arn: string | undefined): Topic {
    const topic = this.#topics.get(required(arn, 'TopicArn', 'InvalidParameter'));
    if (!topic) throw new AwsError('NotFound', 'Topic does not exist');
    return topic;
  }
}

function checkMessage({
  Message,
  Subject,
  MessageStructure,
  MessageGroupId,
}: Pick<PublishCommandInput, 'Message' | 'Subject' | 'MessageStructure' | 'MessageGroupId'>): void {
  if (!Message) throw invalid('Empty message');
  if (MessageGroupId)
    throw invalid(
      'MessageGroupId Reason: The request includes MessageGroupId parameter that is not valid for this topic type',
    );
  if (Buffer.byteLength(Message) > MAXIMUM_BYTES) throw invalid('Message too long');
  // The API reference: less than 100 characters, printable ASCII, beginning with a letter, number or punctuation mark.
  if (Subject !== undefined && !/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(Subject)) throw invalid('Subject');
  if (MessageStructure === undefined) return;
  if (MessageStructure !== 'json') throw invalid(`MessageStructure ${MessageStructure}`);
  try {
    if (typeof JSON.parse(Message).default === 'string') return;
  } catch {
    // refused below, like JSON without a default
  }
  throw invalid('Message Structure - No default entry in JSON message body');
}

function forProtocol(message: string, protocol: string): string {
  const versions = JSON.parse(message) as Record<string, string>;
  return versions[protocol] ?? versions.default ?? '';
}

export const sns: ServiceDefinition = {
  name: 'sns',
  sdk: '@aws-sdk/client-sns',
  create: (home) => new Sns(home),
};
