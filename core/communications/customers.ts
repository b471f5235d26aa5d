/** What customers read, and only of a recovery: that the service is interrupted, and what became of it. No names of machines. */
import type { StepRecord } from '../incident/contracts.ts';

export interface CustomerNews {
  /** One line, ASCII, below 100 characters (SNS). */
  readonly subject: string;
  readonly text: string;
}

/** To the minute: 2026-11-22 20:15 UTC. */
const utcMinute = (moment: string) => `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;

/** From `since` on the database takes no writes. */
export const interruption = (since: string): CustomerNews => ({
  subject: 'STOCKER Pro: changes cannot be saved at the moment',
  text: [
    `Since ${utcMinute(since)} STOCKER Pro takes no changes: we are restoring its database, so that your data is right again.`,
    'Please enter nothing that you could not enter again. We write as soon as it is back.',
  ].join('\n'),
});

/** undefined: customers were told of no interruption, so there is nothing to take back. */
export function outcomeForCustomers(
  { recoveredAt, failed }: { readonly recoveredAt: string | undefined; readonly failed: boolean },
  timeline: readonly StepRecord[],
): CustomerNews | undefined {
  const ended = (name: string) => timeline.find(({ step, status }) => step === name && status === 'succeeded');
  const fence = ended('FenceSource');
  if (fence === undefined) return undefined;
  if (recoveredAt !== undefined) return restored(recoveredAt, ended('Replan') ?? ended('AssessDatabase'), fence);
  if (failed && ended('Compensate'))
    return {
      subject: 'STOCKER Pro takes changes again',
      text: 'STOCKER Pro takes changes again, on the database that it had before. The cause is not mended yet; we go on working on it and write again.',
    };
  return {
    subject: 'STOCKER Pro: still interrupted',
    text: 'The restore did not succeed, and STOCKER Pro still takes no changes. Our engineers are working on it and write again.',
  };
}

function restored(recoveredAt: string, plan: StepRecord | undefined, fence: StepRecord): CustomerNews {
  const restorePoint = plan?.facts.restorePoint;
  const lost = Number(plan?.facts.estimatedLossSeconds ?? 1) > 0;
  return {
    subject: 'STOCKER Pro works again',
    text: [
      `STOCKER Pro works again since ${utcMinute(recoveredAt)}.`,
      lost && typeof restorePoint === 'string'
        ? `Changes that were made between ${utcMinute(restorePoint)} and ${utcMinute(fence.startedAt)} may be missing: please look at them, and enter them again where they are.`
        : 'As far as we know, nothing that had been saved is missing.',
    ].join('\n'),
  };
}
