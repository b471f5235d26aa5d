import { expect, test } from 'vitest';
import { evaluateExpression, type Series } from '../../../../local/services/cloudwatch/expression.ts';

const inputs = {
  series: { m1: [1, undefined, 3], m2: [10, 20, 0], e1: [0, 0, 0] },
  metricIds: ['m1', 'm2'],
  periods: 3,
};

test.for<[expression: string, series: Series]>([
  ['m1 + m2', [11, undefined, 3]],
  ['m2 - 1 - 1', [8, 18, -2]],
  ['1 + m2 * 2', [21, 41, 1]],
  ['(1 + m2) * 2', [22, 42, 2]],
  ['m1 / m2', [0.1, undefined, undefined]],
  ['-m2', [-10, -20, 0]],
  ['m2 > 5', [1, 1, 0]],
  ['m2 > 5 AND m2 < 15', [1, 0, 0]],
  ['m2 == 0 || m2 == 10', [1, 0, 1]],
  ['FILL(m1, 0)', [1, 0, 3]],
  ['FILL(m1, REPEAT)', [1, 1, 3]],
  ['FILL(m1, m2)', [1, 20, 3]],
  ['IF(m2 > 5, 1, 0)', [1, 1, 0]],
  ['IF(m2 > 15, m2)', [undefined, 20, undefined]],
  ['SUM(METRICS())', [11, 20, 3]],
  ['SUM(FILL(METRICS(), 0))', [11, 20, 3]],
  ['MAX(METRICS())', [10, 20, 3]],
  ['m2 - MIN(m2)', [10, 20, 0]],
  ['ABS(m2 - 15)', [5, 5, 15]],
  ['5', [5, 5, 5]],
])('%s', ([expression, series]) => {
  expect(evaluateExpression(expression, inputs)).toEqual(series);
});

test.for<[string, RegExp]>([
  ['ANOMALY_DETECTION_BAND(m1)', /unknown function ANOMALY_DETECTION_BAND/],
  ['m9 + 1', /unknown id or token m9/],
  ['m1 +', /ends too early/],
  ['m1 m2', /unexpected m2/],
  ['METRICS()', /several time series/],
  ['FILL(m1)', /wrong arguments of FILL/],
])('refuses %s', ([expression, reason]) => {
  expect(() => evaluateExpression(expression, inputs)).toThrow(reason);
});
