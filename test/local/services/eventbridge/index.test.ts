import { expect, test } from 'vitest';
import { AwsError } from '../../../../local/kernel.ts';
import { type EventBridge, eventbridge } from '../../../../local/services/eventbridge/index.ts';
import { arnOf, fakeHome, serve, settle } from '../fake-home.ts';

const machine = arnOf('states', 'stateMachine:triage');
const role = 'arn:aws:iam::111122223333:role/events';
const alarmEvent = {
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  resources: [arnOf('cloudwatch', 'alarm:a')],
  detail: { alarmName: 'a', state: { value: 'ALARM' } },
};

async function rule(target: Record<string, unknown>, properties: Record<string, unknown> = {}) {
  const home = fakeHome();
  const served = serve<EventBridge>(eventbridge, home);
  const { attributes } = await served.deploy('AWS::Events::Rule', {
    Name: 'r',
    EventPattern: { source: ['aws.cloudwatch'] },
    Targets: [{ Id: 't', ...target }],
    ...properties,
  });
  return { ...served, home, ruleArn: String(attributes?.Arn) };
}

test('starts a state machine in a session of the target role, which must trust EventBridge', async () => {
  const { home, service, ruleArn } = await rule({ Arn: machine, RoleArn: role });
  service.put(alarmEvent);
  await settle();
  const trust = { kind: 'service', service: 'events.amazonaws.com', sourceArn: ruleArn };
  expect(home.callsTo('sts', 'AssumeRole')).toMatchObject([{ input: { RoleArn: role }, as: trust }]);
  const [start] = home.callsTo('sfn', 'StartExecution');
  expect(start).toMatchObject({ input: { stateMachineArn: machine }, as: { kind: 'role', roleArn: role } });
  expect(JSON.parse(start?.input.input)).toMatchObject({ ...alarmEvent, version: '0', time: '2026-01-01T00:00:00Z' });
});

test('invokes a function as the EventBridge service, naming the rule as the source', async () => {
  const { home, service, ruleArn } = await rule({ Arn: arnOf('lambda', 'function:f') });
  service.put(alarmEvent);
  await settle();
  const [invoked] = home.callsTo('lambda', 'Invoke');
  expect(invoked).toMatchObject({ as: { kind: 'service', sourceArn: ruleArn }, input: { InvocationType: 'Event' } });
});

test('calls nothing for an event that does not match, and while the rule is disabled', async () => {
  const { call, home, service } = await rule({ Arn: arnOf('sqs', 'q') });
  service.put({ ...alarmEvent, source: 'aws.rds' });
  await call('DisableRule', { Name: 'r' });
  service.put(alarmEvent);
  await settle();
  expect(home.calls).toEqual([]);
  await call('EnableRule', { Name: 'r' });
  service.put(alarmEvent);
  await settle();
  expect(home.callsTo('sqs', 'SendMessage')).toHaveLength(1);
});

test.for([
  { case: 'a constant', target: { Input: '{"a":1}' }, sent: '{"a":1}' },
  { case: 'a path', target: { InputPath: '$.detail.state' }, sent: '{"value":"ALARM"}' },
  {
    case: 'a template',
    target: {
      InputTransformer: {
        InputPathsMap: { name: '$.detail.alarmName', state: '$.detail.state', none: '$.detail.none' },
        InputTemplate: '{"alarm":<name>,"text":"<name> by <aws.events.rule-name><none>","state":<state>}',
      },
    },
    sent: '{"alarm":"a","text":"a by r","state":{"value":"ALARM"}}',
  },
])('gives the target $case', async ({ target, sent }) => {
  const { home, service } = await rule({ Arn: arnOf('sqs', 'q'), ...target });
  service.put(alarmEvent);
  await settle();
  expect(home.callsTo('sqs', 'SendMessage')[0]?.input.MessageBody).toBe(sent);
});

function failing(code: string) {
  return ({ input }: { input: { QueueUrl?: string } }) => {
    if (input.QueueUrl?.endsWith('/q')) throw new AwsError(code, 'no');
    return {};
  };
}

