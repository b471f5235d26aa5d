/** What only a recovery of production has: taken up again, undone, followed up. */
import { describe, expect, test } from 'vitest';
import { DatabaseNotReady } from '../../../core/database/errors.ts';
import { cleanUpStopped, sweepIncidents } from '../../../core/incident/clean-up-stopped.ts';
import { closeIncident } from '../../../core/incident/close-incident.ts';
import { compensate } from '../../../core/incident/compensate.ts';
import { decideApproval } from '../../../core/incident/decide-approval.ts';
import { openIncident } from '../../../core/incident/open-incident.ts';
import { requestApproval } from '../../../core/incident/request-approval.ts';
import { startFollowUp } from '../../../core/incident/start-follow-up.ts';
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
  makeStepRecord,
  settings,
} from '../fakes.ts';

const incident = makeIncident({ id: 'recovery-20261122T201500Z-1a2b3c4d', mode: 'recovery' });

function makeContext() {
  const undone: string[] = [];
  const compensations = new FakeCompensations();
  const shared = {
    settings,
    clock: new FakeClock('2026-11-22T20:20:00.000Z'),
    control: new FakeControl(),
    region: incident.region,
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    announcer: new FakeAnnouncer(),
    approvals: new FakeApprovals(),
    compensations,
    evidence: { location: (key: string) => `s3://evidence/${key}`, put: async () => {} },
    metrics: { put: async () => {} },
    release: 'release-1',
    drills: { record: async () => {} },
  };
  const undo = (name: string) => async () => {
    undone.push(name);
    return { outcome: `${name} is done` };
  };
  const undos = { 'unfence-source': undo('unfence-source'), 'restore-endpoint': undo('restore-endpoint') };
  return {
    ...shared,
    undone,
    undos,
    closing: shared,
    compensating: { compensations, undos },
    tearDown: () => Promise.reject(new Error('a recovery tears nothing down')),
    ownersOfCopies: async () => [],
  };
}

async function registered(context = makeContext()) {
  await context.compensations.register(incident.id, 'unfence-source', { epoch: 1 });
  await context.compensations.register(incident.id, 'restore-endpoint', { epoch: 1 });
  return context;
}

describe('opening again', () => {
  const retry = { ...incident, executionArn: `${executionArn}-2`, retryOf: executionArn };
  async function failed() {
    const context = makeContext();
    await openIncident(incident, context);
    await closeIncident({ incident, failure: { Error: 'RestoreFailed', Cause: 'storage-full' } }, context);
    return context;
  }

  test('keeps when it was opened, forgets the failed outcome and tells people', async () => {
    const context = await failed();
    context.clock.advance(600);
    await openIncident(retry, context);
    const record = context.incidents.records.get(incident.id);
    expect(record).toMatchObject({ status: 'open', incident: retry, openedAt: '2026-11-22T20:20:00.000Z' });
    for (const gone of ['closedAt', 'outcome', 'reports', 'recoveredAt']) expect(record).not.toHaveProperty(gone);
    expect(context.announcer.announced.at(-1)?.headline).toContain('is tried again');
  });

  test('leaves the report of the failed execution where it is', async () => {
    const context = await failed();
    const before = context.incidents.records.get(incident.id)?.reports?.json;
    await openIncident(retry, context);
    await closeIncident({ incident: retry }, context);
    const after = context.incidents.records.get(incident.id)?.reports?.json;
    expect(before).toBe(`s3://evidence/database/${incident.id}/report.json`);
    expect(after).toBe(`s3://evidence/database/${incident.id}/drill-1-2/report.json`);
  });

  test('repeated by the same execution tells nobody again', async () => {
    const context = await failed();
    await openIncident(retry, context);
    const told = context.announcer.announced.length;
    await openIncident(retry, context);
    expect(context.announcer.announced).toHaveLength(told);
  });

  test('is refused where another retry was faster', async () => {
    const context = await failed();
    await openIncident(retry, context);
    const late = { ...retry, executionArn: `${executionArn}-3` };
    await expect(openIncident(late, context)).rejects.toMatchObject({ name: 'DuplicateRequest' });
  });
});

