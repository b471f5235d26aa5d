/** Asking a person, and what becomes of the answer. */
import { describe, expect, test } from 'vitest';
import { ApprovalCall, decideApproval } from '../../../core/incident/decide-approval.ts';
import { type PlanToApprove, requestApproval } from '../../../core/incident/request-approval.ts';
import { FakeAnnouncer, FakeApprovals, FakeClock, makeIncident, openedAt, settings } from '../fakes.ts';

const ann = 'arn:aws:sts::111122223333:assumed-role/stocker-dr-approver/ann';
const bob = 'arn:aws:sts::111122223333:assumed-role/stocker-dr-approver/bob';
const incident = makeIncident({
  id: 'recovery-20261122T201500Z-1a2b3c4d',
  mode: 'recovery',
  trigger: { kind: 'person', name: ann },
});
const plan: PlanToApprove = {
  source: { identifier: 'stocker-pro-staging' },
  candidate: 'stocker-pro-staging-5e6f7a8b',
  restorePoint: '2026-11-22T20:09:00Z',
  window: { earliest: '2026-11-15T20:00:00Z', latest: '2026-11-22T20:10:00Z' },
  estimatedLossSeconds: 372,
  damage: { found: ['table stocker.order_line is gone'], after: '2026-11-22T20:09:00Z', by: '2026-11-22T20:14:00Z' },
};
const unbounded: PlanToApprove = { ...plan, restorePoint: undefined };
const taskToken = 'AQCEAAAAKgAAAAMAAAAA-secret';

