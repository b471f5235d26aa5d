import { expect, test } from 'vitest';
import { AwsError } from '../../../../local/kernel.ts';
import { type Sns, sns } from '../../../../local/services/sns/index.ts';
import { arnOf, fakeHome, serve, settle } from '../fake-home.ts';

async function topic(properties: Record<string, unknown> = {}) {
  const home = fakeHome();
  const served = serve<Sns>(sns, home);
  const { ref: TopicArn } = await served.deploy('AWS::SNS::Topic', { TopicName: 't', ...properties });
  return { ...served, home, TopicArn };
}

test('mails a subscriber only after the subscription was confirmed', async () => {
  const { call, service, TopicArn } = await topic();
  await call('Subscribe', { TopicArn, Protocol: 'email', Endpoint: 'dba@example.com' });
  await call('Publish', { TopicArn, Message: 'before' });
  await settle();
  expect(service.mailbox()).toEqual([]);
  const [{ token } = { token: '' }] = service.pendingConfirmations();
  await call('ConfirmSubscription', { TopicArn, Token: token });
  await call('Publish', { TopicArn, Subject: 'Declared', Message: 'after' });
  await settle();
  expect(service.mailbox()).toMatchObject([{ to: 'dba@example.com', subject: 'Declared', body: 'after' }]);
  expect(service.published(TopicArn).map(({ message }) => message)).toEqual(['before', 'after']);
});

test('reaches a queue as the SNS service, naming the topic as the source', async () => {
  const { call, deploy, home, TopicArn } = await topic();
  await deploy('AWS::SNS::Subscription', { TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'q') });
  await call('Publish', { TopicArn, Message: 'hello' });
  await settle();
  const [sent] = home.callsTo('sqs', 'SendMessage');
  expect(sent?.as).toMatchObject({ kind: 'service', service: 'sns.amazonaws.com', sourceArn: TopicArn });
  expect(JSON.parse(sent?.input.MessageBody)).toMatchObject({ Type: 'Notification', Message: 'hello', TopicArn });
});

test.for([
  { case: 'attribute that matches', scope: undefined, attribute: 'sev1', message: 'x', delivered: 1 },
  { case: 'attribute that does not match', scope: undefined, attribute: 'sev2', message: 'x', delivered: 0 },
  { case: 'body that matches', scope: 'MessageBody', attribute: 'sev2', message: '{"severity":"sev1"}', delivered: 1 },
  { case: 'body that is no JSON', scope: 'MessageBody', attribute: 'sev1', message: 'sev1', delivered: 0 },
])('a filter policy and a message with an $case', async ({ scope, attribute, message, delivered }) => {
  const { call, deploy, home, TopicArn } = await topic();
  const filter = { FilterPolicy: { severity: ['sev1'] }, FilterPolicyScope: scope };
  await deploy('AWS::SNS::Subscription', { TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'q'), ...filter });
  const MessageAttributes = { severity: { DataType: 'String', StringValue: attribute } };
  await call('Publish', { TopicArn, Message: message, MessageAttributes });
  await settle();
  expect(home.callsTo('sqs', 'SendMessage')).toHaveLength(delivered);
});

test.for([
  { case: 'a subject of 100 characters', input: { Subject: 's'.repeat(100), Message: 'm' } },
  { case: 'a subject with a newline', input: { Subject: 'a\nb', Message: 'm' } },
  { case: 'an empty message', input: { Message: '' } },
  { case: 'a message beyond 256 KB', input: { Message: 'm'.repeat(262_145) } },
])('refuses $case', async ({ input }) => {
  const { call, TopicArn } = await topic();
  await expect(call('Publish', { TopicArn, ...input })).rejects.toMatchObject({ code: 'InvalidParameter' });
  await expect(
    call('Publish', { TopicArn, Subject: 's'.repeat(99), Message: 'm'.repeat(262_144) }),
  ).resolves.toBeDefined();
});

test('a topic under the AWS managed key refuses services, as on AWS, and takes roles', async () => {
  const { access, TopicArn } = await topic({ KmsMasterKeyId: 'alias/aws/sns' });
  const alarm = { kind: 'service', service: 'cloudwatch.amazonaws.com' } as const;
  await expect(access('Publish', { TopicArn }, alarm)).rejects.toMatchObject({ code: 'KMSAccessDenied' });
  expect(await access('Publish', { TopicArn })).toMatchObject([{ action: 'sns:Publish', resources: [TopicArn] }]);
});

test('a topic under a customer key needs that key as well', async () => {
  const key = arnOf('kms', 'key/1');
  const { access, TopicArn } = await topic({ KmsMasterKeyId: key });
  expect((await access('Publish', { TopicArn })).slice(1)).toMatchObject([
    { action: 'kms:GenerateDataKey', resources: [key] },
    { action: 'kms:Decrypt', resources: [key] },
  ]);
});

test('a delivery that fails for good goes to the dead-letter queue of the subscription', async () => {
  const { call, deploy, home, TopicArn } = await topic();
  home.answer = ({ input }) => {
    if (input.QueueUrl.endsWith('/q')) throw new AwsError('AccessDenied', 'no');
    return {};
  };
  const RedrivePolicy = { deadLetterTargetArn: arnOf('sqs', 'dead') };
  await deploy('AWS::SNS::Subscription', { TopicArn, Protocol: 'sqs', Endpoint: arnOf('sqs', 'q'), RedrivePolicy });
  await call('Publish', { TopicArn, Message: 'hello' });
  await settle();
  expect(home.callsTo('sqs', 'SendMessage').at(-1)?.input).toMatchObject({ MessageBody: 'hello' });
  expect(home.metrics.map(({ metric }) => metric)).toContain('NumberOfNotificationsRedrivenToDlq');
});

test('refuses endpoints outside this machine', async () => {
  const { call, TopicArn } = await topic();
  const subscribe = (Endpoint: string) => call('Subscribe', { TopicArn, Protocol: 'https', Endpoint });
  await expect(subscribe('https://example.com/hook')).rejects.toThrow(/outside 127.0.0.1/);
});
