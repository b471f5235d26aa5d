/** A recovery that is stopped by hand, and functions that die between their act and their answer. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Call } from '../../../local/kernel.ts';
import { type Begun, Production, type ProductionBefore } from '../../support/recovery.ts';
import { eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a recovery that is interrupted', () => {
  let production: Production;
  let before: ProductionBefore;

  beforeAll(async () => {
    await site.settled();
    production = new Production(site);
  });
  beforeEach(async () => {
    before = await production.before();
  });
  afterAll(async () => {
    await production?.removeCopies();
    await production?.stop();
  });

  interface Put {
    readonly Item?: { readonly pk?: { readonly S?: string }; readonly sk?: { readonly S?: string } };
  }
  const isCompensation = ({ Item }: Put) => Item?.sk?.S?.startsWith('compensation#') ?? false;
  const isActiveDatabase = ({ Item }: Put) => Item?.pk?.S === 'active-database';
  const isEndpoint = ({ Value = '' }) => Value.includes('port');

  const isOf = ({ principal }: Call, path: string) =>
    principal.kind === 'role' && principal.sessionName === site.names.lambda(path);

  describe('stopped by hand', () => {
    test('during the fence, which goes on after the clean-up: it is lifted again', async () => {
      const begun = await production.begin();
      await production.asked(begun);
      const done = new Promise<void>((resolve) => {
        site.inject({
          service: 'dynamodb',
          operation: 'PutItem',
          where: isCompensation,
          times: 1,
          effect: {
            kind: 'hold',
            until: async () => {
              await site.halt(begun.arn);
              await eventually('a closed incident', async () => (await site.lease()) === undefined);
              resolve();
            },
          },
        });
      });
      await production.answer(begun, 'approve');
      await done;
      // The function, which its execution has left behind, fences now and finds out.
      const step = await eventually('the end of the function', async () => {
        const found = await site.step(begun.incident, 'FenceSource');
        return found?.status === 'failed' && found;
      });
      expect(step.summary).toMatch(/ABORTED, while \S+ was being fenced: \S+ takes the writes of stocker_app again/);
      expect(production.refusals()).toBeGreaterThan(0); // control: the fence was there
      await production.expectAsBefore(before, begun);
    });

    const closed = "select 1 from pg_roles where rolname = 'stocker_app' and not rolcanlogin";
    /** The copy of the recovery, once the application cannot log in to it. */
    const closedCopy = async () => {
      const [copy = ''] = await eventually('a copy', async () => {
        const copies = await production.copies();
        return copies.length > 0 && copies;
      });
      const { Endpoint } = await site.available(copy);
      await eventually('a closed copy', async () => (await site.sql(closed, Endpoint?.Port)).length > 0);
    };

    test('during the restore: the source is opened, and the copy is closed', async () => {
      const held = site.atStep('AwaitAvailable', () => site.halt(begun.arn));
      const begun = await production.approved();
      await held;
      expect(await production.end(begun)).toMatchObject({ status: 'ABORTED' });
      await production.expectAsBefore(before, begun);
      await closedCopy();
      await production.removeCopies();
    });

    test('while RDS is asked for the copy, which comes after the clean-up: it is closed all the same', async () => {
      // As of a moment before the fence: the copy admits the application until somebody closes it.
      const restoreTo = new Date().toISOString();
      await site.restorable(Date.parse(restoreTo) + 500);
      let begun: Begun | undefined;
      const late = new Promise<void>((resolve) => {
        site.inject({
          service: 'rds',
          operation: 'RestoreDBInstanceToPointInTime',
          times: 1,
          effect: {
            kind: 'hold',
            until: async () => {
              await site.halt(begun?.arn ?? '');
              await eventually('a closed incident', async () => (await site.lease()) === undefined);
              expect(await production.copies()).toEqual([]); // control: the clean-up found none
              resolve();
            },
          },
        });
      });
      begun = await production.begin({ restoreTo });
      await production.asked(begun);
      await production.answer(begun, 'approve');
      await late;
      await closedCopy();
      await production.expectAsBefore(before, begun);
      expect((await site.step(begun.incident, 'RestoreDatabase'))?.summary).toContain('the clean-up closes it');
      await production.removeCopies();
    });
  });

  describe('functions that die between act and answer, in a recovery that is stopped after its epoch was raised', () => {
    let finished: string;

    test('their acts are adopted; the new database stays production, and a retry finishes', async () => {
      const crash = { kind: 'crash', when: 'after' } as const;
      const once = { times: 1, effect: crash } as const;
      site.inject({ service: 'dynamodb', operation: 'PutItem', where: isCompensation, ...once });
      // The fence looks at its execution before and after: it dies behind the act.
      let looks = 0;
      site.inject({
        ...{ service: 'sfn', operation: 'DescribeExecution', ...once },
        where: (_, call) => isOf(call, 'database/fence-source') && ++looks === 3,
      });
      site.inject({ service: 'rds', operation: 'CreateDBSnapshot', ...once });
      site.inject({ service: 'rds', operation: 'RestoreDBInstanceToPointInTime', ...once });
      site.inject({ service: 'dynamodb', operation: 'PutItem', where: isActiveDatabase, ...once });
      site.inject({ service: 'ssm', operation: 'PutParameter', where: isEndpoint, ...once });
      const raises = site.observe('dynamodb', ['PutItem'], isActiveDatabase);
      const held = site.atStep('AwaitWorkload', () => site.halt(begun.arn));
      const begun = await production.approved();
      await held;
      expect(await production.end(begun)).toMatchObject({ status: 'ABORTED' });
      await eventually('a closed incident', async () => (await site.lease()) === undefined);
      const attempts = async (step: string) => (await site.step(begun.incident, step))?.attempts;
      expect(await attempts('FenceSource')).toBe(3);
      expect(await attempts('SnapshotSource')).toBe(2);
      expect(await attempts('RestoreDatabase')).toBeGreaterThanOrEqual(2); // it also waits for the log up to the fence
      expect(await attempts('CutOver')).toBe(3);
      expect((await site.step(begun.incident, 'RestoreDatabase'))?.summary).toContain('already being restored');
      expect(raises).toEqual(['PutItem']);

      const active = await production.active();
      expect(active).toMatchObject({
        epoch: (before.active?.epoch ?? 0) + 1,
        identifier: expect.stringMatching(/^stocker-pro-staging-[0-9a-f]{8}$/),
      });
      const closed = "select rolcanlogin from pg_roles where rolname = 'stocker_app'";
      expect(await site.sql(closed, before.active?.port)).toEqual([{ rolcanlogin: false }]); // the old one
      await production.expectOnlyWritesTo(active?.identifier ?? '');
      expect(production.toldOf(begun.incident).at(-1)).toMatch(/The recovery was stopped/);

      const again = await production.begin({ incident: begun.incident, reason: 'finish' });
      finished = begun.incident;
      expect(await production.end(again)).toMatchObject({ status: 'SUCCEEDED', cause: '', incident: begun.incident });
      await production.stopFollowUp(begun);
      expect(await site.incident(begun.incident)).toMatchObject({ status: 'closed' });
      expect(await production.active()).toEqual(active);
      expect(raises).toEqual(['PutItem']);
      const report = await site.report(begun.incident);
      expect(report.terraformDebt).toMatchObject({ import: active?.identifier, old: 'stocker-pro-staging' });
      production.expectOneAtMost();
    });

    test('what has succeeded cannot be taken up again', async () => {
      const input = { mode: 'recovery', confirm: 'staging', reason: 'once more', incident: finished };
      const ended = await site.end(await site.begin(input));
      expect(ended).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
      expect(ended.cause).toContain('There is nothing to retry');
      expect(await site.incident(finished)).toMatchObject({ status: 'closed' });
      expect(await production.before()).toEqual(before);
    });
  });
});
