/** A recovery asks a person first: what a decline, silence and a second answer do, and that nothing is touched before. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Production, type ProductionBefore } from '../../support/recovery.ts';
import { shortenApproval } from '../../support/redefine.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a recovery asks a person first', () => {
  let production: Production;
  let before: ProductionBefore;
  /** Calls that change production or make a copy of it, in this test. */
  let changes: string[];

  beforeAll(async () => {
    await site.settled();
    production = new Production(site);
    before = await production.before();
  });
  beforeEach(() => {
    changes = site.observe('rds', [
      'CreateDBSnapshot',
      'RestoreDBInstanceToPointInTime',
      'RestoreDBInstanceFromDBSnapshot',
      'ModifyDBInstance',
      'DeleteDBInstance',
    ]);
  });
  afterAll(async () => {
    await production?.stop();
  });

  test('declined: nothing is touched, production never stops taking writes, and people are told who and why', async () => {
    const begun = await production.begin();
    const refused = production.refusals();
    await production.asked(begun);
    expect(await production.answer(begun, 'decline', { reason: 'a false alarm' })).toMatchObject({ status: 200 });
    const ended = await production.end(begun);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'ApprovalDeclined' });
    expect(ended.cause).toContain('a false alarm');
    await production.expectAsBefore(before, begun);
    expect(production.refusals()).toBe(refused);
    expect(changes).toEqual([]);
    expect(await site.step(begun.incident, 'FenceSource')).toBeUndefined();
    const told = production.toldOf(begun.incident);
    expect(
      told.map((text) => /Approve the recovery|The recovery was declined; nothing was changed/.exec(text)?.[0]),
    ).toEqual([undefined, 'Approve the recovery', 'The recovery was declined; nothing was changed']);
  });

  test('never given: silence declines, and an answer that comes too late changes nothing', async () => {
    const restore = await shortenApproval(site.installation.clients.sfn, site.machine, 3);
    try {
      const begun = await production.begin();
      const ended = await production.end(begun);
      expect(ended).toMatchObject({ status: 'FAILED', error: 'ApprovalTimedOut' });
      await production.expectAsBefore(before, begun);
      expect(changes).toEqual([]);
      expect(production.toldOf(begun.incident).at(-1)).toContain('nobody answered in time; nothing was changed');
      expect((await site.step(begun.incident, 'RequestApproval'))?.summary).toContain('nobody answered by');
      expect(await production.answer(begun, 'approve')).toMatchObject({ status: 409 });
      expect(changes).toEqual([]);
      expect(await site.lease()).toBeUndefined();
    } finally {
      await restore();
    }
  });

  test.each<{ case: string; input: () => object | Promise<object>; says: string }>([
    {
      case: 'a restore point that does not exist',
      input: () => ({ restoreTo: { snapshot: 'nobody-took-it' } }),
      says: 'names no snapshot',
    },
    {
      case: 'a retry of what never was',
      input: () => ({ incident: 'recovery-20261122T201500Z-1a2b3c4d' }),
      says: 'has no record',
    },
    {
      case: 'a retry that is a drill',
      input: async () => ({
        mode: 'drill',
        incident: (await site.incidents()).find(({ incident }) => incident.mode === 'recovery')?.incident.id,
      }),
      says: 'this start is a drill',
    },
    {
      case: 'a retry of a drill',
      input: async () => ({ incident: await stoppedDrill() }),
      says: 'is a drill, which leaves nothing behind',
    },
  ])('nobody is asked about $case', async ({ input, says }) => {
    const request = { mode: 'recovery', confirm: 'staging', reason: 'bad input', ...(await input()) };
    const ended = await site.end(await site.begin(request));
    expect(ended).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
    expect(ended.cause).toContain(says);
    expect(changes).toEqual([]);
    expect(await site.lease()).toBeUndefined();
    expect(await production.before()).toEqual(before);
  });

  /** Stopped before it did anything. */
  async function stoppedDrill(): Promise<string> {
    const stopped = site.atStep('AssessDatabase', () => site.halt(arn));
    const arn = await site.begin({ reason: 'to be stopped' });
    await stopped;
    const { incident } = await site.end(arn);
    await eventually('a closed incident', async () => (await site.incident(incident))?.status === 'failed');
    await eventually('a free lease', async () => (await site.lease()) === undefined);
    return incident;
  }

  describe('given twice', () => {
    test('the first decision stands: an approval after a decline is refused and starts nothing', async () => {
      const begun = await production.begin();
      await production.asked(begun);
      await production.answer(begun, 'decline', { reason: 'the first' });
      const second = await production.answer(begun, 'approve', { reason: 'the second' });
      expect(second).toMatchObject({ status: 409, message: expect.stringContaining('was declined') });
      expect(second.message).toContain('The first decision stands');
      expect(await production.end(begun)).toMatchObject({ error: 'ApprovalDeclined' });
      await production.expectAsBefore(before, begun);
      expect(changes).toEqual([]);
    });

    test('of two at the same moment one is taken, and it is the one that happens', async () => {
      const begun = await production.begin();
      await production.asked(begun);
      // Where approval wins, the recovery is stopped before it changes anything.
      const stopped = site.atStep('FenceSource', () => site.halt(begun.arn));
      const answers = await Promise.all([
        production.answer(begun, 'approve', { reason: 'one' }),
        production.answer(begun, 'decline', { reason: 'other' }),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const approved = answers[0]?.status === 200;
      if (approved) await stopped;
      const ended = await production.end(begun);
      expect(ended).toMatchObject(approved ? { status: 'ABORTED' } : { error: 'ApprovalDeclined' });
      await production.expectAsBefore(before, begun);
      expect((await site.step(begun.incident, 'RequestApproval'))?.facts.decision).toMatchObject({
        approved,
        reason: approved ? 'one' : 'other',
      });
    });
  });
});
