/** Who receives what is published to a topic: subscribing, confirming, filtering. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { SubscribeCommandInput } from '@aws-sdk/client-sns';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { page, refuseUnknown } from '../declare.ts';
import { compilePattern, type Matcher } from '../eventbridge/pattern.ts';
import { operation, required, type Tags, tagConditions } from '../eventing.ts';
import { checkEndpoint, type Notification, post, type Recipient } from './delivery.ts';

type Attributes = Readonly<Record<string, string>>;

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly token: string;
  readonly recipient: Recipient;
  readonly attributes: Attributes;
  readonly filter: Matcher | undefined;
  readonly deadLetterArn: string | undefined;
  confirmed: boolean;
}

/** Whether a subscription's filter policy lets a message through. */
export function accepts({ filter, attributes }: Subscription, note: Notification): boolean {
  if (!filter) return true;
  if (attributes.FilterPolicyScope !== 'MessageBody') return filter(attributeValues(note));
  try {
    return filter(JSON.parse(note.message));
  } catch {
    return false;
  }
}

const HONOURED = ['FilterPolicy', 'FilterPolicyScope', 'RawMessageDelivery', 'RedrivePolicy'];

export class Subscriptions {
  readonly #home: Home;
  readonly #tagsOfTopic: (topicArn: string) => Tags;
  readonly #all = new Map<string, Subscription>();

  /** `tagsOfTopic` throws NotFound for a topic that does not exist. */
  constructor(home: Home, tagsOfTopic: (topicArn: string) => Tags) {
    this.#home = home;
    this.#tagsOfTopic = tagsOfTopic;
  }

  readonly operations: Record<string, Operation> = {
    Subscribe: operation<SubscribeCommandInput>(
      (input) =>
        this.#topicAccess('sns:Subscribe', input, { 'sns:Protocol': input.Protocol, 'sns:Endpoint': input.Endpoint }),
      async (input) => {
        const subscription = await this.add(
          {
            topicArn: required(input.TopicArn, 'TopicArn', 'InvalidParameter'),
            protocol: required(input.Protocol, 'Protocol', 'InvalidParameter'),
            endpoint: required(input.Endpoint, 'Endpoint', 'InvalidParameter'),
          },
          input.Attributes ?? {},
        );
        const isShown = subscription.confirmed || input.ReturnSubscriptionArn;
        return { SubscriptionArn: isShown ? subscription.arn : 'pending confirmation' };
      },
    ),
    ConfirmSubscription: operation<{ TopicArn?: string; Token?: string }>(
      (input) => this.#topicAccess('sns:ConfirmSubscription', input),
      (input) => {
        const subscription = this.#of(input.TopicArn).find(({ token }) => token === input.Token);
        if (!subscription) throw new AwsError('InvalidParameter', 'Invalid parameter: Token');
        subscription.confirmed = true;
        return { SubscriptionArn: subscription.arn };
      },
    ),
    Unsubscribe: operation<{ SubscriptionArn?: string }>(
      () => [{ action: 'sns:Unsubscribe', resources: ['*'] }],
      (input) => {
        this.#all.delete(required(input.SubscriptionArn, 'SubscriptionArn', 'InvalidParameter'));
        return {};
      },
    ),
    ListSubscriptions: operation<{ NextToken?: string }>(
      () => [{ action: 'sns:ListSubscriptions', resources: ['*'] }],
      (input) => this.#list([...this.#all.values()], input.NextToken),
    ),
    ListSubscriptionsByTopic: operation<{ TopicArn?: string; NextToken?: string }>(
      (input) => this.#topicAccess('sns:ListSubscriptionsByTopic', input),
      (input) => this.#list(this.#of(input.TopicArn), input.NextToken),
    ),
    GetSubscriptionAttributes: operation<{ SubscriptionArn?: string }>(
      () => [{ action: 'sns:GetSubscriptionAttributes', resources: ['*'] }],
      (input) => {
        const subscription = this.#all.get(required(input.SubscriptionArn, 'SubscriptionArn', 'InvalidParameter'));
        if (!subscription) throw new AwsError('NotFound', 'Subscription does not exist');
        const { arn, topicArn, protocol, endpoint, confirmed, attributes } = subscription;
        return {
          Attributes: {
            ...attributes,
            SubscriptionArn: arn,
            TopicArn: topicArn,
            Protocol: protocol,
            Endpoint: endpoint,
            Owner: this.#home.account,
            PendingConfirmation: String(!confirmed),
            RawMessageDelivery: attributes.RawMessageDelivery ?? 'false',
          },
        };
      },
    ),
  };