test('retries what may pass, and dead-letters with the reason when retries are exhausted', async () => {
  const { home, service, ruleArn } = await rule({
    Arn: arnOf('sqs', 'q'),
    RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 300 },
    DeadLetterConfig: { Arn: arnOf('sqs', 'dead') },
  });
  home.answer = failing('ThrottlingException');
  service.put(alarmEvent);
  await home.clock.advance(60_000);
  const sent = home.callsTo('sqs', 'SendMessage');
  expect(sent).toHaveLength(4);
  const attributes = sent.at(-1)?.input.MessageAttributes;
  const values = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, (value as { StringValue: string }).StringValue]),
  );
  expect(values).toMatchObject({
    RULE_ARN: ruleArn,
    TARGET_ARN: arnOf('sqs', 'q'),
    ERROR_CODE: 'ThrottlingException',
    EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    RETRY_ATTEMPTS: '2',
  });
});

test('gives up when the event is older than its maximum age', async () => {
  const { home, service } = await rule({ Arn: arnOf('sqs', 'q'), RetryPolicy: { MaximumEventAgeInSeconds: 60 } });
  home.answer = failing('ServiceUnavailable');
  service.put(alarmEvent);
  await home.clock.advance(3_600_000);
  expect(service.undelivered()).toMatchObject([{ exhausted: 'MaximumEventAgeInSeconds' }]);
});

test('never loses an event silently: without a dead-letter queue it is listed and counted', async () => {
  const { home, service } = await rule({ Arn: arnOf('sqs', 'q') });
  home.answer = failing('AccessDenied');
  service.put(alarmEvent);
  await settle();
  expect(home.callsTo('sqs', 'SendMessage')).toHaveLength(1);
  expect(service.undelivered()).toMatchObject([{ code: 'AccessDenied', deadLettered: false }]);
  expect(home.metrics).toContainEqual({
    namespace: 'AWS/Events',
    metric: 'FailedInvocations',
    dimensions: { RuleName: 'r' },
    value: 1,
  });
});

test('PutEvents routes good entries, and refuses others in their place', async () => {
  const { call, home } = await rule({ Arn: arnOf('sqs', 'q') }, { EventPattern: { source: ['drill'] } });
  const entry = { Source: 'drill', DetailType: 'd', Detail: '{}' };
  const answer = await call('PutEvents', {
    Entries: [entry, { ...entry, Source: 'aws.rds' }, { ...entry, Detail: '{' }],
  });
  expect(answer).toMatchObject({
    FailedEntryCount: 2,
    Entries: [
      { EventId: expect.any(String) },
      { ErrorCode: 'NotAuthorizedForSourceException' },
      { ErrorCode: 'MalformedDetail' },
    ],
  });
  await settle();
  expect(home.callsTo('sqs', 'SendMessage')).toHaveLength(1);
});

test('presents the bus, source and detail type to the authorizer', async () => {
  const { access } = await rule({ Arn: arnOf('sqs', 'q') });
  expect(await access('PutEvents', { Entries: [{ Source: 's', DetailType: 'd', Detail: '{}' }] })).toMatchObject([
    {
      resources: [arnOf('events', 'event-bus/default')],
      conditions: { 'events:source': 's', 'events:detail-type': 'd' },
    },
  ]);
});

test.for([
  {
    case: 'a schedule',
    target: {},
    properties: { ScheduleExpression: 'rate(1 minute)' },
    names: /ScheduleExpression/,
  },
  {
    case: 'a target of another kind',
    target: { Arn: arnOf('kinesis', 'stream/s') },
    properties: {},
    names: /kinesis/,
  },
  { case: 'a member it does not honour', target: { EcsParameters: {} }, properties: {}, names: /EcsParameters/ },
  { case: 'a machine without a role', target: { Arn: machine }, properties: {}, names: /RoleArn/ },
])('refuses $case', async ({ target, properties, names }) => {
  await expect(rule({ Arn: arnOf('sqs', 'q'), ...target }, properties)).rejects.toThrow(names);
});

test('describes what was deployed', async () => {
  const { call, ruleArn } = await rule({ Arn: arnOf('sqs', 'q') });
  expect(await call('DescribeRule', { Name: 'r' })).toMatchObject({ Arn: ruleArn, State: 'ENABLED' });
  expect((await call('ListTargetsByRule', { Rule: 'r' })).Targets).toMatchObject([{ Id: 't', Arn: arnOf('sqs', 'q') }]);
  expect((await call('ListRules', { NamePrefix: 'r' })).Rules).toHaveLength(1);
  await expect(call('DescribeRule', { Name: 'none' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});