describe('undoing', () => {
  test('goes from the last act to the first, once', async () => {
    const context = await registered();
    const { summary } = await compensate({ incident }, context);
    expect(summary).toBe('restore-endpoint is done; unfence-source is done');
    await expect(compensate({ incident }, context)).resolves.toMatchObject({ summary: 'nothing had to be undone' });
    expect(context.undone).toEqual(['restore-endpoint', 'unfence-source']);
  });

  test('goes on where one cannot be undone, and asks again for that one alone', async () => {
    const context = await registered();
    const notReady = () => Promise.reject(DatabaseNotReady('the endpoint is busy'));
    const undos = { ...context.undos, 'restore-endpoint': notReady };
    await expect(compensate({ incident }, { ...context, undos })).rejects.toMatchObject({ retryable: true });
    await compensate({ incident }, context);
    expect(context.undone).toEqual(['unfence-source', 'restore-endpoint']);
  });

  test('names what a person must undo where another try would not help', async () => {
    const context = await registered();
    const { 'unfence-source': _, ...undos } = context.undos;
    const failure = compensate({ incident }, { ...context, undos });
    await expect(failure).rejects.toMatchObject({ name: 'CompensationFailed', retryable: false });
    await expect(failure).rejects.toThrow('unfence-source: this version knows no undo of that name');
    expect(context.undone).toEqual(['restore-endpoint']);
  });

  test('registered twice before a repeated act is undone once', async () => {
    const context = await registered(await registered());
    await compensate({ incident }, context);
    expect(context.undone).toHaveLength(2);
  });

  test('registered again after it was undone, by a retry, is undone again', async () => {
    const context = await registered();
    await compensate({ incident }, context);
    await compensate({ incident }, await registered(context));
    expect(context.undone).toHaveLength(4);
  });
});

