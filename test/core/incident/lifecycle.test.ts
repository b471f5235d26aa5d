/** Lease, opening, refusal, closing and clean-up: what must hold on every path. */
import { expect, test } from 'vitest';
import { DeletionRefused } from '../../../core/database/errors.ts';
import { cleanUpStopped, sweepIncidents } from '../../../core/incident/clean-up-stopped.ts';
import { closeIncident } from '../../../core/incident/close-incident.ts';
import { openIncident } from '../../../core/incident/open-incident.ts';
import { reportRefusal } from '../../../core/incident/report-refusal.ts';
import { takeLease } from '../../../core/incident/take-lease.ts';
import type { GreenDrill } from '../../../core/readiness/contracts.ts';
import {
  executionArn,
  FakeAnnouncer,
  FakeApprovals,
  FakeClock,
  FakeCompensations,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeLease,
  type makeRecord,
  makeStepRecord,
  settings,
} from '../fakes.ts';

const incident = makeIncident();
const failure = {
  Error: 'RestoreFailed',
  Cause: JSON.stringify({
    errorType: 'RestoreFailed',
    errorMessage: 'copy is incompatible-restore.\nNext: Read its events.',
  }),
};

function makeContext() {
  const files = new Map<string, string>();
  const measured: { name: string; value: number }[] = [];
  const green: GreenDrill[] = [];
  return {
    settings,
    release: 'release-1',
    green,
    drills: {
      record: async (drill: GreenDrill) => {
        green.push(drill);
      },
    },
    clock: new FakeClock('2026-11-22T20:20:00.000Z'),
    control: new FakeControl(),
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    announcer: new FakeAnnouncer(),
    approvals: new FakeApprovals(),
    compensations: new FakeCompensations(),
    files,
    evidence: {
      location: (key: string) => `s3://evidence/${key}`,
      put: async (key: string, body: string) => {
        files.set(key, body);
      },
    },
    measured,
    metrics: {
      put: async (values: readonly { name: string; value: number }[]) => {
        measured.push(...values);
      },
    },
  };
}

test('takes a free lease, and again when the first answer was lost', async () => {
  const context = makeContext();
  await takeLease(incident, context);
  await takeLease(incident, context);
  expect(context.control.lease).toMatchObject({ incidentId: incident.id, executionArn });
});

test.each(['RUNNING', 'PENDING_REDRIVE'] as const)('leaves the lease to a holder that is %s', async (status) => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:other' });
  context.executions.statuses.set('arn:other', status);
  await expect(takeLease(incident, context)).rejects.toMatchObject({ name: 'RecoveryInProgress', retryable: false });
  expect(context.control.lease.executionArn).toBe('arn:other');
});

test('stops a drill that holds the lease of a recovery, and takes it when it has ended', async () => {
  const context = makeContext();
  const recovery = makeIncident({ id: 'recovery-20261122T201500Z-2b3c4d5e', mode: 'recovery' });
  context.control.lease = makeLease({ executionArn: 'arn:drill' });
  context.executions.statuses.set('arn:drill', 'RUNNING');
  await expect(takeLease(recovery, context)).rejects.toMatchObject({ name: 'LeaseContended', retryable: true });
  expect(context.executions.stopped).toMatchObject([{ arn: 'arn:drill', cause: expect.stringContaining(recovery.id) }]);
  await takeLease(recovery, context);
  expect(context.control.lease).toMatchObject({ incidentId: recovery.id });
});

test.each([
  { case: 'a recovery that runs', holder: 'recovery', asks: 'recovery' },
  { case: 'a recovery that runs, for a drill', holder: 'recovery', asks: 'drill' },
  { case: 'a drill that runs, for another drill', holder: 'drill', asks: 'drill' },
] as const)('never stops $case', async ({ holder, asks }) => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:other', mode: holder });
  context.executions.statuses.set('arn:other', 'RUNNING');
  await expect(takeLease(makeIncident({ mode: asks }), context)).rejects.toMatchObject({ name: 'RecoveryInProgress' });
  expect(context.executions.stopped).toEqual([]);
});

test.each(['FAILED', 'ABORTED', undefined] as const)('replaces a holder that ended %s', async (status) => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:dead' });
  if (status) context.executions.statuses.set('arn:dead', status);
  await takeLease(incident, context);
  expect(context.control.lease?.executionArn).toBe(executionArn);
});

test('asks again where somebody else replaced the dead holder first', async () => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:dead' });
  context.control.replaceLease = async () => false;
  await expect(takeLease(incident, context)).rejects.toMatchObject({ name: 'LeaseContended', retryable: true });
});

test('declares an incident once, also when the step is repeated', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await openIncident(incident, context);
  expect(context.announcer.announced.map(({ kind }) => kind)).toEqual(['declared']);
});

test('refuses to open an incident that another execution opened', async () => {
  const context = makeContext();
  await openIncident(makeIncident({ executionArn: 'arn:other' }), context);
  await expect(openIncident(incident, context)).rejects.toMatchObject({ name: 'DuplicateRequest' });
});

