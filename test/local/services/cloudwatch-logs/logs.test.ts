import { describe, expect, it } from 'vitest';
import type { Call } from '../../../../local/kernel.ts';
import { cloudwatchLogs, type LogsService } from '../../../../local/services/cloudwatch-logs/index.ts';
import { ACCOUNT, context, fakeHome, operator, REGION } from '../fake-home.ts';

function logs() {
  const home = fakeHome();
  const service = cloudwatchLogs.create(home) as LogsService;
  const asOperator: Call = { account: ACCOUNT, region: REGION, principal: operator, requestId: 'r' };
  const call = async (operation: string, input: object) => service.operations[operation]?.run(input, asOperator);
  const create = (type: string, properties: Record<string, unknown>) =>
    service.resources?.[`AWS::Logs::${type}`]?.create(properties, context);
  return { home, service, call, create };
}

describe('CloudWatch Logs', () => {
  it('pages through the events of a stream from its head, and says the end by the same token', async () => {
    const { service, call } = logs();
    service.write('group', 'stream', ['a', 'b', 'c']);
    const from = { logGroupName: 'group', logStreamName: 'stream', limit: 2, startFromHead: true };
    const first = await call('GetLogEvents', from);
    expect(first.events.map(({ message }: { message: string }) => message)).toEqual(['a', 'b']);
    const second = await call('GetLogEvents', { ...from, nextToken: first.nextForwardToken });
    expect(second.events.map(({ message }: { message: string }) => message)).toEqual(['c']);
    const end = await call('GetLogEvents', { ...from, nextToken: second.nextForwardToken });
    expect(end).toMatchObject({ events: [], nextForwardToken: second.nextForwardToken });
  });

  it('filters the events of every stream by pattern and time', async () => {
    const { home, service, call } = logs();
    service.write('group', 'one', ['ERROR early']);
    await home.clock.advance(1000);
    service.write('group', 'two', ['ERROR late', 'INFO late']);
    const { events } = await call('FilterLogEvents', {
      logGroupName: 'group',
      filterPattern: 'ERROR',
      startTime: home.clock.now(),
    });
    expect(events).toMatchObject([{ message: 'ERROR late', logStreamName: 'two' }]);
  });

  it.each([
    {
      case: 'a group that is not there',
      operation: 'GetLogEvents',
      input: { logGroupName: 'no' },
      code: 'ResourceNotFoundException',
    },
    {
      case: 'a group twice',
      operation: 'CreateLogGroup',
      input: { logGroupName: 'group' },
      code: 'ResourceAlreadyExistsException',
    },
    {
      case: 'an odd retention',
      operation: 'PutRetentionPolicy',
      input: { logGroupName: 'group', retentionInDays: 8 },
      code: 'InvalidParameterException',
    },
    {
      case: 'an unknown member',
      operation: 'DeleteLogGroup',
      input: { logGroupName: 'group', force: true },
      code: 'NotImplemented',
    },
  ])('refuses $case', async ({ operation, input, code }) => {
    const { service, call } = logs();
    service.write('group', 'stream', ['a']);
    await expect(call(operation, input)).rejects.toMatchObject({ code });
  });

  it('makes a metric of what matches, and of its default value where logs came and none matched', async () => {
    const { home, service, create } = logs();
    await create('LogGroup', { LogGroupName: 'group', RetentionInDays: 7 });
    const transformation = { MetricNamespace: 'App', MetricName: 'Errors', MetricValue: '1', DefaultValue: 0 };
    await create('MetricFilter', {
      LogGroupName: 'group',
      FilterPattern: 'ERROR',
      MetricTransformations: [transformation],
    });
    service.write('group', 'stream', ['ERROR a', 'INFO b', 'ERROR c']);
    service.write('group', 'stream', ['INFO d']);
    expect(home.metrics.map(({ metric, value }) => [metric, value])).toEqual([
      ['Errors', 1],
      ['Errors', 1],
      ['Errors', 0],
    ]);
  });
});