describe('a stopped recovery', () => {
  const stopped = { executionArn, status: 'ABORTED', cause: 'dr cancel' } as const;

  test('is undone, closed as failed and told, once', async () => {
    const context = await registered();
    await openIncident(incident, context);
    expect(await cleanUpStopped(stopped, context)).toEqual({ cleanedUp: incident.id });
    expect(await cleanUpStopped(stopped, context)).toEqual({ cleanedUp: undefined });
    expect(context.incidents.records.get(incident.id)?.status).toBe('failed');
    const told = context.announcer.announced.filter(({ kind }) => kind === 'failed');
    expect(told).toHaveLength(1);
    expect(told[0]?.lines.join()).toContain('Cleaned up: restore-endpoint is done; unfence-source is done');
  });

  test('whose source cannot be reached is closed, says so, and is undone when it answers again', async () => {
    const context = await registered();
    await openIncident(incident, context);
    const unreachable = () => Promise.reject(DatabaseNotReady('no answer'));
    const compensating = { ...context.compensating, undos: { ...context.undos, 'unfence-source': unreachable } };
    await expect(cleanUpStopped(stopped, { ...context, compensating })).rejects.toThrow('no answer');
    expect(context.announcer.announced.at(-1)?.lines.join()).toContain(
      'Cleaned up: NOT YET: no answer Done: restore-endpoint is done',
    );
    expect(await sweepIncidents(context)).toEqual({ cleanedUp: [incident.id] });
    expect(context.undone).toContain('unfence-source');
    expect(context.announcer.announced.at(-1)?.headline).toContain('is undone');
    expect(context.announcer.announced.at(-1)?.lines).toEqual(['unfence-source is done']);
    expect(await sweepIncidents(context)).toEqual({ cleanedUp: [] });
  });

  test('is undone once more behind a function that outlived it, without a word, until none can be alive', async () => {
    const context = await registered();
    await openIncident(incident, context);
    await cleanUpStopped(stopped, context);
    const told = context.announcer.announced.length;
    const undoneBy = async (seconds: number) => {
      context.clock.advance(seconds);
      const before = context.undone.length;
      expect(await sweepIncidents(context)).toEqual({ cleanedUp: [] });
      return context.undone.slice(before);
    };
    const both = ['restore-endpoint', 'unfence-source'];
    expect(await undoneBy(600)).toEqual(both);
    expect(await undoneBy(600)).toEqual(both); // the last time: AWS Lambda runs none for more than 15 minutes
    expect(await undoneBy(600)).toEqual([]);
    expect(context.announcer.announced).toHaveLength(told);
  });

  test('leaves the fence to the recovery that is at work now', async () => {
    const context = await registered();
    await openIncident(incident, context);
    context.control.lease = makeLease({ incidentId: 'recovery-next', executionArn: 'arn:next', mode: 'recovery' });
    await cleanUpStopped(stopped, context);
    expect(context.undone).toEqual([]);
    expect(context.incidents.records.get(incident.id)?.status).toBe('failed');
    expect(context.control.lease).toMatchObject({ executionArn: 'arn:next' });
  });

  test('that had succeeded is not undone', async () => {
    const context = await registered();
    await openIncident(incident, context);
    await closeIncident({ incident }, context);
    await cleanUpStopped({ ...stopped, status: 'FAILED' }, context);
    expect(context.undone).toEqual([]);
  });

  test('is left alone by the sweep while it runs', async () => {
    const context = await registered();
    await openIncident(incident, context);
    context.executions.statuses.set(executionArn, 'RUNNING');
    expect(await sweepIncidents(context)).toEqual({ cleanedUp: [] });
    expect(context.undone).toEqual([]);
  });

  test('that is a retry and had not opened its incident leaves no lease behind', async () => {
    const context = makeContext();
    await openIncident(incident, context);
    await closeIncident({ incident, failure: { Error: 'Boom', Cause: 'x' } }, context);
    context.control.lease = makeLease({ incidentId: incident.id, executionArn: 'arn:retry', mode: 'recovery' });
    await cleanUpStopped({ ...stopped, executionArn: 'arn:retry' }, context);
    expect(context.control.lease).toBeUndefined();
  });

  test('of before a retry concerns nobody any more', async () => {
    const context = await registered();
    await openIncident(incident, context);
    await openIncident({ ...incident, executionArn: 'arn:retry', retryOf: executionArn }, context);
    expect(await cleanUpStopped(stopped, context)).toEqual({ cleanedUp: undefined });
    expect(context.undone).toEqual([]);
  });
});

