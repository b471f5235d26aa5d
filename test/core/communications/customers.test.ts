import { describe, expect, test } from 'vitest';
import { interruption, outcomeForCustomers } from '../../../core/communications/customers.ts';
import { subjectLine } from '../../../core/communications/messages.ts';
import { makeStepRecord } from '../fakes.ts';

const fence = makeStepRecord('FenceSource', { startedAt: '2026-11-22T20:16:10.000Z' });
const plan = (facts: Record<string, unknown>) => makeStepRecord('Replan', { facts });
const undone = makeStepRecord('Compensate');
const unreached = makeStepRecord('FencePrimary', { facts: { outcome: 'unreached' } });
const region = (facts: Record<string, unknown>) => makeStepRecord('AssessRegion', { facts });
const restorePoint = '2026-11-22T20:05:00.000Z';
const restoredAsOf = makeStepRecord('RestoreDatabase', { facts: { restorePoint, estimatedLossSeconds: 600 } });
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
    const news = outcomeForCustomers({ recoveredAt, takesWrites: false }, timeline, []);
    expect(news?.text).toContain('works again since 2026-11-22 20:31 UTC');
    expect(news?.text).toContain('between 2026-11-22 20:05 UTC and 2026-11-22 20:16 UTC may be missing');
  });

  test.each([
    {
      case: 'nothing is missing',
      ended: { recoveredAt, takesWrites: false },
      timeline: [plan({ restorePoint: recoveredAt, estimatedLossSeconds: 0 }), fence],
      says: /nothing that had been saved is missing/,
    },
    {
      case: 'it failed, and production takes writes again',
      ended: { recoveredAt: undefined, takesWrites: true },
      timeline: [fence, undone],
      says: /takes changes again, on the database that it had before/,
    },
    {
      case: 'it failed, and the fence could not be lifted',
      ended: { recoveredAt: undefined, takesWrites: false },
      timeline: [fence, { ...undone, status: 'failed' as const }],
      says: /still takes no changes/,
    },
    {
      case: 'it failed, and production is gone: undoing left nothing undone, and nothing takes writes',
      ended: { recoveredAt: undefined, takesWrites: false },
      timeline: [{ ...fence, facts: { outcome: 'gone' } }, undone],
      says: /still takes no changes/,
    },
    {
      case: 'a Region failed over, and the primary was fenced when it came back',
      ended: { recoveredAt, takesWrites: false },
      timeline: [unreached, { ...fence, step: 'FenceAgain' }, region({ restorePoint, estimatedLossSeconds: 60 })],
      says: /between 2026-11-22 20:05 UTC and 2026-11-22 20:16 UTC may be missing/,
    },
    {
      case: 'what was restored ends before what was planned',
      ended: { recoveredAt, takesWrites: false },
      timeline: [plan({ restorePoint: recoveredAt, estimatedLossSeconds: 0 }), fence, restoredAsOf],
      says: /between 2026-11-22 20:05 UTC and 2026-11-22 20:16 UTC may be missing/,
    },
    {
      case: 'a retry finished what had cut over, and fenced the former production once more, hours later',
      ended: { recoveredAt, takesWrites: false },
      timeline: [
        { ...restoredAsOf, facts: { restorePoint, estimatedLossSeconds: 600, resume: 'cut-over' } },
        { ...fence, startedAt: '2026-11-23T02:00:00.000Z' },
      ],
      says: /between 2026-11-22 20:05 UTC and 2026-11-22 20:15 UTC may be missing/,
    },
  ])('hear it when $case', ({ ended, timeline, says }) => {
    expect(outcomeForCustomers(ended, timeline, [])?.text).toMatch(says);
  });

  test('are believed to wait as the last message left them, whichever execution of the incident wrote it', () => {
    const wrote = (news: { subject: string } | undefined) => ({
      kind: 'customers' as const,
      subject: news?.subject ?? '',
    });
    const begun = wrote(interruption(restorePoint));
    const lastly = (ended: { recoveredAt: string | undefined; takesWrites: boolean }, before = [begun]) =>
      outcomeForCustomers(ended, [region({ restorePoint, estimatedLossSeconds: 600, resume: 'cut-over' })], before);
    // A retry that finishes a move of the Region fences nothing.
    expect(lastly({ recoveredAt, takesWrites: false })?.text).toMatch(
      /between 2026-11-22 20:05 UTC and 2026-11-22 20:15 UTC/,
    );
    const failed = lastly({ recoveredAt: undefined, takesWrites: false });
    expect(failed?.subject).toContain('still interrupted');
    expect(lastly({ recoveredAt, takesWrites: false }, [begun, wrote(failed)])?.subject).toContain('works again');
    // They know already.
    const back = lastly({ recoveredAt: undefined, takesWrites: true });
    for (const known of [back, lastly({ recoveredAt, takesWrites: false })])
      expect(outcomeForCustomers({ recoveredAt, takesWrites: false }, [fence], [begun, wrote(known)])).toBeUndefined();
  });

  test('hear that it works again also where no step of this execution knows what was restored', () => {
    const begun = { kind: 'customers' as const, subject: interruption(restorePoint).subject };
    const news = outcomeForCustomers({ recoveredAt, takesWrites: false }, [], [begun]);
    expect(news?.subject).toContain('works again');
  });

  test('hear nothing of a recovery that interrupted nothing', () => {
    const failed = { recoveredAt: undefined, takesWrites: false };
    expect(outcomeForCustomers(failed, [undone], [])).toBeUndefined();
    const refused = { ...fence, status: 'failed' as const };
    expect(outcomeForCustomers(failed, [refused, undone], [])).toBeUndefined();
    expect(outcomeForCustomers(failed, [unreached, undone], [])).toBeUndefined();
  });
});
