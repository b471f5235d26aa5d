/** What the report of a recovery says beyond that of a drill. */
import { describe, expect, test } from 'vitest';
import { compileReport } from '../../../core/evidence/compile-report.ts';
import { Report } from '../../../core/evidence/contracts.ts';
import { renderReport } from '../../../core/evidence/render-html.ts';
import { recordVersion, type StepRecord } from '../../../core/incident/contracts.ts';
import { makeIncident, makeRecord, makeStepRecord, openedAt } from '../fakes.ts';

const incident = makeIncident({ id: 'recovery-20261122T201500Z-1a2b3c4d', mode: 'recovery' });
const debt = { import: 'stocker-5e6f7a8b', old: 'stocker-pro-staging', parameter: '/stocker/database' };
const recovered = [
  'AssessDatabase',
  'RequestApproval',
  'FenceSource',
  'RestoreDatabase',
  'JudgeGate',
  'CutOver',
  'AwaitWorkload',
  'ValidateApplication',
  'ValidatePerformance',
  'ProtectDatabase',
  'AwaitProtected',
].map((name) =>
  makeStepRecord(
    name,
    name === 'ProtectDatabase' ? { facts: { terraformDebt: debt, notCarriedOver: 'a replica' } } : {},
  ),
);

const reportOf = (timeline: readonly StepRecord[], error?: string, of = incident) =>
  compileReport({
    generatedAt: openedAt,
    record: makeRecord(
      { status: error ? 'failed' : 'closed', closedAt: openedAt, achieved: { rtoSeconds: 900, rpoSeconds: 60 } },
      of,
    ),
    timeline,
    messages: [
      { version: recordVersion, incidentId: incident.id, at: openedAt, kind: 'declared', subject: '', text: '' },
    ],
    earlier: [],
    point: {
      version: recordVersion,
      incidentId: incident.id,
      scenario: 'database',
      mode: 'recovery',
      closedAt: openedAt,
      succeeded: !error,
    },
    failure: error ? { Error: error, Cause: 'because' } : undefined,
  });
const withUndoing = (change: Partial<StepRecord>) => [
  ...recovered.slice(0, 5),
  makeStepRecord('Compensate', { summary: 'stocker-pro-staging takes the writes of stocker_app again', ...change }),
];

describe('a move of production that failed behind its cut-over', () => {
  const move = { ...incident, scenario: 'region' as const };
  const next = (...timeline: StepRecord[]) => reportOf(timeline, 'WorkloadNotReady', move).failure?.next;
  const goesOn = `npm run dr -- retry ${incident.id} --environment staging goes on from there`;
  const cutOver = makeStepRecord('CutOver');

  test('says how to go on, after a retry that failed before it, too', () => {
    expect(next(cutOver)).toContain(goesOn);
    expect(next(makeStepRecord('AssessRegion', { facts: { resume: 'cut-over' } }))).toContain(goesOn);
  });
  test('has nothing more to say before it, once traffic has followed, or where nothing moved', () => {
    expect(next(makeStepRecord('PromoteReplica'))).not.toContain('goes on from there');
    expect(next(cutOver, makeStepRecord('AwaitTraffic'))).not.toContain('goes on from there');
    expect(reportOf([cutOver], 'WorkloadNotReady').failure?.next).not.toContain('goes on from there');
  });
});

describe('the outcome', () => {
  test.each([
    {
      case: 'declined',
      error: 'ApprovalDeclined',
      steps: recovered.slice(0, 2),
      outcome: 'The recovery was declined; nothing was changed',
    },
    {
      case: 'not answered',
      error: 'ApprovalTimedOut',
      steps: recovered.slice(0, 2),
      outcome: 'The recovery was declined, for nobody answered in time; nothing was changed',
    },
    {
      case: 'failed after the fence, which was undone',
      error: 'ValidationFailed',
      steps: withUndoing({}),
      outcome: 'The recovery failed: ValidationFailed; stocker-pro-staging takes the writes of stocker_app again',
    },
    {
      case: 'failed after the fence, which could not be undone',
      error: 'ValidationFailed',
      steps: withUndoing({ status: 'failed', error: { name: 'CompensationFailed', message: 'denied', next: '' } }),
      outcome:
        'The recovery failed: ValidationFailed; PRODUCTION MAY STILL REFUSE THE APPLICATION’S WRITES: Compensate ended with "denied"',
    },
    {
      case: 'stopped, with what was undone in the failure itself',
      error: 'Execution.ABORTED',
      steps: recovered.slice(0, 4),
      outcome: 'The recovery was stopped',
    },
    {
      case: 'successful',
      error: undefined,
      steps: recovered,
      outcome: 'The recovery succeeded within its objectives',
    },
  ])('of one that was $case', ({ error, steps, outcome }) => {
    expect(reportOf(steps, error).outcome).toBe(outcome);
  });
});

test('the heading names the moment that was restored, beside what was asked for', () => {
  const planned = (step: string, restorePoint: string) => makeStepRecord(step, { facts: { restorePoint } });
  const points = [planned('AssessDatabase', '2026-11-22T20:10:00Z'), planned('Replan', '2026-11-22T20:11:00Z')];
  const html = renderReport(reportOf([...points, ...recovered.slice(1)]));
  expect(html).toContain('restored to 2026-11-22T20:11:00Z (asked for: the latest restorable time)');
  // Control: nothing was planned.
  expect(renderReport(reportOf(recovered))).toContain('restored to the latest restorable time');
});

