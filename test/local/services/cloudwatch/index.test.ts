import { expect, test } from 'vitest';
import { authorize } from '../../../../local/authorization/authorize.ts';
import { AwsError, type Call, type Principal } from '../../../../local/kernel.ts';
import { type CloudWatch, cloudwatch } from '../../../../local/services/cloudwatch/index.ts';
import { ACCOUNT, arnOf, fakeHome, REGION, serve, settle } from '../fake-home.ts';

const MINUTE = 60_000;
const topic = arnOf('sns', 'ops');
const heartbeat = {
  AlarmName: 'heartbeat',
  Namespace: 'Dr',
  MetricName: 'Age',
  Statistic: 'Maximum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 10,
  ComparisonOperator: 'GreaterThanThreshold',
};

function cloud(factor = 1) {
  const home = fakeHome(factor);
  const served = serve<CloudWatch>(cloudwatch, home);
  served.service.start();
  const put = (Value: number, MetricName = 'Age') =>
    served.call('PutMetricData', { Namespace: 'Dr', MetricData: [{ MetricName, Value }] });
  const minute = () => home.clock.advance(home.clock.scale(MINUTE));
  const stateOf = async (name: string, type = 'MetricAlarm') => {
    const { MetricAlarms, CompositeAlarms } = await served.call('DescribeAlarms', {
      AlarmNames: [name],
      AlarmTypes: [type],
    });
    return [...MetricAlarms, ...CompositeAlarms][0].StateValue;
  };
  return { ...served, home, put, minute, stateOf };
}

test('rings when a period breaches, tells the bus and the topic, and recovers', async () => {
  const { deploy, home, minute, put, service, stateOf } = cloud();
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, AlarmActions: [topic] });
  await put(11);
  await minute();
  expect(await stateOf('heartbeat')).toBe('ALARM');
  expect(home.events).toMatchObject([
    {
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      resources: [arnOf('cloudwatch', 'alarm:heartbeat')],
      detail: {
        alarmName: 'heartbeat',
        state: { value: 'ALARM', timestamp: '2026-01-01T00:01:00.000+0000' },
        previousState: { value: 'INSUFFICIENT_DATA' },
        configuration: {
          metrics: [{ metricStat: { metric: { namespace: 'Dr', name: 'Age' }, period: 60, stat: 'Maximum' } }],
        },
      },
    },
  ]);
  const [published] = home.callsTo('sns', 'Publish');
  expect(published?.as).toMatchObject({
    service: 'cloudwatch.amazonaws.com',
    sourceArn: arnOf('cloudwatch', 'alarm:heartbeat'),
  });
  expect(JSON.parse(published?.input.Message)).toMatchObject({ AlarmName: 'heartbeat', NewStateValue: 'ALARM' });
  await put(1);
  await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  service.stop();
});

test('stays silent below the threshold', async () => {
  const { deploy, home, minute, put, stateOf, service } = cloud();
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, AlarmActions: [topic] });
  await put(10);
  await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  expect(home.callsTo('sns', 'Publish')).toEqual([]);
  service.stop();
});

test('a silent metric rings after its evaluation range where missing data is breaching', async () => {
  const { deploy, minute, put, stateOf, service } = cloud();
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, TreatMissingData: 'breaching' });
  await put(1);
  await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  for (let silent = 0; silent < 3; silent++) await minute();
  expect(await stateOf('heartbeat')).toBe('ALARM');
  service.stop();
});

test('on a scaled clock a period shrinks by the factor, the timestamps stay real', async () => {
  const { deploy, home, minute, put, stateOf, service } = cloud(60);
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, EvaluationPeriods: 2, DatapointsToAlarm: 2 });
  for (const value of [11, 12]) {
    await put(value);
    await minute();
  }
  expect(await stateOf('heartbeat')).toBe('ALARM');
  expect(home.clock.now()).toBe(Date.UTC(2026, 0, 1, 0, 0, 2));
  service.stop();
});

test('SetAlarmState holds only until the next evaluation', async () => {
  const { call, deploy, minute, put, stateOf, service } = cloud();
  await deploy('AWS::CloudWatch::Alarm', heartbeat);
  await call('SetAlarmState', { AlarmName: 'heartbeat', StateValue: 'ALARM', StateReason: 'try' });
  expect(await stateOf('heartbeat')).toBe('ALARM');
  await put(1);
  await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  service.stop();
});

test('disabled actions do not run, the event is put all the same', async () => {
  const { call, deploy, home, minute, put, service } = cloud();
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, AlarmActions: [topic] });
  await call('DisableAlarmActions', { AlarmNames: ['heartbeat'] });
  await put(11);
  await minute();
  expect(home.callsTo('sns', 'Publish')).toEqual([]);
  expect(home.events).toHaveLength(1);
  service.stop();
});

