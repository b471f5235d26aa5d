import { expect, test } from 'vitest';
import type { AlarmState } from '../../../../local/services/cloudwatch/evaluation.ts';
import { parseRule } from '../../../../local/services/cloudwatch/rule.ts';

const states: Record<string, AlarmState> = { a: 'ALARM', b: 'OK', c: 'INSUFFICIENT_DATA', 'two words': 'ALARM' };
const stateOf = (alarm: string) => states[alarm] ?? 'INSUFFICIENT_DATA';

test.for<[string, boolean]>([
  ['ALARM(a)', true],
  ['ALARM("a") AND OK("b")', true],
  ['ALARM(b) OR INSUFFICIENT_DATA(c)', true],
  ['ALARM(a) AND NOT OK(b)', false],
  ['NOT (ALARM(b) OR ALARM(c))', true],
  ['ALARM(a) OR ALARM(b) AND ALARM(c)', true],
  ['(ALARM(a) OR ALARM(b)) AND ALARM(c)', false],
  ['ALARM("two words")', true],
  ['TRUE AND NOT FALSE', true],
])('%s is %s', ([rule, verdict]) => {
  expect(parseRule(rule).holds(stateOf)).toBe(verdict);
});

test.for(['', 'ALARM(a', 'ALARM()', 'RINGING(a)', 'ALARM(a) ALARM(b)', 'ALARM(a) AND'])('refuses "%s"', (rule) => {
  expect(() => parseRule(rule)).toThrow(expect.objectContaining({ code: 'ValidationError' }));
});