describe('what to do next', () => {
  const others = [
    { restoreTo: '2026-11-22T20:00:00.000Z', at: '2026-11-22T20:00:00.000Z', what: 'sound look' },
    { restoreTo: { snapshot: 'nightly' }, at: '2026-11-22T02:00:00.000Z', what: 'snapshot' },
  ];
  const assessed = [makeStepRecord('Replan', { facts: { others } })];
  const nextOf = (error: string, timeline = assessed) => reportOf(timeline, error).failure?.next;

  test.each(['ValidationFailed', 'RestoreFailed'])('names other restore points after %s', (error) => {
    expect(nextOf(error)).toContain(
      `dr -- retry ${incident.id} --environment staging --restore-to 2026-11-22T20:00:00.000Z (sound look, 2026-11-22T20:00:00.000Z), or --restore-to snapshot:nightly`,
    );
  });
  test('names none where the restore point is not to blame, or none is known', () => {
    expect(nextOf('ParityViolated')).not.toContain('--restore-to');
    expect(nextOf('ValidationFailed', [])).not.toContain('--restore-to');
  });
});

describe('the Terraform debt', () => {
  test('is listed from what the steps left, with what to do about each part', () => {
    const report = reportOf(recovered);
    expect(report.terraformDebt).toEqual({ ...debt, notCarriedOver: 'a replica' });
    expect(Report.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    const page = renderReport(report);
    expect(page).toContain('<h2>Terraform debt</h2>');
    for (const part of ['import stocker-5e6f7a8b in its place', 'apply nothing', '/stocker/database', 'a replica'])
      expect(page).toContain(part);
  });
  test.each([
    { left: 'closed', says: 'Keep it, closed to the application, until the review is held' },
    { left: 'gone', says: 'Not proven closed. stocker-pro-staging is gone and was not proven closed: do not start it' },
    { left: 'unreached', says: 'the guard of its Region fences it when it returns' },
    { left: undefined, says: 'See what was proven of it. Keep it' },
  ])('says of what was production what was proven of it: $left', ({ left, says }) => {
    const timeline = recovered.map((each) =>
      each.step === 'CutOver' && left ? { ...each, facts: { sourceLeft: left } } : each,
    );
    const report = reportOf(timeline);
    expect(Report.parse(report).terraformDebt?.left).toBe(left);
    expect(renderReport(report)).toContain(says);
  });
  test('says why Terraform did not follow a failover of the Region', () => {
    const [last] = recovered.slice(-1);
    if (last === undefined) throw new Error('nothing was recovered');
    const refused = {
      ...last,
      step: 'FollowByTerraform',
      facts: { terraformRefused: 'PlanRefused: it would delete x' },
    };
    const report = reportOf([...recovered, refused]);
    expect(report.terraformDebt).toMatchObject({ ...debt, refused: 'PlanRefused: it would delete x' });
    expect(renderReport(report)).toContain('Terraform did not follow the failover: PlanRefused: it would delete x');
  });
  test('is none where nothing was cut over', () => {
    const report = reportOf(recovered.slice(0, 5), 'ValidationFailed');
    expect(report).not.toHaveProperty('terraformDebt');
    expect(renderReport(report)).not.toContain('Terraform debt');
  });
});

describe('the checklist', () => {
  const itemOf = (timeline: readonly StepRecord[], item: string) =>
    reportOf(timeline).checklist.find((each) => each.item === item);

  test('ticks what a recovery did, with the deep checks left to its follow-up', () => {
    expect(itemOf(recovered, 'Execute appropriate recovery procedures')?.state).toBe('done');
    expect(itemOf(recovered, 'Validate recovered systems')).toMatchObject({
      state: 'done',
      basis: expect.stringContaining('as a drill on a clone'),
    });
  });
  test('leaves the return to normal to people while Terraform would undo the cut-over', () => {
    expect(itemOf(recovered, 'Return to normal operations')).toMatchObject({
      state: 'open',
      basis: expect.stringContaining('Terraform debt: stocker-5e6f7a8b'),
    });
  });
  test.each(['AwaitWorkload', 'ValidateApplication', 'AwaitProtected'])(
    'is not back to normal without %s',
    (missing) => {
      const timeline = recovered.filter(({ step }) => step !== missing);
      expect(itemOf(timeline, 'Return to normal operations')).toMatchObject({
        state: 'not-done',
        basis: `did not succeed: ${missing}`,
      });
    },
  );
  test('names who approved, and leaves the team to the coordinator', () => {
    const approved = recovered.map((each) =>
      each.step === 'RequestApproval' ? { ...each, summary: 'approved by ann' } : each,
    );
    expect(itemOf(approved, 'Assemble DR team')).toMatchObject({
      state: 'open',
      basis: expect.stringContaining('ann'),
    });
  });
});

test('of a cluster tells what was decided and whether the application is healthy, and of no restored database', () => {
  const of = makeIncident({ ...incident, scenario: 'cluster' });
  const assessed = makeStepRecord('AssessCluster', { summary: 'cluster-level: EKS knows no cluster' });
  const validated = makeStepRecord('ValidateApplication', { summary: 'the application is healthy' });
  const page = renderReport(reportOf([assessed, validated], undefined, of));
  expect(page).toContain('cluster-level: EKS knows no cluster');
  expect(page).toMatch(/Application <span class="good">✓ validated/);
  expect(page).not.toMatch(/restored to|Parity with the source|>Validation/);
  const refused = makeStepRecord('ValidateApplication', { status: 'failed', summary: 'two pods do not answer' });
  expect(renderReport(reportOf([assessed, refused], 'ApplicationUnhealthy', of))).toMatch(/bad">✕ refused/);
  // Control: that of a database shows all of it.
  expect(renderReport(reportOf(recovered))).toMatch(/restored to[\s\S]*>Validation[\s\S]*Parity with the source/);
});
