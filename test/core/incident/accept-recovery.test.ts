/** What is accepted as a recovery of production, and as a retry of one that failed. */
import { describe, expect, test } from 'vitest';
import { type AcceptRequestContext, acceptRequest } from '../../../core/incident/accept-request.ts';
import {
  activeDatabase,
  executionArn,
  FakeCatalogue,
  FakeClock,
  FakeControl,
  FakeDumps,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeInstance,
  makeLease,
  makeRecord,
  openedAt,
  settings,
} from '../fakes.ts';

const execution = { arn: `${executionArn}-retry`, startedAt: '2026-11-22T20:30:00.000Z' };
const recovery = { mode: 'recovery', confirm: 'staging', reason: 'orders are gone' };

function makeContext(approval = settings.approval) {
  return {
    settings: { ...settings, approval },
    here: settings.primary,
    clock: new FakeClock('2026-11-22T20:30:00.000Z'),
    control: new FakeControl(),
    executions: new FakeExecutions(),
    incidents: new FakeIncidents(),
    alarms: { ringing: async () => ['stocker-dr-staging-database-damage-found'] },
    databases: new FakeCatalogue(),
    dumps: new FakeDumps(),
  };
}
const accept = (request: unknown, context: AcceptRequestContext = makeContext()) =>
  acceptRequest({ request, execution }, context);

describe('a recovery', () => {
  test('is accepted when it confirms its environment, also while alarms ring', async () => {
    const { incident } = await accept(recovery);
    expect(incident).toMatchObject({ mode: 'recovery', target: 'stocker-pro-staging', restoreTo: 'latest' });
    expect(incident.id).toMatch(/^recovery-20261122T203000Z-[0-9a-f]{8}$/);
    expect(incident).not.toHaveProperty('retryOf');
  });

  test('is accepted where the database is gone, with its backups or without', async () => {
    const context = makeContext();
    context.databases.instances.length = 0;
    await expect(accept(recovery, context)).resolves.toBeDefined();
    await expect(accept({ ...recovery, restoreTo: '2026-11-22T20:00:00Z' }, context)).resolves.toBeDefined();
    await expect(accept({ ...recovery, restoreTo: { snapshot: 'nightly' } }, context)).resolves.toBeDefined();
    context.databases.window = undefined;
    await expect(accept(recovery, context)).resolves.toBeDefined();
  });

  test.each([
    {
      case: 'a time outside the window',
      change: { restoreTo: '2026-11-01T00:00:00Z' },
      says: 'outside the restore window',
    },
    { case: 'an unknown snapshot', change: { restoreTo: { snapshot: 'none' } }, says: 'names no snapshot' },
    { case: 'another database', change: { target: 'reporting' }, says: 'names no database' },
  ])('is refused with $case, also where the database is gone', async ({ change, says }) => {
    const context = makeContext();
    context.databases.instances.length = 0;
    await expect(accept({ ...recovery, ...change }, context)).rejects.toThrow(says);
  });

  test('is not refused for a drill that runs, which gives way; it is for a recovery that does', async () => {
    const context = makeContext();
    context.executions.statuses.set('arn:other', 'RUNNING');
    context.control.lease = makeLease({ executionArn: 'arn:other', mode: 'drill' });
    await expect(accept(recovery, context)).resolves.toBeDefined();
    context.control.lease = makeLease({ executionArn: 'arn:other', mode: 'recovery' });
    await expect(accept(recovery, context)).rejects.toMatchObject({ name: 'RecoveryInProgress' });
  });

  test('must say who starts it where that person may not approve it', async () => {
    const context = makeContext({ ...settings.approval, starterMayApprove: false });
    await expect(accept(recovery, context)).rejects.toThrow('trigger.name = (missing)');
    const named = { kind: 'person', name: 'arn:aws:iam::111122223333:user/ann' };
    await expect(accept({ ...recovery, trigger: named }, context)).resolves.toBeDefined();
    const alarm = { kind: 'alarm', name: 'damage-found', at: openedAt };
    await expect(accept({ ...recovery, trigger: alarm }, context)).resolves.toBeDefined();
    await expect(accept({ reason: 'a drill' }, context)).resolves.toBeDefined();
  });
});

