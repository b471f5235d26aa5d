import { beforeEach, describe, expect, test } from 'vitest';
import { currentStep, forecast } from '../../../core/communications/progress.ts';
import { type ReportProgressContext, reportProgress } from '../../../core/communications/report-progress.ts';
import { type Approval, recordVersion, type TrendPoint } from '../../../core/incident/contracts.ts';
import type { Announcement } from '../../../core/incident/ports.ts';
import {
  FakeApprovals,
  FakeClock,
  FakeIncidents,
  makeIncident,
  makeRecord,
  makeStepRecord,
  openedAt,
} from '../fakes.ts';

const drill = (rtoSeconds: number | undefined, succeeded = true): TrendPoint => ({
  version: recordVersion,
  incidentId: 'drill-1',
  scenario: 'database',
  mode: 'drill',
  closedAt: openedAt,
  succeeded,
  ...(rtoSeconds === undefined ? {} : { rtoSeconds }),
});

describe('A forecast', () => {
  const minutes = (count: number) => count * 60;
  test.each([
    { case: 'no drill measured it', drills: [drill(undefined), drill(60, false)], worked: 0, says: /^no forecast/ },
    {
      case: 'one drill took the path',
      drills: [drill(minutes(30))],
      worked: minutes(10),
      says: /^healthy in about 20 min 00 s, 40 min 00 s after detection, within the RTO of 1 h 00 min; the last drill took 30 min 00 s$/,
    },
    {
      case: 'the middle of five counts, and a sixth is too old',
      drills: [20, 90, 30, 40, 25, 1].map((count) => drill(minutes(count))),
      worked: minutes(10),
      says: /^healthy in about 20 min 00 s.* the last 5 drills took 30 min 00 s in the middle, 1 h 30 min at most$/,
    },
    {
      case: 'a person thought for long',
      drills: [drill(minutes(45))],
      worked: 0,
      says: /1 h 05 min after detection, BEYOND the RTO/,
    },
    { case: 'it is due', drills: [30, 50].map((each) => drill(minutes(each))), worked: minutes(50), says: /^due now/ },
    {
      case: 'it is overdue',
      drills: [drill(minutes(5))],
      worked: minutes(6),
      says: /^later than every earlier drill/,
    },
  ])('where $case', ({ drills, worked, says }) => {
    expect(forecast(drills, { elapsedSeconds: minutes(20), workedSeconds: worked, rtoSeconds: 3600 })).toMatch(says);
  });
});

describe('The step at which a recovery is', () => {
  const at = (minute: number) => `2026-11-22T20:${minute}:00.000Z`;
  const asked = makeStepRecord('RequestApproval', { status: 'waiting', startedAt: at(16) });
  const waiting = makeStepRecord('AwaitAvailable', { status: 'waiting', startedAt: at(18) });
  const done = makeStepRecord('Replan', { startedAt: at(17), finishedAt: at(17) });
  test.each([
    { case: 'the question, while nothing has begun after it', steps: [asked], name: 'RequestApproval' },
    { case: 'none, between the answer and the next step', steps: [done, asked], name: undefined },
    {
      case: 'the one that waits, in whatever order they are read',
      steps: [waiting, done, asked],
      name: 'AwaitAvailable',
    },
  ])('is $case', ({ steps, name }) => {
    expect(currentStep(steps)?.step).toBe(name);
  });
});