  /** Email and web endpoints must confirm; a queue or function of the same account is confirmed at once. */
  async add(
    { topicArn, protocol, endpoint }: { topicArn: string; protocol: string; endpoint: string },
    attributes: Attributes,
  ): Promise<Subscription> {
    this.#tagsOfTopic(topicArn);
    checkEndpoint(protocol, endpoint);
    refuseUnknown('an SNS subscription', attributes, HONOURED);
    const same = this.#of(topicArn).find((other) => other.protocol === protocol && other.endpoint === endpoint);
    if (same) return same;
    const arn = `${topicArn}:${randomUUID()}`;
    const subscription: Subscription = {
      arn,
      topicArn,
      protocol,
      endpoint,
      token: randomBytes(32).toString('hex'),
      recipient: {
        subscriptionArn: arn,
        protocol,
        endpoint,
        rawMessageDelivery: attributes.RawMessageDelivery === 'true',
      },
      attributes,
      filter: attributes.FilterPolicy ? compileFilter(attributes.FilterPolicy) : undefined,
      deadLetterArn: attributes.RedrivePolicy && JSON.parse(attributes.RedrivePolicy).deadLetterTargetArn,
      confirmed: protocol === 'sqs' || protocol === 'lambda',
    };
    this.#all.set(arn, subscription);
    if (protocol.startsWith('http')) await this.#askToConfirm(subscription);
    return subscription;
  }

  /** A subscription as a template declares it: its JSON properties are objects there. */
  fromTemplate(properties: Record<string, unknown>): Promise<Subscription> {
    refuseUnknown('AWS::SNS::Subscription', properties, ['TopicArn', 'Protocol', 'Endpoint', 'Region', ...HONOURED]);
    const given = HONOURED.filter((name) => properties[name] !== undefined).map((name) => {
      const value = properties[name];
      return [name, typeof value === 'object' ? JSON.stringify(value) : String(value)];
    });
    return this.add(
      {
        topicArn: String(properties.TopicArn),
        protocol: String(properties.Protocol),
        endpoint: String(properties.Endpoint),
      },
      Object.fromEntries(given),
    );
  }

  confirmed(topicArn: string): readonly Subscription[] {
    return this.#of(topicArn).filter(({ confirmed }) => confirmed);
  }

  counts(topicArn: string): { confirmed: number; pending: number } {
    const all = this.#of(topicArn);
    const confirmed = all.filter((subscription) => subscription.confirmed).length;
    return { confirmed, pending: all.length - confirmed };
  }

  pending(): { topicArn: string; protocol: string; endpoint: string; token: string }[] {
    return [...this.#all.values()]
      .filter(({ confirmed }) => !confirmed)
      .map(({ topicArn, protocol, endpoint, token }) => ({ topicArn, protocol, endpoint, token }));
  }

  async #askToConfirm({ topicArn, endpoint, token }: Subscription): Promise<void> {
    const MessageId = randomUUID();
    const body = JSON.stringify({
      Type: 'SubscriptionConfirmation',
      MessageId,
      Token: token,
      TopicArn: topicArn,
      Message: `You have chosen to subscribe to the topic ${topicArn}. To confirm the subscription, call ConfirmSubscription.`,
      Timestamp: new Date(this.#home.clock.now()).toISOString(),
    });
    // An endpoint that cannot be reached stays pending, as on AWS.
    await post(this.#home, endpoint, body, { type: 'SubscriptionConfirmation', topicArn, messageId: MessageId }).catch(
      () => undefined,
    );
  }

  #of(topicArn: string | undefined): Subscription[] {
    return [...this.#all.values()].filter((subscription) => subscription.topicArn === topicArn);
  }

  #list(subscriptions: readonly Subscription[], token: string | undefined) {
    const { items, next } = page(subscriptions, token, 100);
    return {
      Subscriptions: items.map(({ arn, topicArn, protocol, endpoint, confirmed }) => ({
        SubscriptionArn: confirmed ? arn : 'PendingConfirmation',
        TopicArn: topicArn,
        Protocol: protocol,
        Endpoint: endpoint,
        Owner: this.#home.account,
      })),
      NextToken: next,
    };
  }

  #topicAccess(
    action: string,
    { TopicArn }: { TopicArn?: string | undefined },
    conditions: Record<string, string | undefined> = {},
  ): Access[] {
    const arn = required(TopicArn, 'TopicArn', 'InvalidParameter');
    return [{ action, resources: [arn], conditions: { ...conditions, ...tagConditions(this.#tagsOfTopic(arn)) } }];
  }
}

/** SNS names an invalid filter policy its own way. */
function compileFilter(policy: string): Matcher {
  try {
    return compilePattern(JSON.parse(policy));
  } catch (error) {
    throw new AwsError(
      'InvalidParameter',
      `Invalid parameter: FilterPolicy: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function attributeValues({ attributes }: Notification): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue }]) => [
      name,
      DataType === 'Number'
        ? Number(StringValue)
        : DataType === 'String.Array'
          ? JSON.parse(StringValue ?? '[]')
          : StringValue,
    ]),
  );
}
