/** A recovery of named tables, from its request to its report: what differs from that of the whole database. */
import { describe, expect, test } from 'vitest';
import { planRecovery, type RecoveryFacts } from '../../../core/database/plan-recovery.ts';
import { compileReport } from '../../../core/evidence/compile-report.ts';
import { renderReport } from '../../../core/evidence/render-html.ts';
import { acceptRequest } from '../../../core/incident/accept-request.ts';
import type { StepRecord } from '../../../core/incident/contracts.ts';
import { parseRequest } from '../../../core/incident/parse-request.ts';
import { requestApproval } from '../../../core/incident/request-approval.ts';
import {
  activeDatabase,
  executionArn,
  FakeAnnouncer,
  FakeApprovals,
  FakeCatalogue,
  FakeClock,
  FakeControl,
  FakeDumps,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeRecord,
  makeStepRecord,
  openedAt,
  settings,
} from '../fakes.ts';

const id = 'recovery-20261122T201500Z-1a2b3c4d';
const scope = { tables: ['stocker.product', 'stocker."price list"'] };
const request = {
  mode: 'recovery',
  confirm: 'staging',
  reason: 'names are wrong',
  restoreTo: '2026-11-22T20:00:00Z',
  scope,
};
const incident = makeIncident({ id, mode: 'recovery', scope, restoreTo: '2026-11-22T20:00:00Z' });

describe('a request', () => {
  const parse = (change: Record<string, unknown>) =>
    parseRequest({ ...request, ...change }, { environment: 'staging', now: openedAt, mustNameStarter: false });

  test('names tables as SQL does', () => {
    expect(parse({})).toMatchObject({ scope });
  });
  test.each([
    {
      case: 'a drill',
      change: { mode: 'drill', confirm: undefined },
      says: 'scope = {"tables":["stocker.product","stocker.\\"price list\\""]} is not for a drill',
    },
    { case: 'a retry', change: { incident: id }, says: 'a retry keeps what its incident was about' },
    {
      case: 'no tables',
      change: { scope: {} },
      says: 'scope = {} names no tables. Use {"tables": ["stocker.product"]}',
    },
    { case: 'a list', change: { scope: ['stocker.product'] }, says: 'names no tables' },
    { case: 'an empty list', change: { scope: { tables: [] } }, says: 'names none, or more than 50' },
    { case: 'another field', change: { scope: { tables: ['a.b'], schemas: ['a'] } }, says: 'names no tables' },
    {
      case: 'no schema',
      change: { scope: { tables: ['product'] } },
      says: 'scope.tables[0] = "product" is no table. Write it as schema.table',
    },
    { case: 'a statement', change: { scope: { tables: ['a.b; drop table a.b'] } }, says: 'is no table' },
    { case: 'no text', change: { scope: { tables: [7] } }, says: 'scope.tables[0] = 7 is no table' },
    {
      case: 'a table twice',
      change: { scope: { tables: ['a.b', 'a.b'] } },
      says: 'scope.tables[1] = "a.b" is named twice',
    },
    {
      case: 'a catalogue of PostgreSQL',
      change: { scope: { tables: ['pg_catalog.pg_class'] } },
      says: 'is not the application’s',
    },
    {
      case: 'the product’s own',
      change: { scope: { tables: ['stocker_dr.heartbeat'] } },
      says: 'is not the application’s',
    },
  ])('is refused with $$case, naming field, value and fix', ({ change, says }) => {
    expect(() => parse(change)).toThrow(says);
  });

  const context = {
    settings,
    here: settings.primary,
    clock: new FakeClock(openedAt),
    control: new FakeControl(),
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    alarms: { ringing: async () => [] },
    dumps: new FakeDumps(),
  };
  const accept = (databases: FakeCatalogue) =>
    acceptRequest({ request, execution: { arn: executionArn, startedAt: openedAt } }, { ...context, databases });
  test('becomes an incident that carries the tables', async () => {
    await expect(accept(new FakeCatalogue())).resolves.toMatchObject({ incident: { scope, mode: 'recovery' } });
  });
  test('is refused where production is gone: there is nothing to repair in place', async () => {
    const databases = new FakeCatalogue();
    databases.instances.length = 0;
    await expect(accept(databases)).rejects.toThrow('has no instance stocker-pro-staging to repair');
  });
});

