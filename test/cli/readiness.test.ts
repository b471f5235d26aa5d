import { describe, expect, it } from 'vitest';
import { checkRows, endOf, scenarioRows } from '../../cli/commands/readiness.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import { parseReadinessOptions } from '../../cli/operator-options.ts';
import type { CheckResult, ReadinessRecord } from '../../core/readiness/contracts.ts';
import { factsIn, judge } from '../../core/readiness/judge.ts';
import { contextOf, healthy } from '../core/readiness/facts.ts';

const at = '2026-11-28T12:00:00.000Z';
const now = Date.parse('2026-11-28T12:10:00.000Z');
const context = contextOf('production');
const good = judge(
  factsIn(Object.entries(healthy('production')).map(([source, facts]) => ({ source, facts }))),
  context,
);
const record: ReadinessRecord = { version: 1, run: context.run, at, ...good };
const check = (name: string, change: Partial<CheckResult>): CheckResult => ({
  check: name,
  verdict: 'ready',
  reason: `${name} is fine`,
  seenAt: at,
  evidence: {},
  dependsOn: 'dr',
  scenarios: ['region'],
  runbook: `docs/runbooks/readiness.md#readiness-${name}`,
  ...change,
});

describe('dr readiness', () => {
  it('tells check, verdict, what it depends on, age and reason; what is wrong comes first', () => {
    const checks = [
      check('a', {}),
      check('b', { verdict: 'not-applicable' }),
      check('c', { verdict: 'unknown', dependsOn: 'primary' }),
      check('d', { verdict: 'not-ready', dependsOn: 'global', seenAt: '2026-11-28T10:10:00.000Z' }),
    ];
    expect(checkRows({ checks }, now)).toEqual([
      ['d', 'NOT READY', 'global', '2 h', 'd is fine'],
      ['c', 'UNKNOWN', 'primary', '10 min', 'c is fine'],
      ['a', 'ready', 'dr', '10 min', 'a is fine'],
      ['b', 'not applicable', 'dr', '10 min', 'b is fine'],
    ]);
  });
  it('tells each scenario with its score and what it lacks', () => {
    const scenarios = [
      { scenario: 'database', verdict: 'ready', score: 100, missing: [] },
      { scenario: 'region', verdict: 'unknown', score: 93, missing: ['images', 'keys'] },
    ] as const;
    expect(scenarioRows({ scenarios: structuredClone(scenarios) as never })).toEqual([
      ['database', 'ready', '100 %', ''],
      ['region', 'UNKNOWN', '93 %', 'images, keys'],
    ]);
  });
  it.each<{ case: string; change: Partial<ReadinessRecord>; code: number }>([
    { case: 'all is ready', change: {}, code: exitCodes.passed },
    { case: 'something is not', change: { verdict: 'not-ready' }, code: exitCodes.failed },
    { case: 'something is unknown', change: { verdict: 'unknown' }, code: exitCodes.failed },
    { case: 'all was ready hours ago', change: { at: '2026-11-28T10:00:00.000Z' }, code: exitCodes.failed },
  ])('ends with $code where $case', ({ change, code }) => {
    expect(endOf({ ...record, ...change }, now)).toBe(code);
  });
  it('looks only where it is asked to', () => {
    expect(parseReadinessOptions([])).toEqual({ environment: 'production', region: undefined, run: false });
    expect(parseReadinessOptions(['--run', '--region', 'us-west-2'])).toMatchObject({ run: true, region: 'us-west-2' });
  });
});