test('an action that fails is in the history', async () => {
  const { call, deploy, home, minute, put, service } = cloud();
  home.answer = () => {
    throw new AwsError('KMSAccessDenied', 'the key refuses');
  };
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, AlarmActions: [topic] });
  await put(11);
  await minute();
  await settle();
  const { AlarmHistoryItems } = await call('DescribeAlarmHistory', {
    AlarmName: 'heartbeat',
    HistoryItemType: 'Action',
  });
  expect(AlarmHistoryItems).toMatchObject([
    { HistorySummary: expect.stringMatching(/Failed to execute.*the key refuses/) },
  ]);
  service.stop();
});

test('an alarm on a math expression', async () => {
  const { deploy, minute, put, stateOf, service } = cloud();
  const stat = (MetricName: string) => ({ Metric: { Namespace: 'Dr', MetricName }, Period: 60, Stat: 'Sum' });
  const { MetricName: _m, Namespace: _n, Statistic: _s, Period: _p, ...common } = heartbeat;
  await deploy('AWS::CloudWatch::Alarm', {
    ...common,
    Metrics: [
      { Id: 'failed', MetricStat: stat('Failed'), ReturnData: false },
      { Id: 'all', MetricStat: stat('All'), ReturnData: false },
      { Id: 'rate', Expression: '100 * FILL(failed, 0) / all' },
    ],
  });
  await put(20, 'All');
  await put(3, 'Failed');
  await minute();
  expect(await stateOf('heartbeat')).toBe('ALARM');
  service.stop();
});

test('a composite alarm follows its children, not after its own period', async () => {
  const { deploy, minute, put, stateOf, home, service } = cloud();
  await deploy('AWS::CloudWatch::Alarm', heartbeat);
  await deploy('AWS::CloudWatch::CompositeAlarm', {
    AlarmName: 'both',
    AlarmRule: `ALARM("${arnOf('cloudwatch', 'alarm:heartbeat')}") AND NOT OK(heartbeat)`,
    AlarmActions: [topic],
  });
  expect(await stateOf('both', 'CompositeAlarm')).toBe('OK');
  await put(11);
  await minute();
  expect(await stateOf('both', 'CompositeAlarm')).toBe('ALARM');
  expect(home.callsTo('sns', 'Publish')).toHaveLength(1);
  service.stop();
});

test('answers every statistic over values with counts', async () => {
  const { call, home } = cloud();
  const MetricData = [{ MetricName: 'Latency', Values: [1, 2, 10], Counts: [8, 1, 1], Unit: 'Milliseconds' }];
  await call('PutMetricData', { Namespace: 'Dr', MetricData });
  const now = home.clock.now();
  const { Datapoints } = await call('GetMetricStatistics', {
    Namespace: 'Dr',
    MetricName: 'Latency',
    StartTime: new Date(now),
    EndTime: new Date(now + MINUTE),
    Period: 60,
    Statistics: ['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount'],
    ExtendedStatistics: ['p50', 'p90', 'p99'],
  });
  expect(Datapoints).toMatchObject([
    { Sum: 20, Average: 2, Minimum: 1, Maximum: 10, SampleCount: 10, ExtendedStatistics: { p50: 1, p90: 2, p99: 10 } },
  ]);
});

test('answers metric data per period, newest first, and only what returns data', async () => {
  const { call, home, minute, put } = cloud();
  const StartTime = new Date(home.clock.now());
  for (const value of [1, 2]) {
    await put(value);
    await minute();
  }
  const { MetricDataResults } = await call('GetMetricData', {
    StartTime,
    EndTime: new Date(home.clock.now()),
    MetricDataQueries: [
      {
        Id: 'm',
        MetricStat: { Metric: { Namespace: 'Dr', MetricName: 'Age' }, Period: 60, Stat: 'Sum' },
        ReturnData: false,
      },
      { Id: 'e', Expression: 'm * 10' },
    ],
  });
  expect(MetricDataResults).toMatchObject([{ Id: 'e', Values: [20, 10] }]);
});

test('dimensions are a set, and different dimensions different metrics', async () => {
  const { call } = cloud();
  const [a, b] = [
    { Name: 'A', Value: '1' },
    { Name: 'B', Value: '2' },
  ];
  for (const Dimensions of [[a, b], [b, a], [a]]) {
    await call('PutMetricData', { Namespace: 'Dr', MetricData: [{ MetricName: 'M', Value: 1, Dimensions }] });
  }
  expect((await call('ListMetrics', { Namespace: 'Dr' })).Metrics).toHaveLength(2);
  expect((await call('ListMetrics', { Dimensions: [b] })).Metrics).toHaveLength(1);
});

