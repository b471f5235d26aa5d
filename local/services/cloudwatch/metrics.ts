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
}

const SAMPLES_KEPT = 100_000;

export class Metrics {
  readonly #series = new Map<string, Series>();

  put(id: MetricId, sample: Sample): void {
    const key = keyOf(id);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { id, samples: [] };
      this.#series.set(key, series);
    }
    const { samples } = series;
    if (sample.at >= (samples.at(-1)?.at ?? 0)) samples.push(sample);
    else samples.splice(firstAt(samples, sample.at), 0, sample);
    if (samples.length > SAMPLES_KEPT) samples.splice(0, SAMPLES_KEPT / 10);
  }

  /** Samples of one metric with `from <= at < to`, in one unit if it is given. */
  between(id: MetricId, from: number, to: number, unit?: string): readonly Sample[] {
    const samples = this.#series.get(keyOf(id))?.samples ?? [];
    const found = samples.slice(firstAt(samples, from), firstAt(samples, to));
    return unit ? found.filter((sample) => sample.unit === unit) : found;
  }

  /** Whether a metric has samples at or after a moment. */
  hasSince(id: MetricId, from: number): boolean {
    const newest = this.#series.get(keyOf(id))?.samples.at(-1);
    return newest !== undefined && newest.at >= from;
  }

  list(): readonly MetricId[] {
    return [...this.#series.values()].map(({ id }) => id);
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
