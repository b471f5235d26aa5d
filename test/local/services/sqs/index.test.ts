import { expect, test } from 'vitest';
import { sqs } from '../../../../local/services/sqs/index.ts';
import { arnOf, fakeHome, serve } from '../fake-home.ts';

async function queue(properties: Record<string, unknown> = {}) {
  const home = fakeHome();
  const served = serve(sqs, home);
  const { ref: QueueUrl } = await served.deploy('AWS::SQS::Queue', { QueueName: 'q', ...properties });
  return { ...served, home, QueueUrl };
}

test('hides a received message until its visibility timeout ends', async () => {
  const { call, home, QueueUrl } = await queue({ VisibilityTimeout: 30 });
  await call('SendMessage', { QueueUrl, MessageBody: 'hello' });
  expect((await call('ReceiveMessage', { QueueUrl })).Messages[0].Body).toBe('hello');
  expect((await call('ReceiveMessage', { QueueUrl })).Messages).toBeUndefined();
  await home.clock.advance(30_000);
  expect((await call('ReceiveMessage', { QueueUrl })).Messages).toHaveLength(1);
});

test('never shows a deleted message again', async () => {
  const { call, home, QueueUrl } = await queue();
  await call('SendMessage', { QueueUrl, MessageBody: 'hello' });
  const [{ ReceiptHandle }] = (await call('ReceiveMessage', { QueueUrl })).Messages;
  await call('DeleteMessage', { QueueUrl, ReceiptHandle });
  await home.clock.advance(60_000);
  expect((await call('ReceiveMessage', { QueueUrl })).Messages).toBeUndefined();
});

test('a long poll answers as soon as a message arrives, and empty when its wait is over', async () => {
  const { call, home, QueueUrl } = await queue();
  const woken = call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 });
  await call('SendMessage', { QueueUrl, MessageBody: 'late' });
  expect((await woken).Messages[0].Body).toBe('late');
  const empty = call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 });
  await home.clock.advance(20_000);
  expect((await empty).Messages).toBeUndefined();
});

test('moves a message to the dead-letter queue when it was received too often', async () => {
  const { call, deploy, home, QueueUrl } = await queue({
    VisibilityTimeout: 1,
    RedrivePolicy: { deadLetterTargetArn: arnOf('sqs', 'dead'), maxReceiveCount: 2 },
  });
  const dead = (await deploy('AWS::SQS::Queue', { QueueName: 'dead' })).ref;
  await call('SendMessage', { QueueUrl, MessageBody: 'poison' });
  for (let attempt = 0; attempt < 3; attempt++) {
    await call('ReceiveMessage', { QueueUrl });
    await home.clock.advance(1000);
  }
  const { Messages } = await call('ReceiveMessage', { QueueUrl: dead, MessageSystemAttributeNames: ['All'] });
  expect(Messages[0]).toMatchObject({ Body: 'poison', Attributes: { DeadLetterQueueSourceArn: arnOf('sqs', 'q') } });
});

test('publishes the number of visible messages each minute, so that alarms on dead letters work', async () => {
  const { call, home, service, QueueUrl } = await queue();
  service.start?.();
  await call('SendMessage', { QueueUrl, MessageBody: 'one' });
  await home.clock.advance(60_000);
  const metric = 'ApproximateNumberOfMessagesVisible';
  expect(home.metrics).toContainEqual({ namespace: 'AWS/SQS', metric, dimensions: { QueueName: 'q' }, value: 1 });
  await service.stop?.();
});

test('a queue under a customer key needs that key as well', async () => {
  const key = arnOf('kms', 'key/1');
  const { access, QueueUrl } = await queue({ KmsMasterKeyId: key });
  const actions = async (operation: string) => (await access(operation, { QueueUrl })).map(({ action }) => action);
  expect(await actions('SendMessage')).toEqual(['sqs:SendMessage', 'kms:GenerateDataKey', 'kms:Decrypt']);
  expect(await actions('ReceiveMessage')).toEqual(['sqs:ReceiveMessage', 'kms:Decrypt']);
});

test.for([
  { case: 'FIFO queues', properties: { FifoQueue: true }, names: /FIFO/ },
  { case: 'a property that is unknown', properties: { RedriveEverything: 1 }, names: /RedriveEverything/ },
])('refuses $case', async ({ properties, names }) => {
  await expect(queue(properties)).rejects.toThrow(names);
});

test('a queue that does not exist is an error of its own name', async () => {
  const { call } = await queue();
  await expect(call('SendMessage', { QueueUrl: 'http://x/1/none', MessageBody: 'm' })).rejects.toMatchObject({
    code: 'QueueDoesNotExist',
  });
});

test('a queue under the AWS managed key refuses services, as on AWS, and takes the account', async () => {
  const { access, QueueUrl } = await queue({ KmsMasterKeyId: 'alias/aws/sqs' });
  const rule = { kind: 'service', service: 'events.amazonaws.com' } as const;
  await expect(access('SendMessage', { QueueUrl }, rule)).rejects.toMatchObject({ code: 'KmsAccessDenied' });
  expect(await access('SendMessage', { QueueUrl })).toHaveLength(1);
});

test('a batch answers its failures beside its successes', async () => {
  const { call, QueueUrl } = await queue({ MaximumMessageSize: 1024 });
  const Entries = [
    { Id: 'a', MessageBody: 'fine' },
    { Id: 'b', MessageBody: 'x'.repeat(1025) },
  ];
  expect(await call('SendMessageBatch', { QueueUrl, Entries })).toMatchObject({
    Successful: [{ Id: 'a' }],
    Failed: [{ Id: 'b', Code: 'InvalidParameterValue' }],
  });
});