test('a metric that was asked for before it was put is not listed, and is there once it is put', async () => {
  const { call, home } = cloud();
  const StartTime = new Date(Math.floor(home.clock.now() / 60_000) * 60_000);
  const ask = { Namespace: 'Dr', MetricName: 'Age', StartTime, Period: 60, Statistics: ['Sum'] };
  const sum = async () => {
    const EndTime = new Date(home.clock.now() + 60_000);
    return (await call('GetMetricStatistics', { ...ask, EndTime })).Datapoints as readonly object[];
  };
  expect(await sum()).toEqual([]);
  expect((await call('ListMetrics', { Namespace: 'Dr' })).Metrics).toEqual([]);
  await call('PutMetricData', { Namespace: 'Dr', MetricData: [{ MetricName: 'Age', Value: 3 }] });
  expect(await sum()).toMatchObject([{ Sum: 3 }]);
  expect((await call('ListMetrics', { Namespace: 'Dr' })).Metrics).toHaveLength(1);
});

test('PutMetricData presents its namespace, having no resource', async () => {
  const { access } = cloud();
  expect(await access('PutMetricData', { Namespace: 'Dr' })).toEqual([
    { action: 'cloudwatch:PutMetricData', resources: ['*'], conditions: { 'cloudwatch:namespace': 'Dr' } },
  ]);
});

test('keeps dashboards', async () => {
  const { call, deploy } = cloud();
  await deploy('AWS::CloudWatch::Dashboard', { DashboardName: 'dr', DashboardBody: '{}' });
  expect(await call('GetDashboard', { DashboardName: 'dr' })).toMatchObject({ DashboardBody: '{}' });
  expect((await call('ListDashboards', {})).DashboardEntries).toMatchObject([{ DashboardName: 'dr', Size: 2 }]);
});

test.for([
  { case: 'a property it does not honour', properties: { ThresholdMetricId: 'x' }, names: /ThresholdMetricId/ },
  {
    case: 'an unknown function',
    properties: { Metrics: [{ Id: 'e', Expression: 'BAND(e)' }] },
    names: /refers to itself|unknown function/,
  },
  { case: 'an action it cannot run', properties: { AlarmActions: [arnOf('ssm', 'opsitem:1')] }, names: /ssm/ },
  { case: 'more datapoints than periods', properties: { DatapointsToAlarm: 2 }, names: /DatapointsToAlarm/ },
  { case: 'a statistic it does not know', properties: { Statistic: 'tm99' }, names: /tm99/ },
])('refuses an alarm with $case', async ({ properties, names }) => {
  const { deploy } = cloud();
  await expect(deploy('AWS::CloudWatch::Alarm', { ...heartbeat, ...properties })).rejects.toThrow(names);
});

test('stays as nothing left it, hears what comes after the silence, and finds its state again where somebody set another', async () => {
  const { call, deploy, minute, put, stateOf } = cloud();
  await deploy('AWS::CloudWatch::Alarm', { ...heartbeat, TreatMissingData: 'notBreaching' });
  for (let silent = 0; silent < 4; silent++) await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  await call('SetAlarmState', { AlarmName: 'heartbeat', StateValue: 'ALARM', StateReason: 'a test' });
  await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
  await put(11);
  await minute();
  expect(await stateOf('heartbeat')).toBe('ALARM');
  for (let silent = 0; silent < 4; silent++) await minute();
  expect(await stateOf('heartbeat')).toBe('OK');
});

test.each([
  [
    'composite alarms',
    'arn:aws:cloudwatch:*:*:alarm:*',
    { AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
    'AccessDenied',
  ],
  ['metric alarms', 'arn:aws:cloudwatch:*:*:alarm:*', { AlarmTypes: ['MetricAlarm'] }, 'allowed'],
  ['composite alarms', '*', { AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }, 'allowed'],
])('to whom %s may be shown: a scope of %s', async (_, Resource, types, expected) => {
  const input = { AlarmNames: ['region-primary-lost'], ...types };
  const principal: Principal = { kind: 'role', roleArn: `arn:aws:iam::${ACCOUNT}:role/triage`, sessionName: 'run' };
  const call: Call = { account: ACCOUNT, region: REGION, principal, requestId: 'r' };
  const needed = await cloud().service.operations.DescribeAlarms?.access(input, call);
  const statement = { Effect: 'Allow', Action: 'cloudwatch:DescribeAlarms', Resource } as const;
  const decide = () => {
    authorize(
      principal,
      needed ?? [],
      {
        identityPolicies: () => [{ Version: '2012-10-17', Statement: [statement] }],
        resourcePolicy: () => undefined,
        globals: () => ({}),
      },
      call,
    );
    return 'allowed';
  };
  if (expected === 'allowed') expect(decide()).toBe(expected);
  else expect(decide).toThrow(expect.objectContaining({ code: expected }));
});
