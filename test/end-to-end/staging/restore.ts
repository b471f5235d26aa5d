/** A recovery whose restore cannot be had or does not pass: production takes writes again, and another restore point is named. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateDBSnapshotCommand, DescribeDBSnapshotsCommand } from '@aws-sdk/client-rds';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { invoke } from '../../../cli/clients.ts';
import { Production, type ProductionBefore } from '../../support/recovery.ts';
import { type Ended, eventually } from '../../support/rehearsal.ts';
import { site } from '../site.ts';

describe('a restore that fails or does not pass', () => {
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
    await production?.stop();
  });

  const look = () => invoke(site.installation.clients.lambda, site.names.lambda('database/look-for-damage'), {});

  /** What people are told last: what is wrong, how production was left, and what to do. */
  const lastWord = ({ incident }: Ended) => production.toldOf(incident).at(-1) ?? '';

  async function expectCopyKept(ended: Ended, status: string, why: string) {
    const [copy = ''] = await production.copies();
    expect(copy).toMatch(/^stocker-pro-staging-[0-9a-f]{8}$/);
    expect((await site.report(ended.incident)).failure?.message).toContain(copy);
    expect(lastWord(ended)).toContain(`${copy} is ${status}. RDS says: ${why}`);
  }

  describe('a restore that RDS gives up', () => {
    afterEach(() => production.removeCopies());

    test('because its storage is full: the source takes writes again, the copy is kept and named', async () => {
      site.rds.fillNextRestore();
      const ended = await production.recover();
      expect(ended).toMatchObject({ status: 'FAILED', error: 'RestoreFailed' });
      await production.expectAsBefore(before, ended);
      await expectCopyKept(ended, 'storage-full', 'DB instance storage has been exhausted');
      // Control: the source had been fenced.
      expect((await site.step(ended.incident, 'Compensate'))?.summary).toContain(
        'takes the writes of stocker_app again',
      );
    });

    test.each([
      { case: 'is missing', harm: (file: string) => renameSync(file, `${file}.gone`) },
      {
        case: 'is damaged',
        harm: (file: string) => {
          const bytes = readFileSync(file);
          writeFileSync(`${file}.gone`, bytes);
          writeFileSync(file, Buffer.from(bytes).fill(0xff, 16_384, 65_536));
        },
      },
    ])('because a segment of its log case: it never ends earlier in silence', async ({ harm }) => {
      const archive = site.cluster(before.active?.identifier ?? '')?.archive ?? '';
      // Segments are of 1 MB: what is written now fills some, all before the restore point.
      const known = new Set(segmentsIn(archive));
      await site.sql("create table stocker_dr.filler as select repeat('x', 1000) from generate_series(1, 4000)");
      await site.sql('drop table stocker_dr.filler');
      await site.restorable(Date.now() + 500);
      const fresh = await eventually('full segments', () => {
        const found = segmentsIn(archive).filter((name) => !known.has(name));
        return found.length > 1 && found;
      });
      const file = join(archive, fresh[1] ?? '');
      harm(file);
      try {
        const ended = await production.recover();
        expect(ended).toMatchObject({ status: 'FAILED', error: 'RestoreFailed' });
        await production.expectAsBefore(before, ended);
        await expectCopyKept(ended, 'incompatible-restore', 'The DB instance creation failed.');
        // The looks of the sentinel before it are still there to be restored to.
        expect(lastWord(ended)).toMatch(
          new RegExp(`dr -- retry ${ended.incident} --environment staging --restore-to 20\\S+Z`),
        );
      } finally {
        renameSync(`${file}.gone`, file);
      }
    });
  });

  const segmentsIn = (archive: string) =>
    readdirSync(archive)
      .filter((name) => /^[0-9A-F]{24}$/.test(name))
      .sort();

  describe('a restored copy that does not pass', () => {
    const open = 'alter role stocker_app login';
    const DBSnapshotIdentifier = 'before-the-release';
    let tenant: string;

    beforeAll(async () => {
      tenant = (await site.sql<{ name: string }>('select name from stocker.tenant where id = 1'))[0]?.name ?? '';
      await site.installation.clients.rds.send(
        new CreateDBSnapshotCommand({
          DBSnapshotIdentifier,
          DBInstanceIdentifier: (await site.active()).identifier,
        }),
      );
      await eventually('a snapshot', async () => {
        const command = new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier });
        const { DBSnapshots = [] } = await site.installation.clients.rds.send(command);
        return DBSnapshots[0]?.Status === 'available';
      });
      await look();
    });
    afterAll(async () => {
      await site.sql(`update stocker.tenant set name = '${tenant}' where id = 1`);
      await production.removeCopies();
    });

    test('leaves traffic where it is, and people are given other restore points, of which one passes', async () => {
      // A function that undoes and dies before it says so is called again.
      const undone = ({ Key }: { Key?: { sk?: { S?: string } } }) => Key?.sk?.S?.startsWith('compensation#') ?? false;
      const crash = { kind: 'crash', when: 'after' } as const;
      site.inject({ service: 'dynamodb', operation: 'UpdateItem', where: undone, times: 1, effect: crash });
      const { databaseEndpointParameter } = site.installation.configuration.application;
      const moved = site.observe('ssm', ['PutParameter'], ({ Name }) => Name === databaseEndpointParameter);
      // The sentinel does not know that the tenant has another name: what it would look at now, it would offer.
      const allow = site.inject({
        service: 'lambda',
        operation: 'Invoke',
        where: ({ FunctionName }) => FunctionName?.includes('look-for-damage') === true,
        effect: { kind: 'deny' },
      });
      await site.sql("update stocker.tenant set name = 'renamed' where id = 1");
      await site.restorable(Date.now() + 500);
      const ended = await production.recover();
      allow();
      expect(ended).toMatchObject({ status: 'FAILED', error: 'ValidationFailed' });
      expect(ended.cause).toContain('the synthetic tenant exists');
      await production.expectAsBefore(before, ended);
      expect(moved).toEqual([]);
      expect(await site.step(ended.incident, 'CutOver')).toBeUndefined();
      expect((await site.step(ended.incident, 'Compensate'))?.attempts).toBe(2);
      const word = lastWord(ended);
      expect(word).toContain(`--restore-to snapshot:${DBSnapshotIdentifier} (snapshot, 20`);
      const [, restoreTo = ''] = /--restore-to (20\S+Z) \(the sentinel found everything sound/.exec(word) ?? [];
      const { failure } = await site.report(ended.incident);
      expect(word).toContain(failure?.next);
      // Offered is what works: the retry takes a copy of its own and a safety snapshot of its own, and passes the gate.
      // Somebody opens the fenced source by hand: the cut-over finds out, and does not make a second one that takes writes.
      const opened = site.atStep('CutOver', () => site.sql(open));
      const again = await production.approved({ incident: ended.incident, restoreTo });
      await opened;
      const refused = await production.end(again);
      expect(refused).toMatchObject({ status: 'FAILED', error: 'FenceFailed', incident: ended.incident });
      expect(refused.cause).toContain('stocker_app can still log in');
      await production.expectAsBefore(before, again);
      expect((await site.step(ended.incident, 'JudgeGate'))?.summary).toContain('gate passed');
      expect((await site.step(ended.incident, 'SnapshotSource'))?.summary).toMatch(/^taking snapshot dr-safety-/);
      expect(await production.copies()).toHaveLength(2);
    });

    test('is no target of a recovery: production is', async () => {
      const [target] = await production.copies();
      const input = { mode: 'recovery', confirm: 'staging', reason: 'the wrong one', target };
      const ended = await site.end(await site.begin(input));
      expect(ended).toMatchObject({ status: 'FAILED', error: 'InvalidRequest' });
      expect(ended.cause).toContain('is not the active database');
      await production.expectOnlyWritesTo(before.active?.identifier ?? '');
    });

    test('whose fence is opened by hand is found by the prober: the control of every test that sees one at most', async () => {
      production.expectOneAtMost();
      const [copy = ''] = await production.copies();
      const { Endpoint } = await site.available(copy);
      await site.sql(open, Endpoint?.Port);
      const now = Date.now();
      const both = () => production.acceptedSince(now).length === 2;
      await eventually('writes to both', both);
      await eventually('an overlap', () =>
        production.overlaps().some(({ instances }) => instances.join().includes(copy)),
      );
    });
  });
});
