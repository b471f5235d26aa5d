import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../../core/database/contracts.ts';
import { type KnownPoints, otherPoints } from '../../../core/database/other-points.ts';
import { makeSnapshot } from '../fakes.ts';

const source = { resourceId: 'db-PRODUCTION' };
const window = { earliest: '2026-11-01T00:00:00.000Z', latest: '2026-11-22T20:10:00.000Z' };
const restorePoint = '2026-11-22T20:05:00.000Z';
const lookAt = (at: string, change: Partial<Baseline> = {}): Baseline => ({
  ...{ version: 1, at, schemaVersion: '1', schemaHash: '', rows: {}, appendOnly: {} },
  ...change,
});
const snapshotAt = (identifier: string, createdAt: string, change = {}) =>
  makeSnapshot({
    identifier,
    createdAt,
    status: 'available',
    instanceResourceId: source.resourceId,
    tags: {},
    ...change,
  });
const offered = (known: Partial<KnownPoints>) =>
  otherPoints({ source, restorePoint, window, soundBefore: undefined, snapshots: [], ...known }).map(
    ({ restoreTo }) => restoreTo,
  );

describe('other restore points', () => {
  test('are the last sound look before, then the two newest snapshots', () => {
    const snapshots = [
      snapshotAt('monday', '2026-11-16T02:00:00.000Z'),
      snapshotAt('sunday', '2026-11-22T02:00:00.000Z'),
      snapshotAt('friday', '2026-11-20T02:00:00.000Z'),
    ];
    const soundBefore = lookAt('2026-11-22T20:00:00.000Z');
    expect(offered({ soundBefore, snapshots })).toEqual([
      soundBefore.at,
      { snapshot: 'sunday' },
      { snapshot: 'friday' },
    ]);
  });

  test.each([
    { case: 'looks that lie outside the window', known: { soundBefore: lookAt('2026-10-22T20:00:00.000Z') } },
    {
      case: 'looks at another instance',
      known: { soundBefore: lookAt('2026-11-22T20:00:00.000Z', { resourceId: 'x' }) },
    },
    { case: 'looks without a window', known: { soundBefore: lookAt('2026-11-22T20:00:00.000Z'), window: undefined } },
    { case: 'snapshots taken since', known: { snapshots: [snapshotAt('late', '2026-11-22T20:06:00.000Z')] } },
    {
      case: 'snapshots of another instance',
      known: { snapshots: [snapshotAt('other', '2026-11-20T02:00:00.000Z', { instanceResourceId: 'db-OTHER' })] },
    },
    {
      case: 'snapshots that are not there yet',
      known: { snapshots: [snapshotAt('new', '2026-11-20T02:00:00.000Z', { status: 'creating' })] },
    },
    {
      case: 'what a recovery kept of the damage',
      known: {
        snapshots: [
          snapshotAt('safety', '2026-11-20T02:00:00.000Z', { tags: { 'stocker-dr:incident': 'recovery-1' } }),
        ],
      },
    },
  ])('are not $case', ({ known }) => {
    expect(offered(known)).toEqual([]);
  });
});
