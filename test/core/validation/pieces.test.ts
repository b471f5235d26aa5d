import { describe, expect, test } from 'vitest';
import type { Piece, PieceResult } from '../../../core/validation/contracts.ts';
import { judge, judgeValidation, maximumRounds } from '../../../core/validation/judge-validation.ts';
import { type Catalog, halve, planPieces } from '../../../core/validation/plan-pieces.ts';
import { judgeFreshness } from '../../../core/validation/state-checks.ts';
import { percentilesOf, refusePerformance } from '../../../core/validation/validate-performance.ts';
import { makePlan } from '../database/fakes.ts';
import { makeIncident, settings } from '../fakes.ts';

const limits = { ...settings.validation, pieceSeconds: 5, scanBytesPerSecond: 8192 * 10 };
const catalog = (blocks: number): Catalog => ({
  tables: [{ name: 'stocker.big', bytes: blocks * 8192, blocks, countIndexBytes: undefined }],
  indexes: [{ name: 'stocker.big_pkey', bytes: blocks * 8192, tableBytes: blocks * 8192 }],
  foreignKeys: [],
  sequences: [],
});

describe('the plan of a validation', () => {
  test.each([{ blocks: 1 }, { blocks: 40 }, { blocks: 41 }, { blocks: 1003 }])(
    'covers $blocks blocks once, in pieces under the limit',
    ({ blocks }) => {
      const ranges = planPieces(catalog(blocks), limits, 'gate')
        .filter((piece) => piece.check === 'heap-scan')
        .flatMap((piece) => piece.items.map((item) => item.blocks ?? { from: 0, to: 0 }));
      expect(ranges[0]?.from).toBe(0);
      expect(ranges.at(-1)?.to).toBe(blocks);
      for (const [at, range] of ranges.entries()) {
        if (at > 0) expect(range.from).toBe(ranges[at - 1]?.to);
        expect((range.to - range.from) / 10).toBeLessThan(limits.pieceSeconds);
      }
    },
  );

  test('marks an index that cannot be cut and takes too long, and does not begin it', () => {
    const [piece] = planPieces(catalog(1003), limits, 'deep').filter(({ check }) => check === 'index-verify');
    expect(piece?.items).toEqual([{ subject: 'stocker.big_pkey', tooLongSeconds: 1003 }]);
  });

  test('lets small tables share a piece', () => {
    const tables = ['a', 'b', 'c'].map((name) => ({ name, bytes: 8192, blocks: 1, countIndexBytes: 8192 }));
    const scans = planPieces({ ...catalog(1), tables }, limits, 'gate').filter(({ check }) => check === 'heap-scan');
    expect(scans.map((piece) => piece.items.length)).toEqual([3]);
  });

  test('halves what is left: a range in the middle, a list in the middle', () => {
    const piece: Piece = { id: 'heap-scan-1', tier: 'gate', check: 'heap-scan', items: [] };
    const range = halve(piece, [{ subject: 't', blocks: { from: 3, to: 8 } }]);
    expect(range.map(({ id, items }) => [id, items[0]?.blocks])).toEqual([
      ['heap-scan-1.1', { from: 3, to: 6 }],
      ['heap-scan-1.2', { from: 6, to: 8 }],
    ]);
    expect(
      halve(piece, [{ subject: 'a' }, { subject: 'b' }, { subject: 'c' }]).map(({ items }) => items.length),
    ).toEqual([2, 1]);
  });
});

describe('the judgement', () => {
  const result = (change: Partial<PieceResult> = {}): PieceResult => ({
    id: 'heap-scan-1',
    verdict: 'passed',
    reason: '',
    remaining: [],
    ...change,
  });
  const left: Piece[] = [{ id: 'heap-scan-1.1', tier: 'gate', check: 'heap-scan', items: [] }];

  test.each([
    { case: 'every piece passed', results: [result()], round: 1, verdict: 'passed', again: 0 },
    { case: 'no piece ran', results: [], round: 1, verdict: 'unknown', again: 0 },
    {
      case: 'one piece failed and another is left over',
      results: [result({ verdict: 'failed' }), result({ verdict: 'unknown', remaining: left })],
      round: 1,
      verdict: 'failed',
      again: 0,
    },
    {
      case: 'one piece gave no answer',
      results: [result(), result({ verdict: 'unknown' })],
      round: 1,
      verdict: 'unknown',
      again: 0,
    },
    {
      case: 'blocks are left over',
      results: [result({ verdict: 'unknown', remaining: left })],
      round: 1,
      verdict: 'unknown',
      again: 1,
    },
    {
      case: 'blocks are left over after the last round',
      results: [result({ verdict: 'unknown', remaining: left })],
      round: maximumRounds,
      verdict: 'unknown',
      again: 0,
    },
  ])('is $verdict with $again pieces again when $case', ({ results, round, verdict, again }) => {
    const judgement = judge(results, round);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.again).toHaveLength(again);
  });
});

