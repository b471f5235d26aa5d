/** Metric filters: what matches in a log group becomes a metric. */
import type { Home } from '../../kernel.ts';
import { recordMetric } from '../eventing.ts';
import { compilePattern, dimensionValue, type Matches, metricValue } from './pattern.ts';
import type { LogEvent, LogGroup } from './store.ts';

export interface MetricTransformation {
  readonly MetricName: string;
  readonly MetricNamespace: string;
  readonly MetricValue: string;
  readonly DefaultValue?: number | string;
  readonly Dimensions?: readonly { readonly Key: string; readonly Value: string }[];
}

interface Filter {
  readonly matches: Matches;
  readonly transformation: MetricTransformation;
}

export class MetricFilters {
  readonly #home: Home;
  readonly #filters = new Map<string, Filter[]>();

  constructor(home: Home) {
    this.#home = home;
  }

  add(groupName: string, pattern: string, transformation: MetricTransformation): void {
    const filter = { matches: compilePattern(pattern), transformation };
    this.#filters.set(groupName, [...(this.#filters.get(groupName) ?? []), filter]);
  }

  /**
   * Publishes for the events that arrived together. The default value is for a period in which logs arrived and none
   * matched; a period without any logs publishes nothing.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
   */
  ingested(group: LogGroup, events: readonly LogEvent[]): void {
    for (const { matches, transformation } of this.#filters.get(group.name) ?? []) {
      const matching = events.filter(({ message }) => matches(message));
      for (const { message } of matching) this.#publish(transformation, message);
      const { DefaultValue: byDefault } = transformation;
      if (matching.length === 0 && byDefault !== undefined) this.#record(transformation, {}, Number(byDefault));
    }
  }

  #publish(transformation: MetricTransformation, message: string): void {
    const value = metricValue(transformation.MetricValue, message);
    const dimensions = (transformation.Dimensions ?? []).map(({ Key, Value }) => [Key, dimensionValue(Value, message)]);
    // An event that lacks a dimension's field publishes nothing.
    if (value === undefined || dimensions.some(([, found]) => found === undefined)) return;
    this.#record(transformation, Object.fromEntries(dimensions), value);
  }

  #record(
    { MetricNamespace, MetricName }: MetricTransformation,
    dimensions: Record<string, string>,
    value: number,
  ): void {
    recordMetric(this.#home, MetricNamespace, MetricName, dimensions, value);
  }
}