test('closes with evidence, trend, metrics, a message, and the lease released', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await takeLease(incident, context);
  context.incidents.timeline.push(
    makeStepRecord('CheckGate', { piece: 'heartbeat', facts: { rpoSeconds: 42 } }),
    makeStepRecord('CloseIncident', { status: 'running' }),
  );
  await context.incidents.update(incident.id, {
    achieved: { rtoSeconds: 240 },
    recoveredAt: '2026-11-22T20:19:00.000Z',
  });

  const { output } = await closeIncident({ incident, step: 'CloseIncident' }, context);

  expect(output).toMatchObject({ status: 'closed', achieved: { rtoSeconds: 240, rpoSeconds: 42 } });
  expect([...context.files.keys()]).toEqual([
    `database/${incident.id}/report.json`,
    `database/${incident.id}/report.html`,
  ]);
  expect(context.incidents.points).toMatchObject([{ succeeded: true, rtoSeconds: 240 }]);
  expect(context.measured).toContainEqual({ name: 'DrillSucceeded', value: 1, unit: 'Count' });
  expect(context.announcer.announced.at(-1)).toMatchObject({ kind: 'resolved' });
  expect(context.control.lease).toBeUndefined();
});

test.each<{ case: string; mode: 'drill' | 'recovery'; began: string; fails: boolean; kept: unknown[] }>([
  { case: 'of what is deployed', mode: 'drill', began: 'release-1', fails: false, kept: [{ release: 'release-1' }] },
  { case: 'of what was deployed anew meanwhile', mode: 'drill', began: 'release-0', fails: false, kept: [{}] },
  { case: 'that failed', mode: 'drill', began: 'release-1', fails: true, kept: [] },
  { case: 'that was none', mode: 'recovery', began: 'release-1', fails: false, kept: [] },
])('keeps what a good drill rehearsed: $case', async ({ mode, began, fails, kept }) => {
  const context = makeContext();
  const own = makeIncident({ mode });
  const { facts } = await openIncident(own, { ...context, release: began });
  expect(facts).toMatchObject({ release: began });
  context.incidents.timeline.push(makeStepRecord('OpenIncident', { facts: { release: began } }));
  await closeIncident({ incident: own, ...(fails ? { failure } : {}) }, context);
  const { id: incidentId, scenario } = own;
  const closedAt = context.clock.now().toISOString();
  expect(context.green).toEqual(
    kept.map((each) => ({ version: 1, scenario, incidentId, closedAt, ...(each as object) })),
  );
});

test('tells people once when closing is repeated after its answer was lost', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await closeIncident({ incident, failure }, context);
  const { output } = await closeIncident({ incident, failure }, context);
  expect(output.status).toBe('failed');
  expect(context.announcer.announced.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
});

test('releases the lease even where the evidence cannot be kept, and leaves the incident open', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await takeLease(incident, context);
  context.evidence.put = () => Promise.reject(new Error('AccessDenied'));
  await expect(closeIncident({ incident }, context)).rejects.toThrow('AccessDenied');
  expect(context.control.lease).toBeUndefined();
  expect(context.incidents.records.get(incident.id)?.status).toBe('open');
});

test('never closes an incident that another execution works on', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await closeIncident({ incident: makeIncident({ executionArn: 'arn:other' }), failure }, context);
  expect(context.incidents.records.get(incident.id)?.status).toBe('open');
  expect(context.announcer.announced.at(-1)).toMatchObject({ kind: 'refused' });
});

test('tells people why an incident was never opened', async () => {
  const context = makeContext();
  const { output } = await closeIncident({ incident, failure }, context);
  expect(output).toEqual({ status: 'failed', achieved: {} });
  expect(context.announcer.announced).toMatchObject([{ kind: 'refused', lines: ['copy is incompatible-restore.'] }]);
});

test('reports a refusal with what to do next, and releases what it held', async () => {
  const context = makeContext();
  context.control.lease = makeLease();
  await reportRefusal(
    { request: { nonsense: true }, execution: { arn: executionArn, startedAt: '' }, failure },
    context,
  );
  expect(context.announcer.announced).toMatchObject([{ kind: 'refused', next: 'Read its events.' }]);
  expect(context.incidents.decisions).toMatchObject([{ verdict: 'refused: RestoreFailed' }]);
  expect(context.control.lease).toBeUndefined();
});

test('a drill that the other Region runs is recorded, and nobody is told', async () => {
  const context = makeContext();
  const elsewhere = { Error: 'DrillElsewhere', Cause: 'the active database is in us-east-1' };
  await reportRefusal({ request: {}, execution: { arn: executionArn, startedAt: '' }, failure: elsewhere }, context);
  expect(context.announcer.announced).toEqual([]);
  expect(context.incidents.decisions).toMatchObject([{ verdict: 'skipped: DrillElsewhere' }]);
});