describe('closing', () => {
  const ann = 'arn:aws:iam::111122223333:user/ann';
  const plan = {
    source: { identifier: 'a' },
    candidate: 'b',
    restorePoint: '2026-11-22T20:10:00Z',
    estimatedLossSeconds: 1,
  };
  const expiresAt = '2026-11-22T21:20:00.000Z';

  async function asked(answer: 'approve' | 'decline' | undefined) {
    const context = makeContext();
    await openIncident(incident, context);
    const { summary, facts } = await requestApproval({ incident, plan, taskToken: 't' }, context);
    context.incidents.timeline.push(
      makeStepRecord('RequestApproval', { status: 'waiting', summary, facts: { ...facts } }),
    );
    const body = JSON.stringify({ incident: incident.id, decision: answer, reason: 'agreed' });
    context.clock.advance(60);
    if (answer) await decideApproval({ caller: ann, body }, context);
    return context;
  }
  const stepOf = (context: Awaited<ReturnType<typeof asked>>) => context.incidents.timeline[0];

  test.each(['approve', 'decline'] as const)('puts who decided (%s), when and why on the timeline', async (answer) => {
    const context = await asked(answer);
    await closeIncident({ incident }, context);
    expect(stepOf(context)).toMatchObject({
      status: 'succeeded',
      finishedAt: '2026-11-22T20:21:00.000Z',
      summary: `${answer}d by ${ann}: "agreed"`,
      facts: { decision: { by: ann, reason: 'agreed' }, expiresAt },
    });
  });

  test.each([
    {
      case: 'nobody answered in time',
      error: 'ApprovalTimedOut',
      seconds: 3600,
      finishedAt: expiresAt,
      says: 'nobody answered by',
    },
    {
      case: 'nobody answered in time, which began before the question was put',
      error: 'ApprovalTimedOut',
      seconds: 3539,
      finishedAt: '2026-11-22T21:19:59.000Z',
      says: 'nobody answered by',
    },
    {
      case: 'it was stopped before',
      error: 'Execution.ABORTED',
      seconds: 60,
      finishedAt: '2026-11-22T20:22:00.000Z',
      says: 'ended before anybody',
    },
  ])('says that $case', async ({ error, seconds, finishedAt, says }) => {
    const context = await asked(undefined);
    context.clock.advance(seconds);
    await closeIncident({ incident, failure: { Error: error, Cause: 'silence' } }, context);
    expect(stepOf(context)).toMatchObject({ status: 'failed', finishedAt, summary: expect.stringContaining(says) });
  });

  test('makes nothing up where the decision cannot be read', async () => {
    const context = await asked('approve');
    context.approvals.read = () => Promise.reject(new Error('the DR Region does not answer'));
    await expect(closeIncident({ incident }, context)).resolves.toMatchObject({ output: { status: 'closed' } });
    expect(stepOf(context)).toMatchObject({ status: 'waiting' });
  });

  test.each([
    { case: 'undoing failed', facts: {}, says: 'PRODUCTION MAY STILL REFUSE', byHand: true },
    {
      case: 'the fence is among what failed',
      facts: { failed: ['close-candidate', 'unfence-source'] },
      says: 'PRODUCTION MAY STILL REFUSE',
      byHand: true,
    },
    {
      case: 'only the copy could not be closed yet',
      facts: { failed: ['close-candidate'] },
      says: 'PRODUCTION TAKES WRITES',
      byHand: false,
    },
  ])('says first how production was left where $case', async ({ facts, says, byHand }) => {
    const context = makeContext();
    await openIncident(incident, context);
    const error = { name: 'CompensationFailed', message: 'unfence-source: denied', next: 'by hand' };
    context.incidents.timeline.push(
      makeStepRecord('FenceSource'),
      makeStepRecord('Compensate', { status: 'failed', error, facts }),
    );
    await closeIncident({ incident, step: 'CloseIncident', failure: { Error: 'RestoreFailed', Cause: 'x' } }, context);
    const { headline, lines } = context.announcer.announced.at(-1) ?? {};
    expect(headline).toContain(says);
    expect(lines?.[0]).toContain('unfence-source: denied');
    expect(lines?.[0]?.includes('ALTER ROLE')).toBe(byHand);
  });

  test('of a retry rests on what this execution did, not on the one before', async () => {
    const context = makeContext();
    await openIncident(incident, context);
    context.incidents.timeline.push(
      makeStepRecord('Compensate', { status: 'failed', execution: 'arn:before' }),
      makeStepRecord('AssessDatabase', { status: 'failed', execution: executionArn }),
    );
    await closeIncident({ incident, step: 'CloseIncident', failure: { Error: 'Boom', Cause: 'x' } }, context);
    expect(context.announcer.announced.at(-1)?.headline).toBe('The recovery failed: Boom; nothing was changed');
  });
});

test('the follow-up is a drill, named after its incident', async () => {
  const context = makeContext();
  const { output } = await startFollowUp({ incident }, context);
  expect(context.executions.started).toMatchObject([
    {
      machine: 'stocker-dr-staging-database-recovery',
      name: `follow-up-${incident.id}`,
      input: { mode: 'drill', reason: expect.stringContaining(incident.id) },
    },
  ]);
  expect(output.executionArn).toContain(incident.id);
});
