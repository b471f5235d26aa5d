import { describe, expect, test } from 'vitest';
import { interruption, outcomeForCustomers } from '../../../core/communications/customers.ts';
import { subjectLine } from '../../../core/communications/messages.ts';
import { makeStepRecord } from '../fakes.ts';

const fence = makeStepRecord('FenceSource', { startedAt: '2026-11-22T20:16:10.000Z' });
const plan = (facts: Record<string, unknown>) => makeStepRecord('Replan', { facts });
const undone = makeStepRecord('Compensate');
const recoveredAt = '2026-11-22T20:31:00.000Z';

describe('customers', () => {
  test('hear when the service is interrupted, to the minute and without the name of a machine', () => {
    const { subject, text } = interruption('2026-11-22T20:16:10.123Z');
    expect(subjectLine(subject)).toBe(subject);
    expect(text).toContain('Since 2026-11-22 20:16 UTC');
    expect(text).not.toMatch(/stocker-pro-|recovery-|arn:/);
  });

  test('hear which changes may be missing once it works again', () => {
    const timeline = [plan({ restorePoint: '2026-11-22T20:05:00.000Z', estimatedLossSeconds: 600 }), fence];
    const news = outcomeForCustomers({ recoveredAt, failed: false }, timeline);
    expect(news?.text).toContain('works again since 2026-11-22 20:31 UTC');
    expect(news?.text).toContain('between 2026-11-22 20:05 UTC and 2026-11-22 20:16 UTC may be missing');
  });

  test.each([
    {
      case: 'nothing is missing',
      ended: { recoveredAt, failed: false },
      timeline: [plan({ restorePoint: recoveredAt, estimatedLossSeconds: 0 }), fence],
      says: /nothing that had been saved is missing/,
    },
    {
      case: 'it failed, and production takes writes again',
      ended: { recoveredAt: undefined, failed: true },
      timeline: [fence, undone],
      says: /takes changes again, on the database that it had before/,
    },
    {
      case: 'it failed, and the fence could not be lifted',
      ended: { recoveredAt: undefined, failed: true },
      timeline: [fence, { ...undone, status: 'failed' as const }],
      says: /still takes no changes/,
    },
  ])('hear it when $case', ({ ended, timeline, says }) => {
    expect(outcomeForCustomers(ended, timeline)?.text).toMatch(says);
  });

  test('hear nothing of a recovery that interrupted nothing', () => {
    expect(outcomeForCustomers({ recoveredAt: undefined, failed: true }, [undone])).toBeUndefined();
    const refused = { ...fence, status: 'failed' as const };
    expect(outcomeForCustomers({ recoveredAt: undefined, failed: true }, [refused, undone])).toBeUndefined();
  });
});
