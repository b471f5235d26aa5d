import { expect, test } from 'vitest';
import { AwsError } from '../../../../local/kernel.ts';
import { type Scheduler, scheduler } from '../../../../local/services/scheduler/index.ts';
import { arnOf, fakeHome, serve, settle } from '../fake-home.ts';

const RoleArn = 'arn:aws:iam::111122223333:role/scheduler';
const target = { Arn: arnOf('lambda', 'function:heartbeat'), RoleArn };

async function schedule(properties: Record<string, unknown> = {}, factor = 1) {
  const home = fakeHome(factor);
  const served = serve<Scheduler>(scheduler, home);
  await served.deploy('AWS::Scheduler::ScheduleGroup', { Name: 'dr' });
  await served.deploy('AWS::Scheduler::Schedule', {
    Name: 's',
    GroupName: 'dr',
    ScheduleExpression: 'rate(1 minute)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: target,
    ...properties,
  });
  return { ...served, home, invocations: () => home.callsTo('lambda', 'Invoke') };
}

test('fires at every time of its expression, in a session of the target role', async () => {
  const { home, service, invocations } = await schedule();
  service.start();
  await home.clock.advance(180_000);
  expect(invocations()).toHaveLength(3);
  expect(invocations()[0]?.as).toMatchObject({ kind: 'role', roleArn: RoleArn });
  expect(home.callsTo('sts', 'AssumeRole')[0]?.as).toMatchObject({
    sourceArn: arnOf('scheduler', 'schedule-group/dr'),
  });
  service.stop();
});

test('a day takes a day divided by the factor on a scaled clock, and timestamps stay real', async () => {
  const Target = { ...target, Input: '<aws.scheduler.scheduled-time>' };
  const { home, service, invocations } = await schedule({ ScheduleExpression: 'cron(0 2 * * ? *)', Target }, 1440);
  service.start();
  await home.clock.advance(2 * 60_000);
  expect(invocations().map(({ input }) => String(input.Payload))).toEqual([
    '2026-01-01T00:00:05Z',
    '2026-01-01T00:01:05Z',
  ]);
  service.stop();
});

test('a disabled schedule waits for nothing, but its time can be made to come', async () => {
  const { home, service, invocations } = await schedule({ State: 'DISABLED' });
  service.start();
  await home.clock.advance(600_000);
  expect(invocations()).toHaveLength(0);
  await service.fire('s', 'dr');
  expect(invocations()).toHaveLength(1);
});

test('a flexible schedule fires once within its window', async () => {
  const { home, service, invocations } = await schedule({
    ScheduleExpression: 'at(2026-01-01T01:00:00)',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
  });
  service.start();
  await home.clock.advance(3_599_000);
  expect(invocations()).toHaveLength(0);
  await home.clock.advance(16 * 60_000);
  expect(invocations()).toHaveLength(1);
});

test('fills the context attributes in the input', async () => {
  const Input =
    '{"at":"<aws.scheduler.scheduled-time>","try":"<aws.scheduler.attempt-number>","by":"<aws.scheduler.schedule-arn>"}';
  const { service, invocations } = await schedule({ Target: { ...target, Input } });
  await service.fire('s', 'dr');
  expect(JSON.parse(String(invocations()[0]?.input.Payload))).toEqual({
    at: '2026-01-01T00:00:00Z',
    try: '1',
    by: arnOf('scheduler', 'schedule/dr/s'),
  });
});

test('a universal target calls the operation of its name', async () => {
  const Target = {
    Arn: 'arn:aws:scheduler:::aws-sdk:rds:startDBInstance',
    RoleArn,
    Input: '{"DBInstanceIdentifier":"db"}',
  };
  const { home, service } = await schedule({ Target });
  await service.fire('s', 'dr');
  expect(home.callsTo('rds', 'StartDBInstance')).toMatchObject([{ input: { DBInstanceIdentifier: 'db' } }]);
});

test('retries, then dead-letters with the reason; a failure is never lost', async () => {
  const DeadLetterConfig = { Arn: arnOf('sqs', 'dead') };
  const RetryPolicy = { MaximumRetryAttempts: 1 };
  const { home, service } = await schedule({ Target: { ...target, DeadLetterConfig, RetryPolicy } });
  home.answer = ({ service: name }) => {
    if (name === 'lambda') throw new AwsError('TooManyRequestsException', 'busy');
    return {};
  };
  const fired = service.fire('s', 'dr');
  await home.clock.advance(60_000);
  await fired;
  expect(home.callsTo('sqs', 'SendMessage')[0]?.input.MessageAttributes).toMatchObject({
    ERROR_CODE: { StringValue: 'TooManyRequestsException' },
    RETRY_ATTEMPTS: { StringValue: '1' },
    SCHEDULE_ARN: { StringValue: arnOf('scheduler', 'schedule/dr/s') },
  });
  expect(service.failures()).toMatchObject([{ deadLettered: true }]);
});

test('an update replaces the old times; a deletion ends them', async () => {
  const { call, home, service, invocations } = await schedule();
  service.start();
  const key = { Name: 's', GroupName: 'dr' };
  const update = { ...key, FlexibleTimeWindow: { Mode: 'OFF' }, Target: target };
  await call('UpdateSchedule', { ...update, ScheduleExpression: 'rate(1 hour)' });
  await home.clock.advance(3_600_000);
  expect(invocations()).toHaveLength(1);
  expect(await call('GetSchedule', key)).toMatchObject({ ScheduleExpression: 'rate(1 hour)', State: 'ENABLED' });
  await call('DeleteSchedule', key);
  await home.clock.advance(36_000_000);
  expect(invocations()).toHaveLength(1);
  expect((await call('ListSchedules', {})).Schedules).toEqual([]);
});

test('giving a schedule a role needs the permission to pass it', async () => {
  const { access } = await schedule();
  expect(await access('CreateSchedule', { Name: 'x', Target: target })).toMatchObject([
    { action: 'scheduler:CreateSchedule', resources: [arnOf('scheduler', 'schedule/default/x')] },
    { action: 'iam:PassRole', resources: [RoleArn], conditions: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
  ]);
});

test.for([
  { case: 'another time zone', properties: { ScheduleExpressionTimezone: 'Europe/Berlin' }, names: /Berlin/ },
  { case: 'a group that does not exist', properties: { GroupName: 'none' }, names: /none/ },
  { case: 'a property it does not honour', properties: { KmsKeyArn: 'k' }, names: /KmsKeyArn/ },
  { case: 'a target without a role', properties: { Target: { Arn: target.Arn } }, names: /RoleArn/ },
])('refuses $case', async ({ properties, names }) => {
  await expect(schedule(properties)).rejects.toThrow(names);
  await settle();
});
