import { describe, expect, test } from 'vitest';
import { Acceptance, overlaps } from '../../../workload/clients/prober.ts';

/** `a 10-12` accepted between these times; `a x` refused. */
function accepted(...writes: readonly string[]): Acceptance {
  const acceptance = new Acceptance();
  for (const write of writes) {
    const [instance = '', times = ''] = write.split(' ');
    const [sentAt = 0, acknowledgedAt = 0] = times.split('-').map(Number);
    if (times === 'x') acceptance.refuse(instance);
    else acceptance.accept(instance, { sentAt, acknowledgedAt });
  }
  return acceptance;
}

describe('Two databases accept at the same time', () => {
  test.each([
    { case: 'when one accepts between two writes of the other', writes: ['a 0-1', 'b 4-5', 'a 8-9'], overlap: 1 },
    { case: 'when both go on', writes: ['a 0-1', 'b 2-3', 'a 4-5', 'b 6-7'], overlap: 1 },
    { case: 'not when one hands over to the other', writes: ['a 0-1', 'a 2-3', 'a x', 'b 4-5', 'b 6-7'], overlap: 0 },
    { case: 'not when a refusal lies between', writes: ['a 0-1', 'a x', 'b 4-5', 'b x', 'a 8-9'], overlap: 0 },
    {
      case: 'not for certain when the last write of one was on its way',
      writes: ['a 0-1', 'a 2-6', 'b 3-5'],
      overlap: 0,
    },
    {
      case: 'when they did so a second time',
      writes: ['a 0-1', 'b 2-3', 'a 4-5', 'a x', 'b 6-7', 'a 8-9', 'b 10-11'],
      overlap: 2,
    },
  ])('$case', ({ writes, overlap }) => {
    expect(overlaps(accepted(...writes).intervals)).toHaveLength(overlap);
  });

  test('says which, and when', () => {
    const { intervals } = accepted('a 0-1', 'b 4-5', 'a 8-9', 'b 12-13');
    expect(overlaps(intervals)).toEqual([{ instances: ['a', 'b'], from: 4, until: 9 }]);
  });

  test('counts writes and refusals of each', () => {
    const { intervals, refused } = accepted('a 0-1', 'a 2-3', 'a x', 'a x', 'a 8-9');
    expect(intervals.map(({ writes }) => writes)).toEqual([2, 1]);
    expect(refused.get('a')).toBe(2);
  });
});
