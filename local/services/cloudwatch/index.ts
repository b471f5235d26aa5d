/** CloudWatch: metric data, alarms and dashboards of one Region. */
import type {
  GetMetricDataCommandInput,
  GetMetricStatisticsCommandInput,
  MetricDatum,
  PutMetricDataCommandInput,
} from '@aws-sdk/client-cloudwatch';
import {
  AwsError,
  type Home,
  type Operation,
  type ResourceContext,
  type ResourceResult,
  type Service,
  type ServiceDefinition,
} from '../../kernel.ts';
import { notImplemented, page, refuseUnknown } from '../declare.ts';
import { epochMs, type MetricSink, operation, physicalName, required } from '../eventing.ts';
import type { MetricAlarm, Verdict } from './alarm.ts';
import { Alarms } from './alarms.ts';
import {
  isStatistic,
  type MetricId,
  Metrics,
  type Sample,
  sampleOf,
  sampleOfOne,
  statisticOf,
  type Window,
} from './metrics.ts';
import { checkQueries, metricIdOf, periodOf, resolveQueries } from './query.ts';

/** Services record the same few metrics again and again. */
const ids = new Map<string, MetricId>();

function idOf(Namespace: string, MetricName: string, dimensions: Readonly<Record<string, string>>): MetricId {
  let key = `${Namespace}\0${MetricName}`;
  for (const name in dimensions) key += `\0${name}\0${dimensions[name]}`;
  let id = ids.get(key);
  if (id === undefined) {
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    id = { Namespace, MetricName, Dimensions };
    ids.set(key, id);
  }
  return id;
}

const invalid = (message: string) => new AwsError('InvalidParameterValue', message);

/** What Route 53 reads: what an alarm watches and by which rule, never its state. */
export interface AlarmData extends Service {
  findMetricAlarm(name: string): MetricAlarm | undefined;
  /** Undefined where the data leave open which state it is. */
  judgeData(alarm: MetricAlarm): Verdict | undefined;
}

export class CloudWatch implements AlarmData, MetricSink {
  readonly #home: Home;
  readonly #metrics = new Metrics();
  readonly #alarms: Alarms;
  readonly #dashboards = new Map<string, { readonly body: string; readonly modifiedAt: number }>();
  readonly operations: Record<string, Operation>;

