/** One alarm: what it was configured with, its state, and how a metric alarm judges its metrics. */
import type {
  MetricDataQuery,
  PutCompositeAlarmCommandInput,
  PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { AwsError, type Clock } from '../../kernel.ts';
import { rememberedOf } from '../../remembered.ts';
import { notImplemented, refuseUnknown } from '../declare.ts';
import { parseArn, required, type Tags, tagsOf } from '../eventing.ts';
import {
  type AlarmState,
  comparison,
  type EvaluationRules,
  evaluate,
  evaluationRange,
  type TreatMissingData,
} from './evaluation.ts';
import { isStatistic, type Metrics, type Window } from './metrics.ts';
import { checkQueries, metricIdOf, periodOf, resolveQueries } from './query.ts';
import { parseRule, type Rule } from './rule.ts';

export interface StateRecord {
  readonly value: AlarmState;
  readonly reason: string;
  /** JSON, as StateReasonData. */
  readonly reasonData: string | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

interface Common {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly actions: Readonly<Record<AlarmState, readonly string[]>>;
  readonly tags: Tags;
  readonly configuredAt: number;
  actionsEnabled: boolean;
  state: StateRecord;
}
export interface MetricAlarm extends Common {
  readonly type: 'MetricAlarm';
  readonly input: PutMetricAlarmCommandInput;
  readonly queries: readonly MetricDataQuery[];
  /** The one of them that it watches. */
  readonly watched: MetricDataQuery;
  readonly rules: EvaluationRules;
  readonly periodSeconds: number;
  /** Of what it watches and what that is made of. */
  readonly longestPeriodSeconds: number;
}
export interface CompositeAlarm extends Common {
  readonly type: 'CompositeAlarm';
  readonly ruleText: string;
  readonly rule: Rule;
}
export type Alarm = MetricAlarm | CompositeAlarm;

const COMMON = [
  'AlarmName',
  'AlarmDescription',
  'ActionsEnabled',
  'AlarmActions',
  'OKActions',
  'InsufficientDataActions',
  'Tags',
];
const METRIC = [
  ...['MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic', 'Dimensions', 'Period', 'Unit', 'Metrics'],
  ...['EvaluationPeriods', 'DatapointsToAlarm', 'Threshold', 'ComparisonOperator', 'TreatMissingData'],
];

/** Checks and normalizes PutMetricAlarm's input, or the same properties of a template. */
export function metricAlarm(input: PutMetricAlarmCommandInput, arn: string, now: number): MetricAlarm {
  return { ...common(input, arn, now), type: 'MetricAlarm', ...watchingOf(input) };
}

type Watching = Pick<MetricAlarm, 'input' | 'queries' | 'watched' | 'rules' | 'periodSeconds' | 'longestPeriodSeconds'>;

const watchingOf = rememberedOf((input: PutMetricAlarmCommandInput): Watching => {
  refuseUnknown('a metric alarm', input, [...COMMON, ...METRIC]);
  if (!comparison(required(input.ComparisonOperator, 'ComparisonOperator', 'MissingParameter'))) {
    throw notImplemented(`the comparison ${input.ComparisonOperator}`);
  }
  required(input.Threshold, 'Threshold', 'MissingParameter');
  const periods = Number(required(input.EvaluationPeriods, 'EvaluationPeriods', 'MissingParameter'));
  const datapoints = Number(input.DatapointsToAlarm ?? periods);
  if (!(datapoints >= 1 && datapoints <= periods)) {
    throw new AwsError(
      'ValidationError',
      `DatapointsToAlarm ${datapoints} must be between 1 and EvaluationPeriods ${periods}.`,
    );
  }
  if (!['missing', 'ignore', 'breaching', 'notBreaching'].includes(input.TreatMissingData ?? 'missing')) {
    throw new AwsError('ValidationError', `Invalid TreatMissingData ${input.TreatMissingData}.`);
  }
  const queries = input.Metrics ?? [queryOf(input)];
  checkQueries(queries);
  const watched = returned(queries);
  const periodSeconds = periodOf(watched, queries);
  if (![10, 30].includes(periodSeconds) && periodSeconds % 60 !== 0) {
    throw new AwsError('ValidationError', 'Period must be 10, 30 or a multiple of 60.');
  }
  const periodsOfMetrics = queries.map(({ MetricStat }) => Number(MetricStat?.Period ?? 0));
  const longestPeriodSeconds = Math.max(periodSeconds, ...periodsOfMetrics);
  const treatMissingData = (input.TreatMissingData ?? 'missing') as TreatMissingData;
  const rules = { evaluationPeriods: periods, datapointsToAlarm: datapoints, treatMissingData };
  return { input, queries, watched, rules, periodSeconds, longestPeriodSeconds };
});

/** Checks PutCompositeAlarm's input, or the same properties of a template. */
export function compositeAlarm(input: PutCompositeAlarmCommandInput, arn: string, now: number): CompositeAlarm {
  refuseUnknown('a composite alarm', input, [...COMMON, 'AlarmRule']);
  const ruleText = required(input.AlarmRule, 'AlarmRule', 'MissingParameter');
  return { ...common(input, arn, now), type: 'CompositeAlarm', ruleText, rule: parseRule(ruleText) };
}

function common(
  input: Omit<PutMetricAlarmCommandInput, 'EvaluationPeriods' | 'ComparisonOperator'>,
  arn: string,
  now: number,
): Common {
  const actions = {
    ALARM: input.AlarmActions ?? [],
    OK: input.OKActions ?? [],
    INSUFFICIENT_DATA: input.InsufficientDataActions ?? [],
  };
  for (const action of Object.values(actions).flat()) {
    if (!['sns', 'lambda'].includes(parseArn(action).service)) throw notImplemented(`the alarm action ${action}`);
  }
  return {
    name: required(input.AlarmName, 'AlarmName', 'MissingParameter'),
    arn,
    description: input.AlarmDescription,
    actions,
    tags: tagsOf(input.Tags),
    configuredAt: now,
    actionsEnabled: input.ActionsEnabled ?? true,
    state: { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', reasonData: undefined, at: now },
  };
}

function queryOf(input: PutMetricAlarmCommandInput): MetricDataQuery {
  const Stat = required(input.Statistic ?? input.ExtendedStatistic, 'Statistic', 'MissingParameter');
  if (!isStatistic(Stat)) throw notImplemented(`the statistic ${Stat}`);
  const Period = Number(required(input.Period, 'Period', 'MissingParameter'));
  const Metric = metricIdOf(input);
  return {
    Id: 'm1',
    MetricStat: { Metric: { ...Metric, Dimensions: [...Metric.Dimensions] }, Period, Stat, Unit: input.Unit },
    ReturnData: true,
  };
}

/** The query that the alarm watches: the only one, or the one with ReturnData. */
function returned(queries: readonly MetricDataQuery[]): MetricDataQuery {
  const [query, ...more] = queries.length === 1 ? queries : queries.filter(({ ReturnData }) => ReturnData !== false);
  if (!query || more.length > 0)
    throw new AwsError('ValidationError', 'Exactly one element of Metrics must return data.');
  return query;
}

export interface Verdict {
  readonly value: AlarmState;
  /** Of a verdict that the alarm's state has already: why it took that state. */
  readonly reason: string;
  readonly reasonData: string | undefined;
}

/**
 * The moment at which alarms are judged. Data points carry real timestamps, and a period is AWS-owned: on a scaled clock
 * the windows shrink, not the timestamps.
 */
export class Moment {
  readonly #clock: Clock;
  readonly #end: number;
  /** Most alarms look back over the same periods. */
  readonly #windows = new Map<string, readonly Window[]>();

  constructor(clock: Clock, end: number) {
    this.#clock = clock;
    this.#end = end;
  }

  /** When the first of so many periods began, the last of which ends now. */
  since(count: number, periodSeconds: number): number {
    return this.#end - count * this.#clock.scale(periodSeconds * 1000);
  }

  /** So many periods, the last of which ends now; the oldest first. */
  windows(count: number, periodSeconds: number): readonly Window[] {
    const key = `${count} ${periodSeconds}`;
    let windows = this.#windows.get(key);
    if (windows === undefined) {
      const from = (index: number) => this.since(count - index, periodSeconds);
      windows = Array.from({ length: count }, (_, index) => ({ from: from(index), to: from(index + 1) }));
      this.#windows.set(key, windows);
    }
    return windows;
  }
}

/** Judges a metric alarm over the periods that end at a moment; undefined keeps its state. */
export function judge(alarm: MetricAlarm, metrics: Metrics, clock: Clock, moment: Moment): Verdict | undefined {
  const { input, queries, watched, rules, periodSeconds } = alarm;
  const { evaluationPeriods, treatMissingData } = rules;
  const windowsOf = (seconds: number) => moment.windows(evaluationRange(evaluationPeriods), seconds);
  const values = resolveQueries(queries, metrics, windowsOf)[watched.Id ?? ''] ?? [];
  const [breaches, words] = comparison(input.ComparisonOperator ?? '') ?? [];
  const threshold = Number(input.Threshold);
  const value = evaluate(
    values.map((datum) => (datum === undefined ? undefined : breaches?.(datum, threshold))),
    rules,
  );
  if (value === undefined) return undefined;
  if (value === alarm.state.value) return alarm.state;

  const evaluated = windowsOf(periodSeconds)
    .map(({ from }, index) => ({ timestamp: timestamp(from), value: values[index] }))
    .filter((point) => point.value !== undefined)
    .slice(-evaluationPeriods);
  const reasonData = JSON.stringify({
    version: '1.0',
    queryDate: timestamp(clock.now()),
    startDate: evaluated[0]?.timestamp,
    statistic: watched.MetricStat?.Stat,
    period: periodSeconds,
    recentDatapoints: evaluated.map((point) => point.value),
    threshold,
    evaluatedDatapoints: evaluated,
  });
  return {
    value,
    reason: reasonOf(value, evaluated, treatMissingData, `${words} the threshold (${threshold})`),
    reasonData,
  };
}

/** Whether nothing was measured in the periods that end at a moment. Another look at nothing judges as the last one did. */
export function isSilent(
  { queries, rules, longestPeriodSeconds }: MetricAlarm,
  metrics: Metrics,
  moment: Moment,
): boolean {
  const from = moment.since(evaluationRange(rules.evaluationPeriods), longestPeriodSeconds);
  return queries.every(({ MetricStat }) => !MetricStat || !metrics.hasSince(metricIdOf(MetricStat.Metric ?? {}), from));
}

function reasonOf(
  value: AlarmState,
  evaluated: readonly { readonly value: number | undefined; readonly timestamp: string }[],
  treatMissingData: TreatMissingData,
  condition: string,
): string {
  if (value === 'INSUFFICIENT_DATA') return 'Insufficient Data: no datapoints were received in the evaluation range.';
  if (evaluated.length === 0) {
    const treated = treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
    return `Threshold Crossed: no datapoints were received and missing datapoints were treated as [${treated}].`;
  }
  const shown = evaluated.map((point) => `${point.value} (${point.timestamp})`).join(', ');
  const count = `${evaluated.length} datapoint${evaluated.length > 1 ? 's' : ''}`;
  const verdict = value === 'ALARM' ? 'enough of them were' : 'too few of them were';
  return `Threshold Crossed: of ${count} [${shown}], ${verdict} ${condition}.`;
}

/** A time as alarms write it: `2026-01-02T03:04:05.678+0000`. */
export const timestamp = (at: number) => new Date(at).toISOString().replace('Z', '+0000');
