/** Metric data queries, shared by GetMetricData and alarms: each id resolves to one value per window. */
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../kernel.ts';
import { notImplemented, refuseUnknown } from '../declare.ts';
import { required } from '../eventing.ts';
import { evaluateExpression, idsIn, type Series } from './expression.ts';
import { type Asked, type Dimension, isStatistic, type MetricId, type Metrics, type Window } from './metrics.ts';

const metricIds = new WeakMap<object, MetricId>();

export function metricIdOf(metric: {
  readonly Namespace?: string | undefined;
  readonly MetricName?: string | undefined;
  readonly Dimensions?: readonly { Name?: string | undefined; Value?: string | undefined }[] | undefined;
}): MetricId {
  const known = metricIds.get(metric);
  if (known !== undefined) return known;
  const id = {
    Namespace: required(metric.Namespace, 'Namespace', 'MissingParameter'),
    MetricName: required(metric.MetricName, 'MetricName', 'MissingParameter'),
    Dimensions: (metric.Dimensions ?? []) as readonly Dimension[],
  };
  // Alarms ask with the same object every minute.
  metricIds.set(metric, id);
  return id;
}

const asked = new WeakMap<object, Asked>();

function askedBy(stat: MetricStat): Asked {
  let known = asked.get(stat);
  if (known === undefined) {
    known = { metric: metricIdOf(stat.Metric ?? {}), statistic: stat.Stat ?? '', unit: stat.Unit };
    asked.set(stat, known);
  }
  return known;
}

/** The period that a query's data points have: its own, or that of the metrics its expression names. */
export function periodOf(query: MetricDataQuery, queries: readonly MetricDataQuery[]): number {
  if (query.MetricStat) return Number(query.MetricStat.Period);
  if (query.Period) return Number(query.Period);
  const named = idsIn(query.Expression ?? '').flatMap((id) =>
    queries.filter((other) => other.Id === id && other !== query),
  );
  const sources = named.length > 0 ? named : queries.filter(({ MetricStat }) => MetricStat);
  const periods = new Set(sources.map((source) => periodOf(source, queries)));
  if (periods.size > 1) throw notImplemented(`expressions over metrics of different periods (${query.Expression})`);
  return [...periods][0] ?? 60;
}

/** Throws for a query that could not be resolved: an unknown statistic, function or id, a loop. */
export function checkQueries(queries: readonly MetricDataQuery[]): void {
  for (const query of queries) {
    refuseUnknown('a metric data query', query, [
      'Id',
      'MetricStat',
      'Expression',
      'Label',
      'ReturnData',
      'Period',
      'AccountId',
    ]);
    if (!/^[a-z]\w*$/.test(query.Id ?? ''))
      throw new AwsError('ValidationError', `Invalid metric query id ${query.Id}.`);
    if (query.MetricStat && !isStatistic(query.MetricStat.Stat ?? '')) {
      throw notImplemented(`the statistic ${query.MetricStat.Stat}`);
    }
  }
  resolveQueries(queries, { statistics: () => [undefined] }, () => [{ from: 0, to: 1 }]);
}

/** Resolves every query. `windowsOf` gives the windows for a period in seconds, oldest first. */
export function resolveQueries(
  queries: readonly MetricDataQuery[],
  metrics: Pick<Metrics, 'statistics'>,
  windowsOf: (periodSeconds: number) => readonly Window[],
): Readonly<Record<string, Series>> {
  const resolved: Record<string, Series> = {};
  const resolving = new Set<string>();
  const metricIds = queries.filter(({ MetricStat }) => MetricStat).map(({ Id }) => Id ?? '');
  const resolve = (query: MetricDataQuery): void => {
    const id = query.Id ?? '';
    if (resolved[id]) return;
    if (resolving.has(id)) throw new AwsError('ValidationError', `The expression ${id} refers to itself.`);
    resolving.add(id);
    const windows = windowsOf(periodOf(query, queries));
    if (query.MetricStat) {
      resolved[id] = metrics.statistics(askedBy(query.MetricStat), windows);
      return;
    }
    const expression = required(query.Expression, `Expression of ${id}`, 'ValidationError');
    const needed = expression.includes('METRICS(') ? [...metricIds, ...idsIn(expression)] : idsIn(expression);
    for (const source of queries.filter((other) => needed.includes(other.Id ?? ''))) resolve(source);
    resolved[id] = evaluateExpression(expression, { series: resolved, metricIds, periods: windows.length });
  };
  for (const query of queries) resolve(query);
  return resolved;
}