  constructor(home: Home) {
    this.#home = home;
    this.#alarms = new Alarms(home, this.#metrics);
    this.operations = {
      ...this.#alarms.operations,
      PutMetricData: operation<PutMetricDataCommandInput>(
        (input) => [
          {
            action: 'cloudwatch:PutMetricData',
            resources: ['*'],
            conditions: { 'cloudwatch:namespace': required(input.Namespace, 'Namespace', 'MissingParameter') },
          },
        ],
        (input) => this.#putMetricData(input),
      ),
      GetMetricData: operation<GetMetricDataCommandInput>(
        () => [{ action: 'cloudwatch:GetMetricData', resources: ['*'] }],
        (input) => this.#getMetricData(input),
      ),
      GetMetricStatistics: operation<GetMetricStatisticsCommandInput>(
        () => [{ action: 'cloudwatch:GetMetricStatistics', resources: ['*'] }],
        (input) => this.#getMetricStatistics(input),
      ),
      ListMetrics: operation<{
        Namespace?: string;
        MetricName?: string;
        Dimensions?: { Name: string; Value?: string }[];
        NextToken?: string;
        RecentlyActive?: string;
      }>(
        () => [{ action: 'cloudwatch:ListMetrics', resources: ['*'] }],
        (input) => {
          if (input.RecentlyActive) throw notImplemented('ListMetrics with RecentlyActive');
          const found = this.#metrics
            .list()
            .filter((id) => !input.Namespace || id.Namespace === input.Namespace)
            .filter((id) => !input.MetricName || id.MetricName === input.MetricName)
            .filter((id) =>
              (input.Dimensions ?? []).every(({ Name, Value }) =>
                id.Dimensions.some((dimension) => dimension.Name === Name && (!Value || dimension.Value === Value)),
              ),
            );
          const { items, next } = page(found, input.NextToken, 500);
          return { Metrics: items, NextToken: next };
        },
      ),
      GetDashboard: operation<{ DashboardName?: string }>(
        (input) => [
          {
            action: 'cloudwatch:GetDashboard',
            resources: [this.#dashboardArn(required(input.DashboardName, 'DashboardName'))],
          },
        ],
        (input) => {
          const name = input.DashboardName ?? '';
          const dashboard = this.#dashboards.get(name);
          if (!dashboard) throw new AwsError('ResourceNotFound', `Dashboard ${name} does not exist`);
          return { DashboardName: name, DashboardArn: this.#dashboardArn(name), DashboardBody: dashboard.body };
        },
      ),
      ListDashboards: operation<{ DashboardNamePrefix?: string; NextToken?: string }>(
        () => [{ action: 'cloudwatch:ListDashboards', resources: ['*'] }],
        (input) => {
          const entries = [...this.#dashboards]
            .filter(([name]) => name.startsWith(input.DashboardNamePrefix ?? ''))
            .map(([name, { body, modifiedAt }]) => ({
              DashboardName: name,
              DashboardArn: this.#dashboardArn(name),
              LastModified: new Date(modifiedAt),
              Size: Buffer.byteLength(body),
            }));
          const { items, next } = page(entries, input.NextToken, 1000);
          return { DashboardEntries: items, NextToken: next };
        },
      ),
    };
  }

  readonly resources = {
    'AWS::CloudWatch::Alarm': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        const AlarmName = String(properties.AlarmName ?? physicalName(context, 255));
        // The properties are PutMetricAlarm's members; metricAlarm refuses every other one.
        const input = properties.AlarmName === undefined ? { ...properties, AlarmName } : properties;
        const { arn } = this.#alarms.putMetricAlarm(input as never);
        return { ref: AlarmName, attributes: { Arn: arn } };
      },
    },
    'AWS::CloudWatch::CompositeAlarm': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        const AlarmName = String(properties.AlarmName ?? physicalName(context, 255));
        const { arn } = this.#alarms.putCompositeAlarm({ ...properties, AlarmName } as never);
        return { ref: AlarmName, attributes: { Arn: arn } };
      },
    },
    'AWS::CloudWatch::Dashboard': {
      create: (properties: Record<string, unknown>, context: ResourceContext): ResourceResult => {
        refuseUnknown('AWS::CloudWatch::Dashboard', properties, ['DashboardName', 'DashboardBody']);
        const name = String(properties.DashboardName ?? physicalName(context, 255));
        this.#dashboards.set(name, { body: String(properties.DashboardBody), modifiedAt: this.#home.clock.now() });
        return { ref: name };
      },
    },
  };

  findMetricAlarm(name: string): MetricAlarm | undefined {
    return this.#alarms.findMetricAlarm(name);
  }

  judgeData(alarm: MetricAlarm): Verdict | undefined {
    return this.#alarms.judgeData(alarm);
  }

  start(): void {
    this.#alarms.start();
  }

  stop(): void {
    this.#alarms.stop();
  }

  record(namespace: string, metric: string, dimensions: Readonly<Record<string, string>>, value: number): void {
    const id = idOf(namespace, metric, dimensions);
    this.#metrics.put(id, sampleOfOne(this.#home.clock.now(), 'Count', value));
  }

  #putMetricData(input: PutMetricDataCommandInput): object {
    const Namespace = required(input.Namespace, 'Namespace', 'MissingParameter');
    if (Namespace.startsWith('AWS/'))
      throw invalid(`The value ${Namespace} for parameter Namespace is invalid: AWS/ is reserved.`);
    if (input.EntityMetricData) throw notImplemented('PutMetricData with EntityMetricData');
    const data = required(input.MetricData, 'MetricData', 'MissingParameter');
    const puts = data.map((datum) => ({ id: metricIdOf({ Namespace, ...datum }), sample: this.#sample(datum) }));
    for (const { id, sample } of puts) this.#metrics.put(id, sample);
    return {};
  }

  #sample(datum: MetricDatum): Sample {
    const at = datum.Timestamp ? epochMs(datum.Timestamp) : this.#home.clock.now();
    const unit = datum.Unit ?? 'None';
    if (datum.StatisticValues) {
      const { Sum, SampleCount, Minimum, Maximum } = datum.StatisticValues;
      const set = { sum: Number(Sum), count: Number(SampleCount), minimum: Number(Minimum), maximum: Number(Maximum) };
      if (!(set.count > 0) || set.minimum > set.maximum) throw invalid('The statistic set is invalid.');
      const isOneValue = set.minimum === set.maximum;
      return { at, unit, ...set, values: isOneValue ? [[set.minimum, set.count]] : undefined };
    }
    const values = datum.Values ?? (datum.Value === undefined ? [] : [datum.Value]);
    const counts = datum.Counts ?? values.map(() => 1);
    if (values.length === 0)
      throw new AwsError(
        'MissingParameter',
        'At least one of the parameters must be specified: Value, Values, StatisticValues.',
      );
    if (counts.length !== values.length) throw invalid('The parameters Values and Counts must have the same size.');
    if (!values.every(Number.isFinite)) throw invalid('A metric value must be a finite number.');
    return sampleOf(
      at,
      unit,
      values.map((value, index) => [value, counts[index] ?? 1] as const),
    );
  }

  /** A reader asks in real timestamps, so its periods are real ones; only alarms' periods are AWS-owned. */
  #getMetricData(input: GetMetricDataCommandInput) {
    const queries = required(input.MetricDataQueries, 'MetricDataQueries', 'MissingParameter');
    checkQueries(queries);
    const [start, end] = interval(input.StartTime, input.EndTime);
    const windowsOf = (seconds: number) => windows(start, end, seconds);
    const series = resolveQueries(queries, this.#metrics, windowsOf);
    const isAscending = input.ScanBy === 'TimestampAscending';
    const results = queries
      .filter(({ ReturnData }) => ReturnData !== false)
      .map((query) => {
        const points = windowsOf(periodOf(query, queries))
          .map(({ from }, index) => ({ at: new Date(from), value: series[query.Id ?? '']?.[index] }))
          .filter(({ value }) => value !== undefined && !Number.isNaN(value));
        if (!isAscending) points.reverse();
        return {
          Id: query.Id,
          Label: query.Label ?? query.MetricStat?.Metric?.MetricName ?? query.Id,
          Timestamps: points.map(({ at }) => at),
          Values: points.map(({ value }) => value),
          StatusCode: 'Complete',
        };
      });
    return { MetricDataResults: results, Messages: [] };
  }

  #getMetricStatistics(input: GetMetricStatisticsCommandInput) {
    const [start, end] = interval(input.StartTime, input.EndTime);
    const statistics = [...(input.Statistics ?? []), ...(input.ExtendedStatistics ?? [])];
    if (statistics.length === 0) throw new AwsError('MissingParameter', 'The parameter Statistics is required.');
    const unknown = statistics.find((statistic) => !isStatistic(statistic));
    if (unknown) throw notImplemented(`the statistic ${unknown}`);
    const id = metricIdOf(input);
    const Datapoints = windows(start, end, Number(required(input.Period, 'Period', 'MissingParameter'))).flatMap(
      ({ from, to }) => {
        const samples = this.#metrics.between(id, from, to, input.Unit);
        if (samples.length === 0) return [];
        const answer = (names: readonly string[] = []) =>
          Object.fromEntries(names.map((name) => [name, statisticOf(name, samples)]));
        const extended = input.ExtendedStatistics && { ExtendedStatistics: answer(input.ExtendedStatistics) };
        return [{ Timestamp: new Date(from), Unit: samples[0]?.unit, ...answer(input.Statistics), ...extended }];
      },
    );
    return { Label: id.MetricName, Datapoints };
  }

  #dashboardArn(name: string): string {
    return `arn:aws:cloudwatch::${this.#home.account}:dashboard/${name}`;
  }
}

function interval(start: Date | undefined, end: Date | undefined): [number, number] {
  const from = epochMs(required(start, 'StartTime', 'MissingParameter'));
  const to = epochMs(required(end, 'EndTime', 'MissingParameter'));
  if (from >= to) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
  return [from, to];
}

/** The periods that begin in the interval, on the period's own grid, the first one rounded down. */
function windows(start: number, end: number, periodSeconds: number): Window[] {
  const length = periodSeconds * 1000;
  const first = Math.floor(start / length) * length;
  const count = Math.ceil((end - first) / length);
  if (count > 100_800) throw invalid('The interval holds more data points than one request may ask for.');
  return Array.from({ length: count }, (_, index) => ({
    from: first + index * length,
    to: first + (index + 1) * length,
  }));
}

export const cloudwatch: ServiceDefinition = {
  name: 'cloudwatch',
  sdk: '@aws-sdk/client-cloudwatch',
  create: (home) => new CloudWatch(home),
};