describe('the plan', () => {
  const facts: RecoveryFacts = {
    settings,
    incident,
    active: activeDatabase,
    state: 'alive',
    seen: { engine: 'postgres', engineVersion: '17.4', settings: {}, tags: {} },
    window: { earliest: '2026-11-01T00:00:00.000Z', latest: '2026-11-22T20:10:00.000Z' },
    snapshot: undefined,
    dump: undefined,
    damage: undefined,
    newestHeartbeat: undefined,
    wanted: '2026-11-22T20:00:00Z',
    approved: false,
    now: openedAt,
  };
  const planOf = (change: Partial<RecoveryFacts> = {}) => {
    const decided = planRecovery({ ...facts, ...change });
    return 'plan' in decided ? decided.plan : decided;
  };
  test('names the tables, asks a person, and restores to a copy under the drill’s prefix, which may be deleted', () => {
    expect(planOf()).toMatchObject({ scope, approval: 'ask', candidate: 'dr-drill-stocker-pro-staging-1a2b3c4d' });
  });
  test('leaves the restore point to a person where no look found the damage: the latest would hold it', () => {
    expect(planOf({ wanted: undefined })).not.toHaveProperty('restorePoint');
    // (control) the whole database, lost rather than damaged, is restored to the latest
    const whole = makeIncident({ id, mode: 'recovery' });
    expect(planOf({ wanted: undefined, incident: whole })).toMatchObject({ restorePoint: '2026-11-22T20:10:00.000Z' });
  });
});

test('the question says that only tables are repaired, what becomes of their rows, and that production goes on', async () => {
  const announcer = new FakeAnnouncer();
  const approvals = new FakeApprovals();
  const plan = {
    source: { identifier: 'stocker-pro-staging' },
    candidate: 'dr-drill-stocker-pro-staging-1a2b3c4d',
    restorePoint: '2026-11-22T20:00:00Z',
    estimatedLossSeconds: 900,
    scope,
  };
  await requestApproval(
    { incident, plan, taskToken: 'token' },
    { settings, clock: new FakeClock(), approvals, announcer },
  );
  const [message] = announcer.announced;
  const text = [message?.headline, ...(message?.lines ?? [])].join('\n');
  for (const part of [
    'Approve the repair of tables of stocker-pro-staging?',
    'Only these tables are repaired, in stocker-pro-staging as it is: stocker.product, stocker."price list"',
    'what was changed or deleted in them since is undone, rows added since are kept',
    'Everything else goes on',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain('is fenced');
  expect(approvals.asked.get(id)?.plan.tables).toEqual(scope.tables);
});

describe('the report', () => {
  const repair = {
    tables: [{ table: 'stocker.product', recreated: false, putBack: 12, changed: 3400, kept: 7 }],
    lockedSeconds: 2.5,
    dependants: [
      { dependant: 'stocker.stock to stocker.product by stock_product_id_fkey', finding: 'every row finds its parent' },
    ],
  };
  const done = [
    'AssessDatabase',
    'RestoreDatabase',
    'JudgeGate',
    'RepairTables',
    'ValidateApplication',
    'ValidatePerformance',
    'TearDown',
    'AwaitTornDown',
  ];
  const reportOf = (timeline: readonly StepRecord[], error?: string) =>
    compileReport({
      generatedAt: openedAt,
      record: makeRecord(
        { status: error ? 'failed' : 'closed', closedAt: openedAt, achieved: { rtoSeconds: 60, rpoSeconds: 60 } },
        incident,
      ),
      timeline,
      messages: [],
      earlier: [],
      point: {
        version: 1,
        incidentId: id,
        scenario: 'database',
        mode: 'recovery',
        closedAt: openedAt,
        succeeded: !error,
      },
      failure: error ? { Error: error, Cause: 'because' } : undefined,
    });

  test('shows what was put back, changed and kept, the dependants, and no debt of Terraform', () => {
    const timeline = done.map((step) => makeStepRecord(step, step === 'RepairTables' ? { facts: { repair } } : {}));
    const report = reportOf(timeline);
    expect(report).toMatchObject({ outcome: 'The repair of tables succeeded within its objectives', repair });
    expect(report).not.toHaveProperty('terraformDebt');
    const stateOf = (item: string) => report.checklist.find((each) => each.item === item)?.state;
    expect(stateOf('Execute appropriate recovery procedures')).toBe('done');
    expect(stateOf('Return to normal operations')).toBe('open');
    const page = renderReport(report);
    for (const part of [
      'Repaired tables',
      '3400',
      'locked for 2.5 s',
      'stock_product_id_fkey',
      'as of 2026-11-22T20:00:00Z',
    ])
      expect(page).toContain(part);
  });
  test('of a repair that did not happen says that nothing of production was changed', () => {
    const error = { name: 'RepairRefused', message: 'because', next: '' };
    const timeline = [
      ...done.slice(0, 3).map((step) => makeStepRecord(step)),
      makeStepRecord('RepairTables', { status: 'failed', error }),
      makeStepRecord('TearDown'),
    ];
    expect(reportOf(timeline, 'RepairRefused').outcome).toBe(
      'The repair of tables failed in RepairTables: RepairRefused; nothing of production was changed',
    );
    // (control) where the repair was done, something was
    const later = [...done.slice(0, 4).map((step) => makeStepRecord(step)), makeStepRecord('TearDown')];
    expect(reportOf(later, 'ApplicationFailed').outcome).not.toContain('nothing');
  });
});
