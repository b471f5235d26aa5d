import { describe, expect, it } from 'vitest';
import { compilePattern, metricValue } from '../../../../local/services/cloudwatch-logs/pattern.ts';

const json = JSON.stringify({ level: 'ERROR', code: 503, ok: false, deep: { list: ['first'] }, none: null });

describe('a filter pattern', () => {
  it.each([
    { case: 'everything, when empty', pattern: '', message: 'x', matches: true },
    { case: 'every term', pattern: 'ERROR disk', message: 'ERROR: disk full', matches: true },
    { case: 'not without one of its terms', pattern: 'ERROR disk', message: 'ERROR: tape', matches: false },
    { case: 'case-sensitively', pattern: 'error', message: 'ERROR', matches: false },
    { case: 'a phrase', pattern: '"not found"', message: 'it was not found', matches: true },
    { case: 'no phrase torn apart', pattern: '"not found"', message: 'found not', matches: false },
    { case: 'not what is excluded', pattern: 'ERROR -retry', message: 'ERROR retry', matches: false },
    { case: 'one of the alternatives', pattern: '?ERROR ?WARN', message: 'WARN x', matches: true },
    { case: 'none of the alternatives', pattern: '?ERROR ?WARN', message: 'INFO x', matches: false },
    { case: 'a field', pattern: '{ $.level = "ERROR" }', message: json, matches: true },
    { case: 'a field with a wildcard', pattern: '{ $.level = "ERR*" }', message: json, matches: true },
    { case: 'not another value', pattern: '{ $.level = "WARN" }', message: json, matches: false },
    { case: 'a number', pattern: '{ $.code >= 500 }', message: json, matches: true },
    { case: 'both conditions', pattern: '{ $.code > 500 && $.level = "WARN" }', message: json, matches: false },
    {
      case: 'grouped conditions',
      pattern: '{ ($.code = 1 || $.code = 503) && $.level != "WARN" }',
      message: json,
      matches: true,
    },
    { case: 'a boolean', pattern: '{ $.ok IS FALSE }', message: json, matches: true },
    { case: 'null', pattern: '{ $.none IS NULL }', message: json, matches: true },
    { case: 'a field that is missing', pattern: '{ $.other NOT EXISTS }', message: json, matches: true },
    { case: 'an element', pattern: '{ $.deep.list[0] = "first" }', message: json, matches: true },
    { case: 'no text that is not JSON', pattern: '{ $.level = "ERROR" }', message: 'ERROR', matches: false },
  ])('matches $case', ({ pattern, message, matches }) => {
    expect(compilePattern(pattern)(message)).toBe(matches);
  });

  it.each([
    { case: 'space-delimited', pattern: '[ip, user]', code: 'NotImplemented' },
    { case: 'a regular expression', pattern: '%a+%', code: 'NotImplemented' },
    { case: 'without an operand', pattern: '{ $.level = }', code: 'InvalidParameterException' },
    { case: 'without a closing brace', pattern: '{ $.level = "a"', code: 'InvalidParameterException' },
  ])('is refused when $case', ({ pattern, code }) => {
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the value of a metric', () => {
  it.each([
    { expression: '1', value: 1 },
    { expression: '$.code', value: 503 },
    { expression: '$.level', value: undefined },
    { expression: '$.missing', value: undefined },
  ])('of $expression is $value', ({ expression, value }) => {
    expect(metricValue(expression, json)).toBe(value);
  });
});