describe('What people are told while a recovery runs', () => {
  let clock: FakeClock;
  let incidents: FakeIncidents;
  let approvals: FakeApprovals;
  let status: 'RUNNING' | 'FAILED';
  let told: Announcement[];
  let context: ReportProgressContext;
  const incident = makeIncident({ mode: 'recovery', id: 'recovery-20261122T201500Z-1a2b3c4d' });

  beforeEach(async () => {
    clock = new FakeClock();
    incidents = new FakeIncidents();
    approvals = new FakeApprovals();
    status = 'RUNNING';
    told = [];
    context = {
      clock,
      incidents,
      approvals,
      executions: { status: async () => status },
      announcer: { announce: async (_, message) => void told.push(message) },
    };
    await incidents.open(makeRecord({}, incident));
    const own = { incidentId: incident.id, execution: incident.executionArn };
    await incidents.recordStep(makeStepRecord('TakeLease', { ...own, finishedAt: openedAt }));
    await incidents.recordStep(makeStepRecord('AwaitAvailable', { ...own, status: 'waiting', summary: 'creating' }));
  });
  const passes = (seconds: number) => {
    clock.advance(seconds);
    return reportProgress(context);
  };
  const asked: Approval = {
    version: recordVersion,
    incidentId: incident.id,
    executionArn: incident.executionArn,
    region: 'us-east-1',
    askedAt: openedAt,
    expiresAt: '2026-11-22T20:30:00.000Z',
    plan: { source: 'stocker-pro', candidate: 'b', damage: ['stock is gone'], estimatedLossSeconds: 5 },
  };

  test('nothing before half an hour is over, then one update, and the next one half an hour later', async () => {
    await passes(29 * 60);
    expect(told).toEqual([]);
    await passes(2 * 60);
    await passes(5 * 60);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ kind: 'update', headline: 'The recovery goes on: AwaitAvailable' });
    await passes(24 * 60);
    expect(told).toHaveLength(2);
  });

  test('the step, since when, what was before, and when earlier drills were through', async () => {
    await incidents.recordTrend(drill(45 * 60));
    await passes(30 * 60);
    expect(told[0]?.lines).toEqual([
      'Now: AwaitAvailable, for 30 min 00 s: creating',
      'Before: TakeLease: TakeLease is done',
      expect.stringMatching(/^Forecast: healthy in about 15 min 00 s, 45 min 00 s after detection/),
    ]);
    expect(told[0]?.next).toContain(`npm run dr -- watch ${incident.id} --environment staging`);
  });

  test('once, though two schedules meet', async () => {
    clock.advance(31 * 60);
    await Promise.all([reportProgress(context), reportProgress(context)]);
    expect(told).toHaveLength(1);
  });

  test('every five minutes that a question waits, what it asks; after its answer no more', async () => {
    await approvals.ask(asked, 'token');
    await passes(4 * 60);
    expect(told).toEqual([]);
    await passes(2 * 60);
    await passes(60);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      kind: 'approval-wanted',
      headline: 'Reminder: approve the recovery of stocker-pro?',
    });
    expect(told[0]?.lines).toContain('Damaged: stock is gone');
    expect(told[0]?.lines.join()).toContain('in 9 min 00 s');
    expect(told[0]?.next).toContain('--restore-to');
    const decision = { approved: true, by: 'somebody', reason: 'yes', at: clock.now().toISOString() };
    await approvals.decide(asked, decision);
    await passes(5 * 60);
    expect(told).toHaveLength(1);
  });

  test('the forecast counts from the approval, for drills ask nobody', async () => {
    await approvals.ask(asked, 'token');
    await approvals.decide(asked, { approved: true, by: 'x', reason: 'y', at: '2026-11-22T20:25:00.000Z' });
    await incidents.recordTrend(drill(45 * 60));
    await passes(30 * 60);
    expect(told[0]?.lines.at(-1)).toMatch(/healthy in about 25 min 00 s, 55 min 00 s after detection/);
  });

  test('of the execution before a retry nothing counts: neither its steps nor its question', async () => {
    const retry = { ...incident, executionArn: `${incident.executionArn}-2`, retryOf: incident.executionArn };
    await approvals.ask(asked, 'token');
    await incidents.update(incident.id, { status: 'failed' });
    await incidents.reopen(makeRecord({ openedAt }, retry), incident.executionArn);
    clock.advance(6 * 60);
    await incidents.recordStep(
      makeStepRecord('TakeLease', { execution: retry.executionArn, startedAt: clock.now().toISOString() }),
    );
    await passes(25 * 60);
    expect(told).toEqual([]);
    await passes(5 * 60);
    expect(told).toHaveLength(1);
  });

  test.each([
    { case: 'is closed', change: { status: 'closed' as const }, ended: false },
    { case: 'nobody works on', change: {}, ended: true },
  ])('nothing of an incident that $case', async ({ change, ended }) => {
    await incidents.update(incident.id, change);
    if (ended) status = 'FAILED';
    await passes(31 * 60);
    expect(told).toEqual([]);
  });

  test('that the application is healthy, once it is', async () => {
    await incidents.update(incident.id, { recoveredAt: '2026-11-22T20:40:00.000Z' });
    await passes(31 * 60);
    expect(told[0]?.lines.at(-1)).toMatch(/^The application is healthy since 2026-11-22T20:40:00.000Z/);
  });

  test('of the other incidents all the same, where one cannot be read', async () => {
    const other = makeIncident({ id: 'drill-20261122T201500Z-5e6f7a8b' });
    await incidents.open(makeRecord({ openedAt: '2026-11-22T20:15:01.000Z' }, other));
    const { status: statusOf } = context.executions;
    let calls = 0;
    context = {
      ...context,
      executions: { status: async (arn) => (calls++ === 0 ? Promise.reject(new Error('no')) : statusOf(arn)) },
    };
    await expect(passes(31 * 60)).rejects.toThrow('no');
    expect(told).toHaveLength(1);
  });
});
