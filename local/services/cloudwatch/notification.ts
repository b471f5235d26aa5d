/** What an alarm tells others when its state changes: the event on the bus, and the actions' payloads. */
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { BusEvent, Home } from '../../kernel.ts';
import { notImplemented } from '../declare.ts';
import { deliverWithRetries, parseArn } from '../eventing.ts';
import { type Alarm, type StateRecord, timestamp } from './alarm.ts';

export interface Transition {
  readonly alarm: Alarm;
  readonly from: StateRecord;
  readonly to: StateRecord;
}

/** The `CloudWatch Alarm State Change` event. */
export function stateChangeEvent({ alarm, from, to }: Transition): BusEvent {
  return {
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      state: stateDetail(to),
      previousState: stateDetail(from),
      configuration: configuration(alarm),
    },
  };
}

/** Actions may fail for minutes before they are given up. */
const RETRIES = { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 };

/** Runs one action of a transition. Answers why it failed, undefined when it succeeded. */
export function runAction(home: Home, action: string, transition: Transition, signal: AbortSignal) {
  const { service, region } = parseArn(action);
  const { alarm } = transition;
  const as = (name: string) =>
    ({ kind: 'service', service: name, sourceArn: alarm.arn, sourceAccount: home.account }) as const;
  return deliverWithRetries(home.clock, RETRIES, signal, () => {
    switch (service) {
      case 'sns': {
        const input = { TopicArn: action, Subject: subject(home, transition), Message: topicMessage(home, transition) };
        return home.call('sns', 'Publish', input, as('cloudwatch.amazonaws.com'), region);
      }
      case 'lambda': {
        const Payload = Buffer.from(functionPayload(home, transition));
        const input = { FunctionName: action, InvocationType: 'Event', Payload };
        return home.call('lambda', 'Invoke', input, as('lambda.alarms.cloudwatch.amazonaws.com'), region);
      }
      default:
        throw notImplemented(`the alarm action ${action}`);
    }
  });
}

const stateDetail = ({ value, reason, reasonData, at }: StateRecord) => ({
  value,
  reason,
  reasonData,
  timestamp: timestamp(at),
});

function configuration(alarm: Alarm) {
  if (alarm.type === 'CompositeAlarm') return { description: alarm.description, alarmRule: alarm.ruleText };
  return { description: alarm.description, metrics: alarm.queries.map(queryDetail) };
}

function queryDetail({ Id, MetricStat, Expression, Label, ReturnData }: MetricDataQuery) {
  if (!MetricStat) return { id: Id, expression: Expression, label: Label, returnData: ReturnData ?? true };
  const { Metric, Period, Stat, Unit } = MetricStat;
  const dimensions = Object.fromEntries((Metric?.Dimensions ?? []).map(({ Name = '', Value }) => [Name, Value]));
  const metric = { namespace: Metric?.Namespace, name: Metric?.MetricName, dimensions };
  return { id: Id, metricStat: { metric, period: Period, stat: Stat, unit: Unit }, returnData: ReturnData ?? true };
}

/** SNS refuses subjects of 100 characters and more. */
function subject(home: Home, { alarm, to }: Transition): string {
  return `${to.value}: "${alarm.name}" in ${home.region}`.slice(0, 99);
}

function topicMessage(home: Home, { alarm, from, to }: Transition): string {
  return JSON.stringify({
    AlarmName: alarm.name,
    AlarmDescription: alarm.description ?? null,
    AWSAccountId: home.account,
    AlarmConfigurationUpdatedTimestamp: timestamp(alarm.configuredAt),
    NewStateValue: to.value,
    NewStateReason: to.reason,
    StateChangeTime: timestamp(to.at),
    Region: home.region,
    AlarmArn: alarm.arn,
    OldStateValue: from.value,
    OKActions: alarm.actions.OK,
    AlarmActions: alarm.actions.ALARM,
    InsufficientDataActions: alarm.actions.INSUFFICIENT_DATA,
    ...(alarm.type === 'MetricAlarm' ? { Trigger: trigger(alarm) } : { AlarmRule: alarm.ruleText }),
  });
}

function trigger({ input }: Extract<Alarm, { type: 'MetricAlarm' }>) {
  const { MetricName, Namespace, Statistic, ExtendedStatistic, Unit, Period, EvaluationPeriods, DatapointsToAlarm } =
    input;
  const { ComparisonOperator, Threshold, TreatMissingData, Metrics } = input;
  const metric = Metrics
    ? { Metrics }
    : {
        MetricName,
        Namespace,
        StatisticType: ExtendedStatistic ? 'ExtendedStatistic' : 'Statistic',
        Statistic: (Statistic ?? ExtendedStatistic ?? '').toUpperCase(),
        Unit: Unit ?? null,
        Dimensions: (input.Dimensions ?? []).map(({ Name, Value }) => ({ name: Name, value: Value })),
      };
  return {
    ...metric,
    Period,
    EvaluationPeriods,
    DatapointsToAlarm,
    ComparisonOperator,
    Threshold,
    TreatMissingData: TreatMissingData ?? 'missing',
  };
}

function functionPayload(home: Home, { alarm, from, to }: Transition): string {
  return JSON.stringify({
    source: 'aws.cloudwatch',
    alarmArn: alarm.arn,
    accountId: home.account,
    time: timestamp(to.at),
    region: home.region,
    alarmData: {
      alarmName: alarm.name,
      state: stateDetail(to),
      previousState: stateDetail(from),
      configuration: configuration(alarm),
    },
  });
}
