import { expect, test } from 'vitest';
import { nextTime } from '../../../../local/services/scheduler/expression.ts';

test.for<[expression: string, after: string, next: string | undefined]>([
  ['rate(5 minutes)', '2026-01-01T00:00:00Z', '2026-01-01T00:05:00Z'],
  ['rate(1 hour)', '2026-01-01T00:30:00Z', '2026-01-01T01:00:00Z'],
  ['rate(1 day)', '2026-02-28T10:00:00Z', '2026-03-01T00:00:00Z'],
  ['at(2026-05-01T02:00:00)', '2026-01-01T00:00:00Z', '2026-05-01T02:00:00Z'],
  ['at(2026-05-01T02:00:00)', '2026-05-01T02:00:00Z', undefined],
  // daily at 02:00
  ['cron(0 2 * * ? *)', '2026-01-01T01:59:59Z', '2026-01-01T02:00:00Z'],
  ['cron(0 2 * * ? *)', '2026-01-01T02:00:00Z', '2026-01-02T02:00:00Z'],
  ['cron(0 2 * * ? *)', '2026-12-31T02:00:00Z', '2027-01-01T02:00:00Z'],
  // monthly, quarterly, semi-annually
  ['cron(0 3 1 * ? *)', '2026-01-15T00:00:00Z', '2026-02-01T03:00:00Z'],
  ['cron(0 3 1 1/3 ? *)', '2026-01-15T00:00:00Z', '2026-04-01T03:00:00Z'],
  ['cron(0 3 1 JAN,JUL ? *)', '2026-01-15T00:00:00Z', '2026-07-01T03:00:00Z'],
  ['cron(0 3 1 1,7 ? *)', '2026-07-01T03:00:00Z', '2027-01-01T03:00:00Z'],
  // month ends and leap years
  ['cron(0 0 31 * ? *)', '2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z'],
  ['cron(0 0 29 2 ? *)', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['cron(0 0 29 2 ? *)', '2096-03-01T00:00:00Z', '2104-02-29T00:00:00Z'],
  ['cron(0 0 L * ? *)', '2028-02-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['cron(0 0 L * ? *)', '2026-02-01T00:00:00Z', '2026-02-28T00:00:00Z'],
  // closest weekday: 2026-08-15 is a Saturday, 2026-02-01 a Sunday, 2026-08-01 a Saturday
  ['cron(0 0 15W * ? *)', '2026-08-01T00:00:00Z', '2026-08-14T00:00:00Z'],
  ['cron(0 0 1W 2 ? *)', '2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z'],
  ['cron(0 0 1W 8 ? *)', '2026-07-31T00:00:00Z', '2026-08-03T00:00:00Z'],
  ['cron(0 0 LW 5 ? *)', '2026-01-01T00:00:00Z', '2026-05-29T00:00:00Z'],
  // weekdays: 1 is Sunday; 2026-01-01 is a Thursday
  ['cron(0 8 ? * MON-FRI *)', '2026-01-02T08:00:00Z', '2026-01-05T08:00:00Z'],
  ['cron(0 8 ? * 1 *)', '2026-01-01T00:00:00Z', '2026-01-04T08:00:00Z'],
  ['cron(0 8 ? * L *)', '2026-01-01T00:00:00Z', '2026-01-03T08:00:00Z'],
  ['cron(0 8 ? * 6L *)', '2026-01-01T00:00:00Z', '2026-01-30T08:00:00Z'],
  ['cron(0 8 ? * TUE#2 *)', '2026-01-01T00:00:00Z', '2026-01-13T08:00:00Z'],
  ['cron(0 8 ? * 2#5 *)', '2026-01-01T00:00:00Z', '2026-03-30T08:00:00Z'],
  ['cron(0 8 ? * FRI-MON *)', '2026-01-05T09:00:00Z', '2026-01-09T08:00:00Z'],
  // steps, lists, wrapping ranges, years
  ['cron(0/15 * * * ? *)', '2026-01-01T00:46:00Z', '2026-01-01T01:00:00Z'],
  ['cron(10-20/5 * * * ? *)', '2026-01-01T00:11:00Z', '2026-01-01T00:15:00Z'],
  ['cron(0 22-2 * * ? *)', '2026-01-01T02:00:00Z', '2026-01-01T22:00:00Z'],
  ['cron(0 0 1 1 ? 2026-2028)', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['cron(0 0 1 1 ? 2026)', '2026-01-01T00:00:00Z', undefined],
  ['cron(0 0 30 2 ? *)', '2026-01-01T00:00:00Z', undefined],
])('%s after %s is %s', ([expression, after, next]) => {
  expect(nextTime(expression, new Date(after))?.toISOString().replace('.000Z', 'Z')).toBe(next);
});

test('a rate counts from its anchor', () => {
  const next = nextTime('rate(1 hour)', new Date('2026-01-01T05:00:00Z'), new Date('2026-01-01T00:10:00Z'));
  expect(next).toEqual(new Date('2026-01-01T05:10:00Z'));
});

test.for([
  'rate(0 minutes)',
  'rate(1 second)',
  'at(2026-02-30T00:00:00)',
  'at(2026-01-01)',
  'cron(0 2 * * * *)',
  'cron(0 2 ? * ? *)',
  'cron(0 2 * * ?)',
  'cron(60 2 * * ? *)',
  'cron(0 24 * * ? *)',
  'cron(0 0 32 * ? *)',
  'cron(0 0 ? * 8 *)',
  'cron(0/0 0 * * ? *)',
  'every day',
])('refuses %s', (expression) => {
  expect(() => nextTime(expression, new Date(0))).toThrow(expect.objectContaining({ code: 'ValidationException' }));
});