describe('a waiver', () => {
  const failed: PieceResult = { id: 'row-floors-1', verdict: 'failed', reason: 'fewer rows', remaining: [] };
  const rotten: PieceResult = { id: 'heap-scan-2.1', verdict: 'failed', reason: 'XX001', remaining: [] };
  const waiver = { checks: ['row-floors'], by: 'arn:aws:iam::1:user/ada', reason: 'the season was closed' };
  const judged = (results: readonly PieceResult[]) =>
    judgeValidation({ incident: makeIncident({ waiver }), tier: 'gate', round: 1, results });

  test('lets the check that it names pass, and the record says who, why and what', async () => {
    const { output, summary, facts } = await judged([failed]);
    expect(output.verdict).toBe('passed');
    expect(summary).toBe(
      'gate passed 0 of 1 pieces; arn:aws:iam::1:user/ada waived the rest (the season was closed): row-floors-1 failed: fewer rows',
    );
    expect(facts).toMatchObject({ waived: ['row-floors-1 failed: fewer rows'], waiver });
  });

  test('lets nothing else pass: neither another check, nor a gate that ran nothing', async () => {
    await expect(judged([failed, rotten])).rejects.toMatchObject({ name: 'ValidationFailed', message: /XX001/ });
    await expect(judged([])).rejects.toMatchObject({ name: 'ValidationUnknown' });
  });
});

describe('the freshness of a restored copy', () => {
  const rpoSeconds = 900;
  const newest = (at: string | undefined, restoreTo: 'latest' | string = 'latest') => {
    const plan = makePlan(
      restoreTo === 'latest' ? {} : { restorePoint: restoreTo, restore: { kind: 'time', at: restoreTo } },
    );
    return judgeFreshness({ newest: at, incident: makeIncident({ restoreTo }), plan, rpoSeconds });
  };
  test.each([
    { case: 'the newest heartbeat is within the RPO', at: '2026-11-22T20:05:00.123456Z', verdict: 'passed' },
    { case: 'it is older', at: '2026-11-22T19:59:00Z', verdict: 'failed' },
    { case: 'there is none', at: undefined, verdict: 'failed' },
    {
      case: 'a chosen older point is reached',
      at: '2026-11-20T09:59:30Z',
      restoreTo: '2026-11-20T10:00:00Z',
      verdict: 'passed',
    },
    {
      case: 'a chosen point is overshot',
      at: '2026-11-20T10:00:00.000001Z',
      restoreTo: '2026-11-20T10:00:00Z',
      verdict: 'failed',
    },
  ])('is $verdict when $case', ({ at, restoreTo, verdict }) => {
    expect(newest(at, restoreTo).finding.verdict).toBe(verdict);
  });
});

describe('performance', () => {
  const performance = { warmUpRequests: 0, requests: 5, p95Milliseconds: 500, baselineFactor: 2 };
  test('percentiles are of the nearest rank', () => {
    expect(percentilesOf(Array.from({ length: 100 }, (_, at) => at + 1))).toEqual({ p50: 50, p95: 95, p99: 99 });
  });
  test.each([
    { case: 'over the limit', p95: 501, baseline: undefined, refused: true },
    { case: 'within the limit, without a baseline', p95: 499, baseline: undefined, refused: false },
    { case: 'over twice the baseline', p95: 201, baseline: 100, refused: true },
    { case: 'over twice a baseline that is noise', p95: 10, baseline: 2, refused: false },
    { case: 'not a number', p95: Number.NaN, baseline: 100, refused: true },
  ])('refuses ($refused) a p95 $case', ({ p95, baseline, refused }) => {
    expect(refusePerformance({ p50: 1, p95, p99: p95 }, performance, baseline) !== undefined).toBe(refused);
  });
});