function makeContext(starterMayApprove = true) {
  return {
    settings: { ...settings, approval: { timeoutSeconds: 3600, starterMayApprove } },
    clock: new FakeClock(openedAt),
    approvals: new FakeApprovals(),
    announcer: new FakeAnnouncer(),
  };
}
const call = (body: unknown, userArn: string | undefined = bob) =>
  ApprovalCall.parse({
    requestContext: { authorizer: { iam: { userArn } } },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const approve = { incident: incident.id, decision: 'approve', reason: 'verified with the team' };

async function asked(of: PlanToApprove = plan, context = makeContext()) {
  await requestApproval({ incident, plan: of, taskToken }, context);
  return context;
}

describe('the request', () => {
  test('says what is damaged, what is lost now, what waiting costs, how to answer and when silence declines', async () => {
    const { announcer } = await asked();
    const [message] = announcer.announced;
    const text = [message?.headline, ...(message?.lines ?? []), message?.next].join('\n');
    expect(message).toMatchObject({ kind: 'approval-wanted', incidentId: incident.id });
    for (const part of [
      'Approve the recovery of stocker-pro-staging?',
      'Damaged: table stocker.order_line is gone',
      'The damage began after 2026-11-22T20:09:00Z and by 2026-11-22T20:14:00Z',
      'Restore point: 2026-11-22T20:09:00Z',
      'Approve now, and about 6 min 12 s of writes are lost',
      'Waiting costs about 1 min of writes more for each minute',
      'Without an answer by 2026-11-22T21:15:00.000Z the recovery is declined',
      `npm run dr -- approve ${incident.id} --environment staging --reason`,
      `npm run dr -- decline ${incident.id} --environment staging --reason`,
      `POST {"incident": "${incident.id}", "decision": "approve" or "decline"`,
      'us-west-2',
    ])
      expect(text).toContain(part);
  });

  test('of a lost database names the loss, and no writes that waiting would cost', async () => {
    const { announcer } = await asked({ ...plan, damage: undefined });
    const text = announcer.announced[0]?.lines.join('\n');
    expect(text).toContain('is taken as lost');
    expect(text).toContain('Waiting loses no further writes');
  });

  test('asks the person to choose where nothing bounds the damage', async () => {
    const { announcer } = await asked(unbounded);
    const [message] = announcer.announced;
    expect(message?.lines.join('\n')).toContain('YOU CHOOSE');
    expect(message?.next).toContain('--restore-to');
  });

  test('waits, and tells its token to nobody', async () => {
    const context = makeContext();
    const result = await requestApproval({ incident, plan, taskToken }, context);
    expect(result).toMatchObject({ output: {}, waits: true });
    expect(JSON.stringify([result, context.announcer.announced])).not.toContain(taskToken);
    expect(context.approvals.asked.get(incident.id)).toMatchObject({ taskToken, startedBy: ann, region: 'us-east-1' });
  });

  test('repeated with its token asks nobody again; with another it does', async () => {
    const context = await asked();
    await requestApproval({ incident, plan, taskToken }, context);
    expect(context.announcer.announced).toHaveLength(1);
    await requestApproval({ incident, plan, taskToken: 'another' }, context);
    expect(context.announcer.announced).toHaveLength(2);
  });
});

describe('the decision', () => {
  test('is recorded with identity, reason and time, and lets the execution go on', async () => {
    const context = await asked();
    const answer = await decideApproval(call(approve), context);
    expect(answer).toMatchObject({ statusCode: 200, message: expect.stringContaining(`approved by ${bob}`) });
    expect(context.approvals.answered).toEqual([
      { taskToken, decision: { approved: true, by: bob, reason: 'verified with the team', at: openedAt } },
    ]);
  });

  test('carries the restore point that the person chose', async () => {
    const context = await asked(unbounded);
    await decideApproval(call({ ...approve, restoreTo: '2026-11-22T19:00:00Z' }), context);
    expect(context.approvals.answered).toMatchObject([{ decision: { restoreTo: '2026-11-22T19:00:00Z' } }]);
  });

  test('given twice is decided once: the first stands', async () => {
    const context = await asked();
    await decideApproval(call({ ...approve, decision: 'decline', reason: 'not yet' }, ann), context);
    const second = await decideApproval(call(approve), context);
    expect(second.statusCode).toBe(409);
    expect(second.message).toContain(`was declined at ${openedAt} by ${ann} ("not yet"). The first decision stands.`);
    expect(context.approvals.answered).toMatchObject([{ decision: { approved: false } }]);
  });

  test.each([
    { case: 'nothing was asked', of: undefined, body: approve, statusCode: 404, says: 'waits for no approval' },
    { case: 'the body is no JSON', body: 'yes', statusCode: 400, says: 'POST {' },
    { case: 'the incident is no id', body: { ...approve, incident: 'it' }, statusCode: 400, says: 'recovery-2026' },
    { case: 'the reason is missing', body: { ...approve, reason: '' }, statusCode: 400, says: 'reason' },
    { case: 'the decision is unknown', body: { ...approve, decision: 'ok' }, statusCode: 400, says: 'decision' },
    {
      case: 'a decline chooses a restore point',
      body: { ...approve, decision: 'decline', restoreTo: 'latest' },
      statusCode: 400,
      says: 'belongs to an approval',
    },
    {
      case: 'a person must choose and did not',
      of: unbounded,
      body: approve,
      statusCode: 400,
      says: 'restoreTo is missing',
    },
    {
      case: 'the restore point lies before the window',
      body: { ...approve, restoreTo: '2026-11-01T00:00:00Z' },
      statusCode: 400,
      says: 'Restorable: from 2026-11-15T20:00:00Z',
    },
    {
      case: 'the restore point lies in the future',
      body: { ...approve, restoreTo: '2026-11-22T20:15:01Z' },
      statusCode: 400,
      says: 'cannot be restored',
    },
    {
      case: 'the calendar has no such day',
      body: { ...approve, restoreTo: '2026-02-31T12:00:00Z' },
      statusCode: 400,
      says: 'cannot be restored',
    },
  ])(
    'is answered $statusCode when $case, and nothing goes on',
    async ({ of = plan, body, statusCode, says, case: which }) => {
      const context = which === 'nothing was asked' ? makeContext() : await asked(of);
      const answer = await decideApproval(call(body), context);
      expect(answer.statusCode).toBe(statusCode);
      expect(answer.message).toContain(says);
      expect(context.approvals.answered).toEqual([]);
    },
  );

  test('comes too late when the time is up', async () => {
    const context = await asked();
    context.clock.advance(3600);
    const answer = await decideApproval(call(approve), context);
    expect(answer).toMatchObject({ statusCode: 409, message: expect.stringContaining('Nobody answered') });
    expect(context.approvals.answered).toEqual([]);
  });

  test('decides nothing where the execution waits no more', async () => {
    const context = await asked();
    context.approvals.dead.add(taskToken);
    const answer = await decideApproval(call(approve), context);
    expect(answer).toMatchObject({ statusCode: 409, message: expect.stringContaining('nothing was decided') });
  });

  test.each([
    { case: 'who started it, where that is forbidden', by: ann, starterMayApprove: false, statusCode: 403 },
    { case: 'somebody else', by: bob, starterMayApprove: false, statusCode: 200 },
    { case: 'who started it, where that is allowed', by: ann, starterMayApprove: true, statusCode: 200 },
  ])('by $case is answered $statusCode', async ({ by, starterMayApprove, statusCode }) => {
    const context = await asked(plan, makeContext(starterMayApprove));
    expect(await decideApproval(call(approve, by), context)).toMatchObject({ statusCode });
  });

  test('of who started it may always be a decline', async () => {
    const context = await asked(plan, makeContext(false));
    expect(await decideApproval(call({ ...approve, decision: 'decline' }, ann), context)).toMatchObject({
      statusCode: 200,
    });
  });

  test('is refused to nobody in particular', async () => {
    const anonymous = ApprovalCall.parse({ requestContext: {}, body: JSON.stringify(approve) });
    expect(await decideApproval(anonymous, await asked())).toMatchObject({ statusCode: 403 });
  });
});
