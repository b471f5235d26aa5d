import { expect, test } from 'vitest';
import { compileReport, type Evidence } from '../../../core/evidence/compile-report.ts';
import { Report, reportSchemaVersion } from '../../../core/evidence/contracts.ts';
import { criticalPath, spans } from '../../../core/evidence/critical-path.ts';
import { canonical, firstBrokenLink } from '../../../core/evidence/hash-chain.ts';
import { renderReport } from '../../../core/evidence/render-html.ts';
import { recordVersion, type StepRecord, type TrendPoint } from '../../../core/incident/contracts.ts';
import { makeIncident, makeRecord, makeStepRecord, openedAt } from '../fakes.ts';

const at = (seconds: number) => new Date(Date.parse(openedAt) + seconds * 1000).toISOString();
const step = (name: string, from: number, to: number, change: Partial<StepRecord> = {}) =>
  makeStepRecord(name, { startedAt: at(from), finishedAt: at(to), ...change });

const timeline = [
  step('OpenIncident', 1, 2),
  step('AssessDatabase', 2, 3),
  step('RestoreDatabase', 3, 4),
  step('AwaitAvailable', 4, 14, { attempts: 5 }),
  step('CheckParity', 14, 15, {
    facts: { differences: [{ setting: 'instance multiAz', source: 'true', candidate: 'false', expected: 'a drill' }] },
  }),
  step('CheckGate', 14, 18, {
    piece: 'connects',
    summary: 'connects passed: yes',
    facts: { check: 'connects', verdict: 'passed', items: [{ subject: 'login' }] },
  }),
  step('CheckGate', 14, 17, { piece: 'heap', status: 'failed', error: { name: 'X', message: 'died', next: '' } }),
  step('JudgeGate', 18, 19),
  step('CutOver', 19, 20),
  step('ValidateApplication', 20, 24),
  step('ValidatePerformance', 24, 26),
  step('JudgeDeep', 26, 28),
  step('AwaitTornDown', 28, 30),
];
const point: TrendPoint = {
  version: recordVersion,
  incidentId: makeIncident().id,
  scenario: 'database',
  mode: 'drill',
  closedAt: at(31),
  succeeded: true,
  rtoSeconds: 23,
  rpoSeconds: 30,
};
const evidence: Evidence = {
  generatedAt: at(31),
  record: makeRecord({
    status: 'closed',
    closedAt: at(31),
    recoveredAt: at(23),
    achieved: { rtoSeconds: 23, rpoSeconds: 30 },
  }),
  timeline,
  messages: [{ version: recordVersion, incidentId: 'i', at: at(1), kind: 'declared', subject: 's', text: 't' }],
  earlier: [],
  point,
};
const failure = { Error: 'ParityViolated', Cause: 'instance class differs' };
const withFailure = (change: Partial<Evidence> = {}): Evidence => ({
  ...evidence,
  record: makeRecord({ status: 'failed', closedAt: at(31) }),
  failure,
  ...change,
});

