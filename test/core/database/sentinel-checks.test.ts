import { expect, test } from 'vitest';
import type { Session } from '../../../core/database/ports.ts';
import { ask, type Looking } from '../../../core/database/sentinel-checks.ts';
import { settings } from '../fakes.ts';

test('every statement of a look is bounded by what is left of it, which the session is told where it is another second', async () => {
  const bounds: string[] = [];
  let refuses = false;
  const session: Session = {
    async query(sql) {
      if (!sql.startsWith('set statement_timeout')) return [];
      if (refuses) throw new Error('the connection is gone');
      bounds.push(sql);
      return [];
    },
    close: async () => {},
  };
  let leftMs = 0;
  const looking: Looking = {
    ...{ session, settings, begunAt: '2026-11-22T20:15:00.000Z', last: undefined, leftMs: () => leftMs },
    ...{ limitSeconds: 0, findings: [], passed: {}, unknown: [], lost: false },
  };
  const askWith = (left: number, budgetMs?: number) => {
    leftMs = left;
    return ask(looking, 'index', 'an index', async () => 'answered', budgetMs);
  };

  expect(await askWith(44_900)).toBe('answered');
  expect(await askWith(44_200)).toBe('answered');
  expect(bounds).toEqual(["set statement_timeout = '45s'"]);
  await askWith(43_900);
  // One that may take less than the look has left, and the next, which may take all of it again.
  await askWith(43_800, 4_500);
  await askWith(43_700);
  expect(bounds.slice(1)).toEqual([44, 5, 44].map((seconds) => `set statement_timeout = '${seconds}s'`));

  // What was not told is told again.
  refuses = true;
  expect(await askWith(30_000)).toBeUndefined();
  refuses = false;
  await askWith(30_000);
  expect(bounds.at(-1)).toBe("set statement_timeout = '30s'");
  expect(await askWith(0)).toBeUndefined();
  expect(looking.unknown).toEqual([
    expect.stringContaining('connection is gone'),
    expect.stringContaining('out of time'),
  ]);
});
