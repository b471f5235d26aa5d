import { describe, expect, it } from 'vitest';
import type { Proof } from '../../../core/backup/contracts.ts';
import { keepSnapshots } from '../../../core/backup/keep-snapshots.ts';
import { momentOfSnapshot, snapshotIdentifier } from '../../../core/backup/names.ts';
import type { BackupSnapshot } from '../../../core/backup/ports.ts';
import { flawsOf, planRetention, refuseAsOurs } from '../../../core/backup/retention.ts';
import { awaitBackup, awaitCopy, copySnapshot, takeSnapshot } from '../../../core/backup/take-snapshot.ts';
import { FakeClock, makeInstance, settings } from '../fakes.ts';
import { both, FakeBackups, FakeSnapshots, here, keyIn, makeBackup, makeRun, source, there } from './fakes.ts';

const dayMs = 86_400_000;
const first = Date.parse('2026-11-01T02:00:00.000Z');
/** 02:00 of the nth day, from 1. */
const at = (day: number, time = '02:00:00') =>
  `${new Date(first + (day - 1) * dayMs).toISOString().slice(0, 10)}T${time}.000Z`;
const named = (day: number, time?: string) => snapshotIdentifier(source.identifier, at(day, time));
const dayOf = (identifier: string) =>
  Math.round((Date.parse(`${momentOfSnapshot(identifier)?.slice(0, 10)}T02:00:00.000Z`) - first) / dayMs) + 1;

const rules = { environment: 'staging', kept: 7, keyArns: [keyIn(here)], proofs: [] as Proof[] };
const backup = (day: number, change: Partial<BackupSnapshot> = {}, time?: string) =>
  makeBackup(makeRun(at(day, time)), change);
const proof = (identifier: string, verdict: Proof['verdict'], day: number): Proof => ({
  version: 1,
  backup: identifier,
  verdict,
  why: 'the drill',
  at: at(day, '05:00:00'),
});

describe('a snapshot is ours', () => {
  it('where name, tags and resource id agree', () => expect(refuseAsOurs(backup(1), 'staging')).toBeUndefined());
  it.each<{ case: string; change: Partial<BackupSnapshot>; why: string }>([
    { case: 'another name', change: { identifier: 'before-the-migration' }, why: 'its name' },
    { case: 'our prefix and no time', change: { identifier: 'dr-backup-by-hand' }, why: 'its name' },
    {
      case: 'another environment',
      change: { tags: { ...backup(1).tags, 'stocker-dr:environment': 'production' } },
      why: 'production',
    },
    { case: 'no tags', change: { tags: {} }, why: 'no environment' },
    {
      case: 'no run',
      change: { tags: { 'stocker-dr:environment': 'staging', 'stocker-dr:resource': source.resourceId } },
      why: 'no backup made it',
    },
    { case: 'another instance', change: { resourceId: 'db-OTHER' }, why: 'RDS db-OTHER' },
    { case: 'an instance that RDS does not tell', change: { resourceId: undefined }, why: 'RDS none' },
  ])('and not with $case', ({ change, why }) => {
    expect(refuseAsOurs(backup(1, change), 'staging')).toContain(why);
  });
});

describe('a snapshot is no backup', () => {
  it('(control) but one in which all is well is', () => expect(flawsOf(backup(1), rules)).toEqual([]));
  it.each<{ case: string; snapshot: BackupSnapshot | undefined; flaw: string }>([
    { case: 'it is not there', snapshot: undefined, flaw: 'not there' },
    { case: 'RDS is at work on it', snapshot: backup(1, { status: 'creating' }), flaw: 'creating' },
    { case: 'RDS failed', snapshot: backup(1, { status: 'failed' }), flaw: 'failed' },
    {
      case: 'it is not encrypted',
      snapshot: backup(1, { encrypted: false, keyArn: undefined }),
      flaw: 'not encrypted',
    },
    { case: 'it has another key', snapshot: backup(1, { keyArn: keyIn(there) }), flaw: 'another key' },
    { case: 'its tags are gone', snapshot: backup(1, { tags: {} }), flaw: 'no environment' },
  ])('where $case', ({ snapshot, flaw }) => expect(flawsOf(snapshot, rules).join()).toContain(flaw));
  it('where a drill could not restore it, until one can', () => {
    const failed = proof(named(1), 'failed', 2);
    expect(flawsOf(backup(1), { ...rules, proofs: [failed] })).toEqual(['a drill could not restore it']);
    expect(flawsOf(backup(1), { ...rules, proofs: [failed, proof(named(1), 'unknown', 3)] })).toHaveLength(1);
    expect(flawsOf(backup(1), { ...rules, proofs: [failed, proof(named(1), 'passed', 3)] })).toEqual([]);
  });
});

