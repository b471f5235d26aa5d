/** Strict fencing on both sides: the guard of the primary Region on a real database, and the failover in the DR Region that waits for it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { restoreTenure } from '../../../core/database/undo.ts';
import { startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { activeDatabase } from '../fakes.ts';
import { failover } from './fakes.ts';
import { fenceSeconds, canLogIn as mayLogIn, strictSite, tenureSeconds } from './strict-site.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.query("alter role stocker_app login valid until 'infinity'"));

const world = () => strictSite(database);
const canLogIn = () => mayLogIn(database);

describe('the guard of the primary Region', () => {
  test('renews the tenure every minute, as of before it asked, and leaves production open', async () => {
    const { guard, clock, tenures, site } = world();
    const before = clock.now().toISOString();
    await guard();
    expect(tenures.record).toEqual({ version: 1, region: 'us-east-1', epoch: 1, renewedAt: before });
    expect(site.memory?.renewedAt).toBe(before);
    expect(await canLogIn()).toBe(true);
  });

  test('fences production when the DR Region has not been reached for as long as a tenure lasts, and says so once', async () => {
    const { guard, clock, site, announcer } = world();
    await guard();
    site.isCut = true;
    clock.advance(tenureSeconds - 1);
    await expect(guard()).rejects.toThrow('no route');
    expect(await canLogIn()).toBe(true);
    clock.advance(1);
    await expect(guard()).rejects.toThrow('no route');
    expect(await canLogIn()).toBe(false);
    await expect(guard()).rejects.toThrow('no route');
    expect(announcer.announced.map(({ headline }) => headline)).toEqual([
      expect.stringContaining('Production stopped'),
    ]);
    expect(site.memory?.fenced).toHaveLength(1);
  });

  test('opens it again when the DR Region is reached, and raises the epoch first: what was planned meanwhile comes too late', async () => {
    const { guard, clock, site, announcer, control } = world();
    await guard();
    site.isCut = true;
    clock.advance(tenureSeconds);
    await guard().catch(() => undefined);
    site.isCut = false;
    await guard();
    expect(await canLogIn()).toBe(true);
    expect(control.active?.epoch).toBe(2);
    expect(announcer.announced.at(-1)?.headline).toContain('takes writes again');
    await guard();
    expect(control.active?.epoch).toBe(2);
    expect(announcer.announced).toHaveLength(2);
  });

  test('opens nothing that somebody else fenced, and nothing that is not production any more', async () => {
    const { guard, clock, site, control } = world();
    await guard();
    site.isCut = true;
    clock.advance(tenureSeconds);
    await database.query('alter role stocker_app nologin'); // a recovery's
    await guard().catch(() => undefined);
    site.isCut = false;
    await guard();
    expect(await canLogIn()).toBe(false);

    await database.query('alter role stocker_app login');
    site.isCut = true;
    clock.advance(tenureSeconds);
    await guard().catch(() => undefined);
    site.isCut = false;
    control.active = { ...activeDatabase, region: 'us-west-2', resourceId: 'db-PROMOTED', epoch: 2 };
    await guard();
    expect(await canLogIn()).toBe(false);
  });

  test('fences what it remembers where RDS does not answer either; and nothing of which no renewal was ever seen', async () => {
    const { guard, clock, site } = world();
    site.isCut = true;
    clock.advance(10 * tenureSeconds);
    await guard().catch(() => undefined);
    expect(await canLogIn()).toBe(true);
    site.isCut = false;
    await guard();
    site.isCut = true;
    site.listed = false;
    clock.advance(tenureSeconds);
    await guard().catch(() => undefined);
    expect(await canLogIn()).toBe(false);
  });

  test('that dies behind its very first renewal, before it could note it, fences production nevertheless', async () => {
    const { guard, clock, site, tenures } = world();
    site.losesNotes = 1;
    await expect(guard()).rejects.toThrow('not noted');
    expect(tenures.record?.renewedAt).toBeDefined();
    site.isCut = true;
    clock.advance(tenureSeconds);
    await guard().catch(() => undefined);
    expect(await canLogIn()).toBe(false);
  });

  test('that dies behind every note it makes fences production at the look after', async () => {
    const { guard, clock, site } = world();
    await guard();
    site.isCut = true;
    site.diesBehindNotes = true;
    clock.advance(tenureSeconds);
    await expect(guard()).rejects.toThrow('died');
    expect(await canLogIn()).toBe(true);
    await expect(guard()).rejects.toThrow('no route');
    expect(await canLogIn()).toBe(false);
    site.isCut = false;
    site.diesBehindNotes = false;
    await guard();
    expect(await canLogIn()).toBe(true);
  });

  test('fences production also where it reaches the DR Region, and a failover there has ended the tenure', async () => {
    const { guard, clock, end, site } = world();
    await guard();
    await end().catch(() => undefined);
    clock.advance(tenureSeconds - 1);
    await guard();
    expect(await canLogIn()).toBe(true);
    clock.advance(1);
    await guard();
    expect(await canLogIn()).toBe(false);
    // Not opened either, until the failover is undone.
    await guard();
    expect(await canLogIn()).toBe(false);
    expect(site.memory?.fenced).toHaveLength(1);
  });
});

describe('a failover that cannot reach the primary', () => {
  test('waits until tenure and fence are over, says how long, and only then goes on', async () => {
    const { guard, clock, end } = world();
    await guard();
    const renewedAt = clock.now().toISOString();
    clock.advance(30);
    await expect(end()).rejects.toMatchObject({
      name: 'TenureNotOver',
      message: expect.stringContaining('3 min 30 s remain'),
    });
    clock.advance(tenureSeconds + fenceSeconds - 31);
    await expect(end()).rejects.toMatchObject({ name: 'TenureNotOver' });
    clock.advance(1);
    const { facts } = await end();
    expect(facts).toMatchObject({ renewedAt, tenureSeconds, fenceSeconds });
  });

  test('never promotes while a guard, at whatever moment it looks, still leaves production open', async () => {
    // The guard looks every minute, at any phase of it; the way is cut at any moment between two looks.
    for (const phase of [0, 20, 59]) {
      await database.query("alter role stocker_app login valid until 'infinity'");
      const { guard, clock, end, site } = world();
      await guard();
      clock.advance(phase);
      site.isCut = true;
      for (let second = phase; ; second += 1) {
        clock.advance(1);
        if (second % 60 === 0) await guard().catch(() => undefined);
        const isOver = await end().then(
          () => true,
          () => false,
        );
        if (!isOver) continue;
        expect(await canLogIn()).toBe(false);
        break;
      }
    }
  });

  test('where it failed: the tenure goes on, at a new epoch, and the guard opens what it fenced', async () => {
    const { guard, clock, end, undo, compensations, incident, control } = world();
    await guard();
    await end().catch(() => undefined);
    clock.advance(tenureSeconds);
    await guard();
    expect(await canLogIn()).toBe(false);
    const [registered] = await compensations.open(incident.id);
    expect(registered?.name).toBe(restoreTenure);
    expect(await undo(registered?.facts ?? {})).toContain('goes on as production');
    expect(control.active?.epoch).toBe(2);
    await guard();
    expect(await canLogIn()).toBe(true);
    // A step of that failover that is still on its way comes too late.
    await expect(end()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(await undo(registered?.facts ?? {})).toContain('stays ended');
  });

  test('does not wait where that was waived by name, and ends the tenure nevertheless', async () => {
    const { guard, end, plan, tenures } = world();
    await guard();
    const { summary } = await end({ failover: { ...failover(), ...plan.failover, tenure: {} } });
    expect(summary).toContain('waived by name');
    expect(tenures.record?.endedBy).toBeDefined();
  });

  test('refuses where no renewal was ever seen, where it is stopped, and where the epoch has moved', async () => {
    const { guard, end, control } = world();
    await expect(end()).rejects.toMatchObject({ name: 'FailoverDenied' });
    await guard();
    await expect(end({}, 'ABORTED')).rejects.toMatchObject({ name: 'LeaseLost' });
    control.active = { ...activeDatabase, epoch: 2 };
    await expect(end()).rejects.toMatchObject({ name: 'LeaseLost' });
  });
});