test('a refusal leaves the lease of the running recovery alone', async () => {
  const context = makeContext();
  context.control.lease = makeLease({ executionArn: 'arn:other' });
  await reportRefusal({ request: {}, execution: { arn: executionArn, startedAt: '' }, failure }, context);
  expect(context.control.lease?.executionArn).toBe('arn:other');
});

/** `copies`: incidents whose copy is there. */
function makeCleanUp(context: ReturnType<typeof makeContext>, copies = new Set([incident.id])) {
  const tearDown = async ({ incident: { id } }: ReturnType<typeof makeRecord>) => {
    const deleted = copies.delete(id);
    return { deleted, summary: deleted ? 'the copy is being deleted' : 'nothing to delete' };
  };
  const whole = {
    ...context,
    region: incident.region,
    executions: new FakeExecutions(),
    ownersOfCopies: async () => [...copies],
    compensating: { compensations: new FakeCompensations(), undos: {} },
    tearDown,
    closing: context,
  };
  const stopped = { executionArn, status: 'ABORTED', cause: 'stopped by hand' } as const;
  return {
    copies,
    context: whole,
    run: (change: Partial<typeof whole> = {}) => cleanUpStopped(stopped, { ...whole, ...change }),
    sweep: () => sweepIncidents(whole),
  };
}

test('cleans up after a stopped drill once: deletes the copy, fails the incident, tells, releases', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await takeLease(incident, context);
  const { copies, run } = makeCleanUp(context);
  expect(await run()).toEqual({ cleanedUp: incident.id });
  const told = context.announcer.announced.length;
  expect(await run()).toEqual({ cleanedUp: undefined });
  expect(copies).toEqual(new Set());
  expect(context.incidents.records.get(incident.id)?.status).toBe('failed');
  expect(context.announcer.announced.at(-1)).toMatchObject({ kind: 'failed' });
  expect(context.announcer.announced).toHaveLength(told);
  expect(context.control.lease).toBeUndefined();
});

test('tells people once where the event and the sweep meet', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  const { run, sweep } = makeCleanUp(context);
  await Promise.all([run(), sweep()]);
  expect(context.announcer.announced.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
});

test('finds the incident of a stopped execution whose lease is gone already', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  const { run } = makeCleanUp(context);
  expect(await run()).toEqual({ cleanedUp: incident.id });
});

test('closes the incident also where the copy could not be deleted, says so, and deletes it when tried again', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  await takeLease(incident, context);
  const { copies, run } = makeCleanUp(context);
  const tearDown = () => Promise.reject(new Error('denied'));
  await expect(run({ tearDown })).rejects.toThrow('denied');
  expect(context.incidents.records.get(incident.id)?.status).toBe('failed');
  expect(context.control.lease).toBeUndefined();
  expect(context.announcer.announced.at(-1)?.lines.join()).toContain('Cleaned up: NOT YET: denied');
  expect(await run()).toEqual({ cleanedUp: incident.id });
  expect(copies).toEqual(new Set());
  expect(context.announcer.announced.at(-1)?.headline).toContain('left behind');
});

test('does not ask again for a deletion that was refused for good', async () => {
  const context = makeContext();
  await openIncident(incident, context);
  const { run } = makeCleanUp(context);
  const tearDown = () => Promise.reject(DeletionRefused('the instance is not ours'));
  await expect(run({ tearDown })).resolves.toEqual({ cleanedUp: incident.id });
  expect(context.incidents.records.get(incident.id)?.status).toBe('failed');
});

test.each([
  { status: 'FAILED', swept: true },
  { status: undefined, swept: true },
  { status: 'RUNNING', swept: false },
  { status: 'PENDING_REDRIVE', swept: false },
] as const)('the sweep deletes the copy of an execution that is $status: $swept', async ({ status, swept }) => {
  const context = makeContext();
  await openIncident(incident, context);
  await context.incidents.update(incident.id, { status: 'failed' });
  const cleanUp = makeCleanUp(context, new Set([incident.id, 'drill-unknown-11112222']));
  if (status) cleanUp.context.executions.statuses.set(executionArn, status);
  expect(await cleanUp.sweep()).toEqual({ cleanedUp: swept ? [incident.id] : [] });
  expect(cleanUp.copies).toEqual(new Set([...(swept ? [] : [incident.id]), 'drill-unknown-11112222']));
});

test.each([
  { status: 'ABORTED', region: incident.region, released: true },
  { status: 'RUNNING', region: incident.region, released: false },
  { status: 'PENDING_REDRIVE', region: incident.region, released: false },
  { status: undefined, region: incident.region, released: false },
  { status: 'ABORTED', region: 'us-west-2', released: false },
] as const)(
  'the sweep releases a lease without an incident, of an execution in $region that is $status: $released',
  async ({ status, region, released }) => {
    const context = makeContext();
    context.control.lease = makeLease({ region });
    const cleanUp = makeCleanUp(context, new Set());
    if (status) cleanUp.context.executions.statuses.set(executionArn, status);
    expect(await cleanUp.sweep()).toEqual({ cleanedUp: [] });
    expect(context.control.lease === undefined).toBe(released);
  },
);