test('a report keeps its contract, and its shape has this version', () => {
  const report = compileReport(evidence);
  expect(Report.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  // Whoever changes this list changes the shape that readers of report.json know: raise reportSchemaVersion with it.
  expect([reportSchemaVersion, ...Object.keys(Report.shape)]).toEqual([
    3,
    'schemaVersion',
    'generatedAt',
    'outcome',
    'record',
    'failure',
    'objectives',
    'criticalPath',
    'validation',
    'parity',
    'repair',
    'terraformDebt',
    'checklist',
    'review',
    'trend',
    'timeline',
    'messages',
    'chain',
    'measured',
  ]);
});

test.each([
  {
    case: 'both objectives are met',
    achieved: { rtoSeconds: 23, rpoSeconds: 30 },
    outcome: 'The drill succeeded within its objectives',
    met: ['met', 'met'],
  },
  {
    case: 'the RTO is missed',
    achieved: { rtoSeconds: 14_401, rpoSeconds: 30 },
    outcome: 'The drill succeeded, but the RTO of 4 h 00 min was missed',
    met: ['missed', 'met'],
  },
  {
    case: 'nothing measured the RPO',
    achieved: { rtoSeconds: 23 },
    outcome: 'The drill succeeded, but the RPO is unknown',
    met: ['met', 'unknown'],
  },
])('says so when $case', ({ achieved, outcome, met }) => {
  const report = compileReport({ ...evidence, record: { ...evidence.record, achieved } });
  expect(report.outcome).toBe(outcome);
  expect(report.objectives.map((objective) => objective.met)).toEqual(met);
});

test('a failure names its step, its error and what is next', () => {
  const failed = step('CheckParity', 14, 15, {
    status: 'failed',
    error: { name: 'ParityViolated', message: 'm', next: 'n' },
  });
  const report = compileReport(withFailure({ timeline: [...timeline.slice(0, 4), failed] }));
  expect(report.outcome).toBe('The drill failed in CheckParity: ParityViolated');
  expect(report.review.wentBadly[0]).toContain('CheckParity failed with ParityViolated: instance class differs');
});

test('steps and waits of the critical path add up to the RTO', () => {
  const { criticalPath: path } = compileReport(evidence);
  expect(path.map((link) => link.step)).toEqual([
    'OpenIncident',
    'AssessDatabase',
    'RestoreDatabase',
    'AwaitAvailable',
    'CheckGate',
    'JudgeGate',
    'CutOver',
    'ValidateApplication',
  ]);
  expect(path.reduce((sum, { waitSeconds, seconds }) => sum + waitSeconds + seconds, 0)).toBe(23);
  expect(path[0]).toEqual({ step: 'OpenIncident', waitSeconds: 1, seconds: 1 });
});

test('the critical path leaves out what ran beside it, and is empty where nothing ran', () => {
  const rows = spans([step('Slow', 0, 9), step('Fast', 0, 2), step('Next', 10, 12)], at(12));
  expect(criticalPath(rows, at(0), at(12))).toEqual([
    { step: 'Slow', waitSeconds: 0, seconds: 9 },
    { step: 'Next', waitSeconds: 1, seconds: 2 },
  ]);
  expect(criticalPath([], at(0), at(12))).toEqual([]);
});

test('a check that fell over is unknown, not passed and not failed', () => {
  const { validation } = compileReport(evidence);
  expect(validation.map(({ check, verdict, reason }) => [check, verdict, reason])).toEqual([
    ['connects', 'passed', 'connects passed: yes'],
    ['heap', 'unknown', 'died'],
  ]);
});

test.each([
  {
    case: 'pages, of tables that were scanned',
    check: 'heap-scan',
    items: [
      { subject: 'stocker.product blocks 0–1', reason: '2 blocks', facts: {} },
      { subject: 'stocker.stock blocks 0–999', reason: '1000 blocks', facts: {} },
    ],
    told: ['2 tables', '1,002 pages, every page and row readable'],
  },
  {
    case: 'rows, of tables that were counted',
    check: 'cross-count',
    items: [
      { subject: 'stocker.product', reason: 'both ways', facts: { rows: '9007199254740993' } },
      { subject: 'stocker.stock', reason: 'both ways', facts: { rows: '7' } },
    ],
    told: ['2 tables', '9,007,199,254,741,000 rows, as many rows by index as by scan'],
  },
  {
    case: 'what a single item said',
    check: 'connects',
    items: [{ subject: 'database', reason: 'PostgreSQL 18.4, encrypted', facts: {} }],
    told: ['database', 'PostgreSQL 18.4, encrypted'],
  },
])('a passed piece tells $case', ({ check, items, told }) => {
  const piece = step('CheckGate', 14, 18, { piece: check, facts: { check, verdict: 'passed', items } });
  const { validation } = compileReport({ ...evidence, timeline: [piece] });
  expect(validation.map(({ subject, reason }) => [subject, reason])).toEqual([told]);
});

test('a failed drill shows at a glance what failed, what to do, and that it was cleaned up', () => {
  const Cause = JSON.stringify({ errorMessage: 'one page is damaged\nNext: choose an earlier point' });
  const judged = step('JudgeGate', 18, 19, {
    status: 'failed',
    error: { name: 'ValidationFailed', message: '', next: '' },
  });
  const gone = step('AwaitTornDown', 28, 30, { summary: 'the copy is gone' });
  const report = (...steps: StepRecord[]) =>
    renderReport(compileReport(withFailure({ failure: { Error: 'ValidationFailed', Cause }, timeline: steps })));
  const page = report(judged, gone);
  for (const words of [
    'JudgeGate failed: ValidationFailed',
    'one page is damaged',
    'choose an earlier point',
    '✓ the copy is gone',
  ])
    expect(page).toContain(words);
  expect(report(judged)).toContain('? not recorded');
});

test('a piece that was split counts only until its smaller pieces have passed', () => {
  const facts = { check: 'heap-scan', verdict: 'unknown', remaining: 2 };
  const split = step('CheckGate', 14, 16, { piece: 'heap-scan:orders', facts });
  const subjects = (records: StepRecord[]) =>
    compileReport({ ...evidence, timeline: records }).validation.map(({ subject, verdict }) => [subject, verdict]);
  expect(subjects([split])).toEqual([['heap-scan:orders', 'unknown']]);
  const again = step('JudgeGate', 18, 19, { facts: { reasons: ['out of time'] } });
  expect(subjects([split, again])).toEqual([['heap-scan:orders', 'unknown']]);
  expect(subjects([split, step('JudgeGate', 18, 19)])).toEqual([]);
});

test('ticks the checklist of the plan from facts', () => {
  const states = compileReport(evidence).checklist.map(({ item, state }) => [item, state]);
  expect(states).toEqual([
    ['Assess the disaster impact and scope', 'done'],
    ['Declare disaster and activate DR plan', 'done'],
    ['Assemble DR team', 'not-applicable'],
    ['Execute appropriate recovery procedures', 'done'],
    ['Validate recovered systems', 'done'],
    ['Communicate status to stakeholders', 'done'],
    ['Return to normal operations', 'done'],
    ['Conduct post-incident review', 'open'],
    ['Update DR plan based on lessons learned', 'open'],
  ]);
});

test.each([
  { case: 'the cut-over never ran', missing: 'CutOver', item: 'Execute appropriate recovery procedures' },
  { case: 'the deep checks never ended', missing: 'JudgeDeep', item: 'Validate recovered systems' },
  { case: 'the copy was not seen gone', missing: 'AwaitTornDown', item: 'Return to normal operations' },
])('ticks nothing when $case', ({ missing, item }) => {
  const report = compileReport({ ...evidence, timeline: timeline.filter(({ step: name }) => name !== missing) });
  expect(report.checklist.find((each) => each.item === item)).toMatchObject({
    state: 'not-done',
    basis: `did not succeed: ${missing}`,
  });
});

test('the chain holds for the report as it is written and read again', () => {
  expect(firstBrokenLink(JSON.parse(JSON.stringify(compileReport(evidence))))).toBeUndefined();
});

test.each([
  {
    case: 'a step’s time',
    tamper: (report: Report) => Object.assign(report.timeline[3] ?? {}, { finishedAt: at(5) }),
    broken: 'AwaitAvailable',
  },
  {
    case: 'the achieved RTO',
    tamper: (report: Report) => Object.assign(report.record.achieved, { rtoSeconds: 1 }),
    broken: `incident ${makeIncident().id}`,
  },
  {
    case: 'a message dropped',
    tamper: (report: Report) => report.messages.pop(),
    broken: `message ${at(1)} declared`,
  },
  {
    case: 'two steps exchanged',
    tamper: (report: Report) => report.timeline.splice(0, 2, ...report.timeline.slice(0, 2).reverse()),
    broken: 'OpenIncident',
  },
])('the chain shows $case', ({ tamper, broken }) => {
  const report: Report = structuredClone(compileReport(evidence));
  tamper(report);
  expect(firstBrokenLink(report)).toBe(broken);
});

test('canonical JSON does not depend on the order of members', () => {
  expect(canonical({ b: [1, { d: 1, c: undefined, a: null }], a: 'x' })).toBe('{"a":"x","b":[1,{"a":null,"d":1}]}');
});

const hostile = `<script>alert('1')</script>"&`;

test('escapes what comes from outside, wherever it is shown', () => {
  const incident = makeIncident({ reason: hostile, target: hostile, trigger: { kind: 'alarm', name: hostile } });
  const page = renderReport(
    compileReport(
      withFailure({
        record: makeRecord({ status: 'failed' }, incident),
        failure: { Error: hostile, Cause: hostile },
        timeline: [step(hostile, 1, 2, { summary: hostile, facts: { [hostile]: hostile }, piece: hostile })],
        messages: [
          {
            version: recordVersion,
            incidentId: 'i',
            at: at(1),
            kind: 'failed',
            subject: hostile,
            text: '',
            failure: hostile,
          },
        ],
      }),
    ),
  );
  expect(page).toContain('&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;');
  expect(page).not.toContain('<script');
});

test('the page is self-contained and shows the timeline with the RTO line', () => {
  const page = renderReport(compileReport(evidence));
  expect(page).not.toMatch(/(src|href)=|url\(|@import|https?:/);
  expect(page).toContain('RTO objective 4 h 00 min: 464 times the width of this picture →');
  expect(page).toContain('recovered 23 s');
  expect(page).toContain('not applicable in a drill');
  expect(page).toContain('A trend needs two measured incidents; so far there is 1.');
});

test('draws the objective inside the timeline where it was missed', () => {
  const record = { ...evidence.record, objectives: { rtoSeconds: 10, rpoSeconds: 60 } };
  const page = renderReport(compileReport({ ...evidence, record }));
  expect(page).toContain('>RTO objective 10 s<');
});

test('draws the trend once there are two drills, oldest first', () => {
  const earlier = [{ ...point, incidentId: 'earlier', rtoSeconds: 40, closedAt: at(-1000) }];
  const page = renderReport(compileReport({ ...evidence, earlier }));
  expect(page).toContain('RTO of the last 2: 40 s, 23 s');
});

test('renders what somebody else measured when it is added', () => {
  const report: Report = {
    ...compileReport(evidence),
    measured: { by: 'the ledger', clockFactor: 20, facts: [{ label: 'rows lost', value: 0 }] },
  };
  expect(renderReport(report)).toContain('Independent measurement');
  expect(renderReport(report)).toContain('20 times faster than on AWS');
  expect(renderReport(compileReport(evidence))).not.toContain('Independent measurement');
});