describe('a retry', () => {
  const failed = makeIncident({
    id: 'recovery-20261122T201500Z-1a2b3c4d',
    mode: 'recovery',
    reason: 'damage found',
    trigger: { kind: 'alarm', name: 'damage-found', at: openedAt },
    restoreTo: '2026-11-22T20:00:00Z',
  });
  const retry = { ...recovery, incident: failed.id };
  const withRecord = (change: Parameters<typeof makeRecord>[0] = { status: 'failed' }, incident = failed) => {
    const context = makeContext();
    context.incidents.records.set(incident.id, makeRecord(change, incident));
    return context;
  };

  test('takes up the failed incident: its id, detection and restore point, under a new execution', async () => {
    const { incident } = await accept(retry, withRecord());
    expect(incident).toMatchObject({
      id: failed.id,
      detectedAt: failed.detectedAt,
      restoreTo: failed.restoreTo,
      target: failed.target,
      reason: 'orders are gone; before: damage found',
      trigger: { kind: 'person' },
      executionArn: execution.arn,
      retryOf: failed.executionArn,
    });
  });

  test('carries a waiver that says what, who and why; a start that is no retry has nothing to waive', async () => {
    const waiver = { checks: ['row-floors'], by: 'arn:aws:iam::1:user/ada', reason: 'the season was closed' };
    expect((await accept({ ...retry, waiver }, withRecord())).incident.waiver).toEqual(waiver);
    expect((await accept(retry, withRecord())).incident.waiver).toBeUndefined();
    await expect(accept({ ...recovery, waiver })).rejects.toThrow(/waiver = .* waives what nobody has seen fail/);
    const nameless = { ...retry, waiver: { ...waiver, by: ' ' } };
    await expect(accept(nameless, withRecord())).rejects.toThrow(/does not say what is waived, by whom and why/);
  });

  test('takes another restore point where one is given', async () => {
    expect((await accept({ ...retry, restoreTo: 'latest' }, withRecord())).incident.restoreTo).toBe('latest');
  });

  test.each(['FAILED', 'ABORTED', 'TIMED_OUT', undefined] as const)(
    'takes up an open incident whose execution ended %s',
    async (status) => {
      const context = withRecord({ status: 'open' });
      if (status) context.executions.statuses.set(failed.executionArn, status);
      await expect(accept(retry, context)).resolves.toBeDefined();
    },
  );

  test('refuses one whose execution still runs', async () => {
    const context = withRecord({ status: 'open' });
    context.executions.statuses.set(failed.executionArn, 'RUNNING');
    await expect(accept(retry, context)).rejects.toMatchObject({ name: 'RecoveryInProgress' });
  });

  test.each([
    { case: 'an unknown incident', context: makeContext(), says: 'has no record in us-east-1' },
    { case: 'one that succeeded', context: withRecord({ status: 'closed' }), says: 'There is nothing to retry' },
    {
      case: 'a drill',
      context: withRecord({ status: 'failed' }, { ...failed, mode: 'drill' }),
      says: 'is a drill, which leaves nothing behind',
    },
    {
      case: 'one of another environment',
      context: withRecord({ status: 'failed' }, { ...failed, environment: 'production' }),
      says: 'in production',
    },
    { case: 'a start as drill', context: withRecord(), change: { mode: 'drill' }, says: 'this start is a drill' },
    { case: 'no incident id', context: withRecord(), change: { incident: 'the last one' }, says: 'is no incident id' },
    {
      case: 'an unconfirmed start',
      context: withRecord(),
      change: { confirm: undefined },
      says: 'confirm = (missing)',
    },
  ])('refuses $case, naming the fix', async ({ context, change = {}, says }) => {
    const refused = accept({ ...retry, ...change }, context);
    await expect(refused).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(refused).rejects.toThrow(says);
  });

  const moved = { ...activeDatabase, identifier: 'stocker-pro-staging-5e6f7a8b', resourceId: 'db-NEW', epoch: 2 };
  test.each([
    { case: 'by this incident', owner: failed.id, accepted: true },
    { case: 'by another incident', owner: 'recovery-20261122T202500Z-ffffffff', accepted: false },
    { case: 'by nobody that is known', owner: undefined, accepted: false },
  ])('after production moved $case is accepted: $accepted', async ({ owner, accepted }) => {
    const context = withRecord();
    context.control.active = moved;
    const tags: Record<string, string> = owner ? { 'stocker-dr:incident': owner } : {};
    context.databases.instances.push(
      makeInstance({ identifier: moved.identifier, resourceId: moved.resourceId, tags }),
    );
    if (accepted) expect((await accept(retry, context)).incident.target).toBe(failed.target);
    else await expect(accept(retry, context)).rejects.toThrow('Start a new recovery of it');
  });
});
