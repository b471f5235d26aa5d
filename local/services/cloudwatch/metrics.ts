/** Metric data of one Region: what was put, and statistics over it. Timestamps are the clock's own epoch milliseconds. */

export interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

export interface MetricId {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly Dimension[];
}

/** Values observed at one moment. A statistic set keeps only its own four numbers, so it answers no percentile. */
export interface Sample {
  readonly at: number;
  readonly unit: string;
  readonly sum: number;
  readonly count: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Each value with how often it occurred; undefined for a statistic set of more than one distinct value. */
  readonly values: readonly (readonly [value: number, count: number])[] | undefined;
}

interface Series {
  readonly id: MetricId;
  /** In the order of their times, whenever they arrived. */
  readonly samples: Sample[];
  /** The latest end of a window whose statistic was asked for. */
  askedTo: number;
  /** How often something changed before that. */
  changes: number;
}

/** `from <= t < to`, epoch milliseconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** A statistic of one metric, as queries ask for it. */
export interface Asked {
  readonly metric: MetricId;
  readonly statistic: string;
  readonly unit: string | undefined;
}

interface Answered {
  readonly series: Series;
  readonly changes: number;
  readonly windows: readonly Window[];
  readonly values: readonly (number | undefined)[];
}

const SAMPLES_KEPT = 100_000;

export class Metrics {
  readonly #series = new Map<string, Series>();
  /** Who asks for a metric asks with the same object every minute. */
  readonly #known = new WeakMap<MetricId, Series>();
  /** What the last look at a statistic answered: the next one shares all windows with it but the newest. */
  readonly #answered = new WeakMap<Asked, Answered>();

  put(id: MetricId, sample: Sample): void {
    const series = this.#find(id);
    const { samples } = series;
    if (sample.at < series.askedTo) series.changes++;
    if (sample.at >= (samples.at(-1)?.at ?? 0)) samples.push(sample);
    else samples.splice(firstAt(samples, sample.at), 0, sample);
    if (samples.length <= SAMPLES_KEPT) return;
    samples.splice(0, SAMPLES_KEPT / 10);
    series.changes++;
  }

  /** One value per window, undefined where it has no samples. */
  statistics(asked: Asked, windows: readonly Window[]): readonly (number | undefined)[] {
    const { metric, statistic, unit } = asked;
    const series = this.#find(metric);
    const before = this.#answered.get(asked);
    const last = before?.series === series && before.changes === series.changes ? before : undefined;
    const offset = last?.windows.findIndex(({ from }) => from === windows[0]?.from) ?? -1;
    const values = windows.map(({ from, to }, index) => {
      const same = offset < 0 ? undefined : last?.windows[offset + index];
      if (same?.from === from && same.to === to) return last?.values[offset + index];
      return statisticOf(statistic, this.between(metric, from, to, unit));
    });
    series.askedTo = Math.max(series.askedTo, windows.at(-1)?.to ?? 0);
    this.#answered.set(asked, { series, changes: series.changes, windows, values });
    return values;
  }

  /** Of a metric that nobody has put yet: an empty one. */
  #find(id: MetricId): Series {
    let series = this.#known.get(id);
    if (series === undefined) {
      const key = keyOf(id);
      series = this.#series.get(key) ?? { id, samples: [], askedTo: 0, changes: 0 };
      this.#series.set(key, series);
      this.#known.set(id, series);
    }
    return series;
  }

  /** Samples of one metric with `from <= at < to`, in one unit if it is given. */
  between(id: MetricId, from: number, to: number, unit?: string): readonly Sample[] {
    const { samples } = this.#find(id);
    const found = samples.slice(firstAt(samples, from), firstAt(samples, to));
    return unit ? found.filter((sample) => sample.unit === unit) : found;
  }

  /** Whether a metric has samples at or after a moment. */
  hasSince(id: MetricId, from: number): boolean {
    const newest = this.#find(id).samples.at(-1);
    return newest !== undefined && newest.at >= from;
  }

  list(): readonly MetricId[] {
    return [...this.#series.values()].filter(({ samples }) => samples.length > 0).map(({ id }) => id);
  }
}

/** The index of the first sample at or after a moment. */
function firstAt(samples: readonly Sample[], moment: number): number {
  let [low, high] = [0, samples.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((samples[middle] as Sample).at < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A sample of one value. */
export const sampleOfOne = (at: number, unit: string, value: number): Sample => ({
  ...{ at, unit, sum: value, count: 1, minimum: value, maximum: value },
  values: [[value, 1]],
});

/** A sample of counted values. */
export function sampleOf(at: number, unit: string, values: readonly (readonly [number, number])[]): Sample {
  const numbers = values.map(([value]) => value);
  return {
    at,
    unit,
    values,
    sum: values.reduce((sum, [value, count]) => sum + value * count, 0),
    count: values.reduce((sum, [, count]) => sum + count, 0),
    minimum: Math.min(...numbers),
    maximum: Math.max(...numbers),
  };
}

const PERCENTILE = /^p(\d{1,2}(?:\.\d+)?|100)$/;

/** Whether `statistic` can answers a number here: the five basic ones and percentiles. */
export const isStatistic = (statistic: string) =>
  ['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount'].includes(statistic) || PERCENTILE.test(statistic);

/** One statistic of some samples; undefined without samples, or for a percentile of statistic sets. */
export function statisticOf(statistic: string, samples: readonly Sample[]): number | undefined {
  if (samples.length === 0) return undefined;
  const sum = samples.reduce((total, sample) => total + sample.sum, 0);
  const count = samples.reduce((total, sample) => total + sample.count, 0);
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'SampleCount':
      return count;
    case 'Average':
      return sum / count;
    case 'Minimum':
      return Math.min(...samples.map(({ minimum }) => minimum));
    case 'Maximum':
      return Math.max(...samples.map(({ maximum }) => maximum));
    default:
      return percentile(Number(PERCENTILE.exec(statistic)?.[1]), samples);
  }
}

/** The nearest-rank percentile of the raw values. */
function percentile(percent: number, samples: readonly Sample[]): number | undefined {
  const values = samples.flatMap((sample) => sample.values ?? []).sort(([left], [right]) => left - right);
  if (samples.some((sample) => sample.values === undefined)) return undefined;
  const rank = (percent / 100) * values.reduce((total, [, count]) => total + count, 0);
  let seen = 0;
  for (const [value, count] of values) {
    seen += count;
    if (seen >= rank) return value;
  }
  return undefined;
}

const keys = new WeakMap<MetricId, string>();

/** Dimensions are a set: the same ones in another order are the same metric. */
function keyOf(id: MetricId): string {
  const known = keys.get(id);
  if (known !== undefined) return known;
  const { Namespace, MetricName, Dimensions } = id;
  const dimensions = Dimensions.map(({ Name, Value }) => [Name, Value]).sort(([left = ''], [right = '']) =>
    left < right ? -1 : 1,
  );
  const key = JSON.stringify([Namespace, MetricName, dimensions]);
  keys.set(id, key);
  return key;
}