describe('retention', () => {
  const days = (...numbers: number[]) => numbers.map((day) => backup(day));
  const kept = (snapshots: readonly BackupSnapshot[], proofs: Proof[] = []) =>
    planRetention(snapshots, { ...rules, proofs }).kept.map(dayOf);
  const deleted = (snapshots: readonly BackupSnapshot[], proofs: Proof[] = []) =>
    planRetention(snapshots, { ...rules, proofs }).deleted.map(dayOf);

  it('keeps the newest seven days', () => {
    expect(kept(days(1, 2, 3, 4, 5, 6, 7, 8, 9))).toEqual([9, 8, 7, 6, 5, 4, 3]);
    expect(deleted(days(1, 2, 3, 4, 5, 6, 7, 8, 9))).toEqual([2, 1]);
  });
  it('counts days with a good backup, so that older ones stay where days are missing', () => {
    expect(deleted(days(1, 2, 3, 10, 20, 30, 31))).toEqual([]);
    expect(deleted(days(1, 2, 3, 10, 20, 30, 31, 32))).toEqual([1]);
  });
  it('keeps the newest of a day and deletes the others', () => {
    const twice = [backup(2), backup(2, {}, '09:30:00'), backup(1)];
    expect(planRetention(twice, rules)).toMatchObject({
      kept: [named(2, '09:30:00'), named(1)],
      deleted: [named(2)],
    });
  });
  it('never deletes the only good one, however many flawed ones are newer', () => {
    const flawed = [2, 3, 4, 5, 6, 7, 8, 9, 10].map((day) => backup(day, { encrypted: false, keyArn: undefined }));
    expect(kept([backup(1), ...flawed])).toEqual([1]);
    expect(deleted([backup(1), ...flawed])).toEqual([]);
  });
  it('deletes nothing at all where nothing is good', () => {
    const failed = [1, 2, 3].map((day) => backup(day, { status: 'failed' }));
    expect(planRetention(failed, rules)).toMatchObject({ kept: [], deleted: [] });
  });
  it('deletes what RDS failed to make once a newer one is good, and no sooner', () => {
    expect(deleted([backup(1), backup(2, { status: 'failed' })])).toEqual([]);
    expect(deleted([backup(1), backup(2, { status: 'failed' }), backup(3)])).toEqual([2]);
  });
  it('keeps what is flawed and there until seven good ones are newer', () => {
    const flawed = backup(1, { keyArn: keyIn(there) });
    expect(deleted([flawed, ...days(2, 3, 4, 5, 6, 7)])).toEqual([]);
    expect(deleted([flawed, ...days(2, 3, 4, 5, 6, 7, 8)])).toEqual([1]);
  });
  it.each(['creating', 'copying', 'modifying'])('leaves alone what is %s', (status) => {
    expect(deleted([backup(1, { status }), ...days(2, 3, 4, 5, 6, 7, 8, 9)])).toEqual([2]);
  });
  it('keeps the newest proven one beyond seven days, until a newer one is proven', () => {
    const all = days(1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect(kept(all, [proof(named(1), 'passed', 1)])).toEqual([9, 8, 7, 6, 5, 4, 3, 1]);
    expect(kept(all, [proof(named(1), 'passed', 1), proof(named(8), 'passed', 8)])).toEqual([9, 8, 7, 6, 5, 4, 3]);
  });
  it('does not count one that a drill could not restore', () => {
    expect(kept(days(1, 2, 3, 4, 5, 6, 7, 8), [proof(named(8), 'failed', 8)])).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });
  it('names strangers under its prefix and leaves them alone', () => {
    const stranger = backup(1, { resourceId: 'db-OTHER' });
    const plan = planRetention([stranger, ...days(2, 3, 4, 5, 6, 7, 8, 9)], rules);
    expect(plan.deleted.map(dayOf)).toEqual([2]);
    expect(plan.strangers).toEqual([{ identifier: named(1), why: expect.stringContaining('db-OTHER') }]);
  });
});

describe('what is deleted is read again first', () => {
  it('and is left where it is another one by then', async () => {
    const snapshots = both((region) => new FakeSnapshots(region));
    snapshots.here.add(...[1, 2, 3, 4, 5, 6, 7, 8].map((day) => backup(day)));
    const { find } = snapshots.here;
    snapshots.here.find = async (identifier) =>
      identifier === named(1) ? backup(1, { tags: {} }) : find.call(snapshots.here, identifier);
    const context = {
      settings,
      snapshots,
      databases: { find: async () => makeInstance() },
      backups: new FakeBackups(),
    };
    const { facts } = await keepSnapshots({ run: makeRun(at(8)), region: here }, context);
    expect(facts.deleted).toEqual([]);
    expect(snapshots.here.calls).toEqual([]);
  });
});

/** What goes wrong on which days of the forty; the others are as they should be. */
interface Month {
  readonly missed?: readonly number[];
  readonly failed?: readonly number[];
  readonly uncopied?: readonly number[];
  readonly byHand?: readonly number[];
  readonly disproved?: readonly number[];
}

async function fortyDays({ missed = [], failed = [], uncopied = [], byHand = [], disproved = [] }: Month) {
  const clock = new FakeClock(at(1));
  const snapshots = both((region) => new FakeSnapshots(region));
  const backups = new FakeBackups();
  const context = { settings, snapshots, databases: { find: async () => makeInstance() }, backups };
  const days: { day: number; here: number[]; there: number[]; strangers: number }[] = [];
  for (let day = 1; day <= 40; day += 1, clock.advance(86_400)) {
    if (byHand.includes(day))
      for (const region of [snapshots.here, snapshots.there])
        region.add(
          backup(day, { identifier: `by-hand-${day}`, tags: {} }),
          backup(day, { identifier: named(day, '12:00:00'), tags: {} }),
        );
    if (!missed.includes(day)) {
      const run = makeRun(clock.now().toISOString());
      snapshots.here.becomes = failed.includes(day) ? 'failed' : 'available';
      snapshots.there.failure = uncopied.includes(day) ? new Error('the Region is far away') : undefined;
      // As the machine does it: what fails is recorded, and retention comes all the same.
      const parts = [takeSnapshot, awaitBackup, copySnapshot, awaitCopy];
      for (const part of parts)
        if (
          !(await part({ run }, context).then(
            () => true,
            () => false,
          ))
        )
          break;
      if (disproved.includes(day)) await backups.recordProof(proof(run.snapshot, 'failed', day));
      for (const region of [here, there]) await keepSnapshots({ run, region }, context);
    }
    const remaining = ({ all }: FakeSnapshots) =>
      [...all.values()].filter((each) => refuseAsOurs(each, 'staging') === undefined);
    days.push({
      day,
      here: remaining(snapshots.here).map(({ identifier }) => dayOf(identifier)),
      there: remaining(snapshots.there).map(({ identifier }) => dayOf(identifier)),
      strangers: [...snapshots.here.all.values()].length - remaining(snapshots.here).length,
    });
  }
  return days;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const lastSeven = (days: readonly number[]) => days.slice(-7);

describe('forty days', () => {
  it('leave, after each day, its seven newest in each Region', async () => {
    for (const { day, ...left } of await fortyDays({})) {
      const expected = lastSeven(range(1, day));
      expect(left, `day ${day}`).toEqual({ here: expected, there: expected, strangers: 0 });
    }
  });
  it('leave the seven newest that are there, where days are missed', async () => {
    const missed = [5, 6, 7, 20, ...range(25, 36)];
    for (const { day, ...left } of await fortyDays({ missed })) {
      const expected = lastSeven(range(1, day).filter((each) => !missed.includes(each)));
      expect(left, `day ${day}`).toEqual({ here: expected, there: expected, strangers: 0 });
    }
  });
  it('leave a failed snapshot no longer than until the next good one, and no copy of it', async () => {
    const failed = [3, 11, 12, 13, ...range(22, 33)];
    for (const { day, ...left } of await fortyDays({ failed })) {
      const good = range(1, day).filter((each) => !failed.includes(each));
      const sinceGood = range(1, day).filter((each) => failed.includes(each) && each > (good.at(-1) ?? 0));
      expect(left, `day ${day}`).toEqual({
        here: [...lastSeven(good), ...sinceGood],
        there: lastSeven(good),
        strangers: 0,
      });
    }
  });
  it('leave older copies in the other Region, where copies fail', async () => {
    const uncopied = [2, 9, 10, ...range(18, 30)];
    for (const { day, ...left } of await fortyDays({ uncopied })) {
      const copied = range(1, day).filter((each) => !uncopied.includes(each));
      expect(left, `day ${day}`).toEqual({
        here: lastSeven(range(1, day)),
        there: lastSeven(copied),
        strangers: 0,
      });
    }
  });
  it('leave what somebody else made, also under a name like ours', async () => {
    const byHand = [1, 8, 15, 29];
    for (const { day, ...left } of await fortyDays({ byHand })) {
      const expected = lastSeven(range(1, day));
      const strangers = 2 * byHand.filter((each) => each <= day).length;
      expect(left, `day ${day}`).toEqual({ here: expected, there: expected, strangers });
    }
  });
  it('leave one more for each that turned out not to restore, until seven are newer', async () => {
    const disproved = [10, 24];
    for (const { day, here: left } of await fortyDays({ disproved })) {
      const good = lastSeven(range(1, day).filter((each) => !disproved.includes(each)));
      const flawed = disproved.filter((each) => each <= day && each >= (good[0] ?? 0));
      expect(left, `day ${day}`).toEqual([...good, ...flawed].toSorted((a, b) => a - b));
    }
  });
  it('(control) would not be right with another number', async () => {
    const [, ...days] = (await fortyDays({})).slice(-2);
    expect(days[0]?.here).not.toEqual(range(35, 40));
    expect(days[0]?.here).toHaveLength(7);
  });
});
