/** How SNS reaches the endpoint of a subscription, by protocol. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { AwsError, type Home, type Principal } from '../../kernel.ts';
import { notImplemented } from '../declare.ts';
import { parseArn, queueUrl } from '../eventing.ts';

/** One published message. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly message: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Recipient {
  readonly subscriptionArn: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly rawMessageDelivery: boolean;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Where mail goes in a cloud that sends none. */
export interface Mailbox {
  push(mail: Mail): void;
}

const PROTOCOLS = ['email', 'sqs', 'lambda', 'http', 'https'];

/** Refuses protocols that are not here, and endpoints that are outside this machine. */
export function checkEndpoint(protocol: string, endpoint: string): void {
  if (!PROTOCOLS.includes(protocol)) throw notImplemented(`SNS subscriptions with the protocol ${protocol}`);
  const isWeb = protocol === 'http' || protocol === 'https';
  const isFine = isWeb
    ? URL.canParse(endpoint) && new URL(endpoint).protocol === `${protocol}:`
    : isEndpointOf(protocol, endpoint);
  if (!isFine)
    throw new AwsError('InvalidParameter', `Invalid parameter: Endpoint ${endpoint} for protocol ${protocol}`);
  if (isWeb && new URL(endpoint).hostname !== '127.0.0.1')
    throw notImplemented(`SNS delivery outside 127.0.0.1 (${endpoint})`);
}

const isEndpointOf = (protocol: string, endpoint: string) =>
  protocol === 'email' ? /^[^@\s]+@[^@\s]+$/.test(endpoint) : endpoint.startsWith(`arn:aws:${protocol}:`);

/** Delivers once. Throws what the endpoint answers. */
export async function notify(home: Home, to: Recipient, note: Notification, mailbox: Mailbox): Promise<void> {
  const as: Principal = {
    kind: 'service',
    service: 'sns.amazonaws.com',
    sourceArn: note.topicArn,
    sourceAccount: home.account,
  };
  switch (to.protocol) {
    case 'email':
      mailbox.push({
        to: to.endpoint,
        subject: note.subject ?? 'AWS Notification Message',
        body: note.message,
        at: note.at,
      });
      return;
    case 'sqs':
      await home.call('sqs', 'SendMessage', queueMessage(home, to, note), as, parseArn(to.endpoint).region);
      return;
    case 'lambda': {
      const Payload = Buffer.from(JSON.stringify({ Records: [lambdaRecord(home, to, note)] }));
      const input = { FunctionName: to.endpoint, InvocationType: 'Event', Payload };
      await home.call('lambda', 'Invoke', input, as, parseArn(to.endpoint).region);
      return;
    }
    default: {
      const body = to.rawMessageDelivery ? note.message : JSON.stringify(envelope(home, to, note));
      await post(home, to.endpoint, body, { type: 'Notification', topicArn: note.topicArn, messageId: note.messageId });
    }
  }
}

function queueMessage(home: Home, to: Recipient, note: Notification) {
  const QueueUrl = queueUrl(home, to.endpoint);
  if (!to.rawMessageDelivery) return { QueueUrl, MessageBody: JSON.stringify(envelope(home, to, note)) };
  return { QueueUrl, MessageBody: note.message, MessageAttributes: note.attributes };
}

/** The JSON that queues and web endpoints receive; unsigned, because nobody can verify AWS's signature here. */
function envelope(home: Home, to: Recipient, note: Notification) {
  const attributes = attributeValues(note);
  return {
    Type: 'Notification',
    MessageId: note.messageId,
    TopicArn: note.topicArn,
    Subject: note.subject,
    Message: note.message,
    Timestamp: new Date(note.at).toISOString(),
    UnsubscribeURL: unsubscribeUrl(home, to),
    ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
  };
}

function lambdaRecord(home: Home, to: Recipient, note: Notification) {
  const Sns = {
    Type: 'Notification',
    MessageId: note.messageId,
    TopicArn: note.topicArn,
    Subject: note.subject ?? null,
    Message: note.message,
    Timestamp: new Date(note.at).toISOString(),
    UnsubscribeUrl: unsubscribeUrl(home, to),
    MessageAttributes: attributeValues(note),
  };
  return { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: to.subscriptionArn, Sns };
}

const unsubscribeUrl = (home: Home, { subscriptionArn }: Recipient) =>
  `${home.endpoint}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;

const attributeValues = ({ attributes }: Notification) =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: BinaryValue ? Buffer.from(BinaryValue).toString('base64') : StringValue },
    ]),
  );

/** Posts to a web endpoint of this machine as SNS does. Rejects unless it answers 2xx. */
export function post(
  home: Home,
  endpoint: string,
  body: string,
  kind: { readonly type: string; readonly topicArn: string; readonly messageId: string },
): Promise<void> {
  const headers = {
    'content-type': 'text/plain; charset=UTF-8',
    'x-amz-sns-message-type': kind.type,
    'x-amz-sns-message-id': kind.messageId,
    'x-amz-sns-topic-arn': kind.topicArn,
  };
  return new Promise((resolve, reject) => {
    const send = endpoint.startsWith('https:') ? httpsRequest : httpRequest;
    const outgoing = send(endpoint, { method: 'POST', headers, ca: home.certificateAuthority }, (response) => {
      response.resume();
      if (Math.floor((response.statusCode ?? 0) / 100) === 2) resolve();
      else reject(new AwsError('ServiceUnavailable', `${endpoint} answered ${response.statusCode}.`));
    });
    outgoing.on('error', reject).end(body);
  });
}
