import { expect, test } from 'vitest';
import { type Measurement, measuredOf, objectionsTo } from '../../cli/judge.ts';
import { compileReport } from '../../core/evidence/compile-report.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import { recordVersion } from '../../core/incident/contracts.ts';
import { makeIncident, makeRecord, makeStepRecord, openedAt } from '../core/fakes.ts';

const verdict = {
  provenPresent: 10,
  provenAbsent: 5,
  missing: [],
  surplus: [],
  inverted: [],
  undetermined: 1,
  newestPresent: Date.parse(openedAt),
};
const bounds = { notBefore: Date.parse(openedAt), notAfter: Date.parse(openedAt) + 2000 };
const loss = { verdict, bounds, lossSeconds: 2, estimatedSeconds: 3.5 };
const good: Measurement = {
  ended: { status: 'SUCCEEDED', error: undefined, cause: undefined },
  loss,
  acknowledged: 16,
  failures: 0,
  clockFactor: 60,
  mails: [{ to: 'dr@example.com', subject: 'started' }],
};
const check = {
  step: 'CheckGate',
  check: 'heap-scan',
  subject: '9 tables',
  verdict: 'passed',
  reason: 'fine',
} as const;
const report: Report = {
  ...compileReport({
    generatedAt: openedAt,
    record: makeRecord({ status: 'closed', achieved: { rtoSeconds: 20, rpoSeconds: 4 } }),
    timeline: [makeStepRecord('OpenIncident')],
    messages: [],
    earlier: [],
    point: {
      version: recordVersion,
      incidentId: makeIncident().id,
      scenario: 'database',
      mode: 'drill',
      closedAt: openedAt,
      succeeded: true,
    },
  }),
  validation: [check],
};
const objectives = (met: Report['objectives'][number]['met']) => report.objectives.map((each) => ({ ...each, met }));
const withLoss = (change: Partial<typeof verdict>): Partial<Measurement> => ({
  loss: { ...loss, verdict: { ...verdict, ...change } },
});
const because = (change: Partial<Report>, measured: Partial<Measurement> = {}) =>
  objectionsTo({ ...report, ...change }, { ...good, ...measured });

test('a drill with nothing against it passes (control)', () => {
  expect(because({})).toEqual([]);
});

type Case = { case: string; change?: Partial<Report>; measured?: Partial<Measurement>; says: RegExp };
test.each<Case>([
  {
    case: 'the execution did not succeed',
    measured: { ended: { ...good.ended, status: 'TIMED_OUT' } },
    says: /TIMED_OUT/,
  },
  {
    case: 'the recovery failed',
    change: { failure: { name: 'ParityViolated', message: '', next: '', step: 'CheckParity' } },
    says: /CheckParity failed: ParityViolated/,
  },
  { case: 'an objective was missed', change: { objectives: objectives('missed') }, says: /RTO is missed/ },
  { case: 'an objective is unknown', change: { objectives: objectives('unknown') }, says: /RTO is unknown/ },
  {
    case: 'a check failed',
    change: { validation: [check, { ...check, verdict: 'failed' }] },
    says: /heap-scan of 9 tables: failed/,
  },
  { case: 'a check is unknown', change: { validation: [check, { ...check, verdict: 'unknown' }] }, says: /: unknown/ },
  { case: 'nothing was validated', change: { validation: [] }, says: /nothing was validated/ },
  { case: 'nobody was told', measured: { mails: [] }, says: /nobody was told/ },
  {
    case: 'the copy could not be read',
    measured: { loss: undefined, unread: 'no route' },
    says: /could not be compared .*: no route/,
  },
  { case: 'no write is proven present', measured: withLoss({ provenPresent: 0 }), says: /proves no write present/ },
  {
    case: 'a write is missing',
    measured: withLoss({ missing: ['a'] as never[] }),
    says: /1 acknowledged writes are missing/,
  },
  { case: 'a write is too many', measured: withLoss({ surplus: ['a'] as never[] }), says: /1 writes from after/ },
  { case: 'the copy is no prefix', measured: withLoss({ inverted: ['a'] as never[] }), says: /older than others/ },
])('a drill does not pass when $case', ({ change = {}, measured = {}, says }) => {
  expect(because(change, measured).join('\n')).toMatch(says);
});

test('what a failure kept from being measured is no objection of its own', () => {
  const failure = { name: 'RestoreFailed', message: '', next: '' };
  const change = { failure, objectives: objectives('unknown'), validation: [] };
  expect(because(change, { loss: undefined, mails: [] })).toEqual(['The recovery failed: RestoreFailed']);
});

const fact = (measurement: Measurement, label: string) =>
  measuredOf(measurement).facts.find((each) => each.label === label);

test.each([
  {
    case: 'before detection',
    lossSeconds: 2,
    estimatedSeconds: 3.5,
    value: '2.0 s',
    note: /newest write/,
    error: '1.5 s',
    side: /more/,
  },
  {
    case: 'after it: said, not cut to nought',
    lossSeconds: -0.5,
    estimatedSeconds: -0.7,
    value: 'none',
    note: /0.5 s past/,
    error: '0.2 s',
    side: /less/,
  },
])(
  'tells the loss where the newest write lies $case',
  ({ lossSeconds, estimatedSeconds, value, note, error, side }) => {
    const measurement = { ...good, loss: { ...loss, lossSeconds, estimatedSeconds } };
    expect(fact(measurement, 'loss by the ledger')).toMatchObject({ value, note: expect.stringMatching(note) });
    expect(fact(measurement, 'error of the estimate')).toMatchObject({
      value: error,
      note: expect.stringMatching(side),
    });
  },
);
