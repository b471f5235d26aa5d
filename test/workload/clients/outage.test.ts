import { describe, expect, test } from 'vitest';
import { longestOutage, outageSeconds } from '../../../workload/clients/outage.ts';

const entry = (acknowledgedAt: number) => ({
  reference: String(acknowledgedAt),
  sentAt: acknowledgedAt - 5,
  acknowledgedAt,
});
const failure = (at: number) => ({ at, reason: 'HTTP 503' });

describe('The outage as clients felt it', () => {
  test.each([
    {
      case: 'lasts from the last acknowledged write before the failures to the first one after them',
      acknowledged: [1000, 1100, 5100, 5200],
      failed: [1500, 4900],
      outage: { from: 1100, until: 5100, failures: 2 },
      seconds: 4,
    },
    {
      case: 'is the longest of several, and a long pause without a failure is none',
      acknowledged: [1000, 1400, 2400, 9000, 9100],
      failed: [1200, 1900],
      outage: { from: 1400, until: 2400, failures: 1 },
      seconds: 1,
    },
    {
      case: 'has no end while no write is acknowledged again',
      acknowledged: [1000, 1400, 3000],
      failed: [2000, 3100],
      outage: { from: 3000, until: undefined, failures: 1 },
      seconds: undefined,
    },
    {
      case: 'does not count failures from before the disaster',
      acknowledged: [100, 900, 1200],
      failed: [500],
      outage: undefined,
      seconds: undefined,
    },
    {
      case: 'is none where every request succeeded',
      acknowledged: [1000, 9000],
      failed: [],
      outage: undefined,
      seconds: undefined,
    },
  ])('$case', ({ acknowledged, failed, outage, seconds }) => {
    // Answers arrive out of order.
    const found = longestOutage({ entries: acknowledged.toReversed().map(entry), failures: failed.map(failure) }, 1000);
    expect(found).toEqual(outage);
    expect(found && outageSeconds(found)).toBe(seconds);
  });
});
