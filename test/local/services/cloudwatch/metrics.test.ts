import { expect, it } from 'vitest';
import { Metrics, sampleOf, sampleOfOne } from '../../../../local/services/cloudwatch/metrics.ts';

const metric = { Namespace: 'Stocker', MetricName: 'Heartbeat', Dimensions: [] };
const minute = 60_000;
const windowsTo = (end: number) => [2, 1, 0].map((ago) => ({ from: end - (ago + 1) * minute, to: end - ago * minute }));

it('a sample of one value is a sample of counted values', () => {
  expect(sampleOfOne(5, 'Count', 7)).toEqual(sampleOf(5, 'Count', [[7, 1]]));
});

it('answers a statistic again as if nobody had asked before, also where a sample came late', () => {
  const metrics = new Metrics();
  const sum = { metric, statistic: 'Sum', unit: undefined };
  const put = (at: number, value: number) => metrics.put(metric, sampleOfOne(at, 'Count', value));
  const asked = (end: number) => {
    const values = metrics.statistics(sum, windowsTo(end));
    // Whoever never asked has nothing to remember.
    expect(values).toEqual(metrics.statistics({ ...sum }, windowsTo(end)));
    return values;
  };
  expect(asked(3 * minute)).toEqual([undefined, undefined, undefined]);
  put(0, 1);
  put(2 * minute, 4);
  expect(asked(3 * minute)).toEqual([1, undefined, 4]);
  put(3 * minute, 8);
  expect(asked(4 * minute)).toEqual([undefined, 4, 8]);
  put(minute, 2);
  expect(asked(4 * minute)).toEqual([2, 4, 8]);
  expect(asked(3 * minute)).toEqual([1, 2, 4]);
  expect(asked(9 * minute)).toEqual([undefined, undefined, undefined]);
});
