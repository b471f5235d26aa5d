/** What customers read, and only of a recovery: that the service is interrupted, and what became of it. No names of machines. */
import type { MessageRecord, StepRecord } from '../incident/contracts.ts';

export interface CustomerNews {
  /** One line, ASCII, below 100 characters (SNS). */
  readonly subject: string;
  readonly text: string;
}

/** To the minute: 2026-11-22 20:15 UTC. */
const utcMinute = (moment: string) => `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;

/** By their subjects a later execution knows what customers believe. */
const interrupted = 'STOCKER Pro: changes cannot be saved at the moment';
const stillInterrupted = 'STOCKER Pro: still interrupted';

/** From `since` on the database takes no writes. */
export const interruption = (since: string): CustomerNews => ({
  subject: interrupted,
  text: [
    `Since ${utcMinute(since)} STOCKER Pro takes no changes: we are restoring its database, so that your data is right again.`,
    'Please enter nothing that you could not enter again. We write as soon as it is back.',
  ].join('\n'),
});

interface Ended {
  readonly recoveredAt: string | undefined;
  /** The fence was lifted: the database that it was before takes writes again. Any other failure leaves the interruption. */
  readonly takesWrites: boolean;
}

/**
 * undefined: customers believe in no interruption, so there is nothing to take back. `timeline` is this execution's;
 * `messages` are the incident's, oldest first: where a retry finishes, an earlier one told of the interruption.
 */
export function outcomeForCustomers(
  { recoveredAt, takesWrites }: Ended,
  timeline: readonly StepRecord[],
  messages: readonly Pick<MessageRecord, 'kind' | 'subject'>[],
): CustomerNews | undefined {
  const fence = timeline.find(
    ({ step, status, facts }) => fences.includes(step) && status === 'succeeded' && facts.outcome !== 'unreached',
  );
  const last = messages.findLast(({ kind }) => kind === 'customers');
  // What could not be recorded was sent all the same.
  const isWaiting = last === undefined ? fence !== undefined : [interrupted, stillInterrupted].includes(last.subject);
  if (!isWaiting) return undefined;
  if (recoveredAt !== undefined) return restored(recoveredAt, timeline, fence);
  if (takesWrites)
    return {
      subject: 'STOCKER Pro takes changes again',
      text: 'STOCKER Pro takes changes again, on the database that it had before. The cause is not mended yet; we go on working on it and write again.',
    };
  return {
    subject: stillInterrupted,
    text: 'The restore did not succeed, and STOCKER Pro still takes no changes. Our engineers are working on it and write again.',
  };
}

/** Each tells customers of the interruption, unless it reached nobody. */
const fences = ['FenceSource', 'FencePrimary', 'FenceAgain'];

/** Each knows better than the ones behind it what is lost. */
const losses = ['RestoreDatabase', 'Replan', 'AssessDatabase', 'AssessRegion', 'AssessHome'];

function restored(recoveredAt: string, timeline: readonly StepRecord[], fence: StepRecord | undefined): CustomerNews {
  const known = losses.map((name) =>
    timeline.find(({ step, status, facts }) => step === name && status === 'succeeded' && 'restorePoint' in facts),
  );
  const { restorePoint, estimatedLossSeconds = 1, resume } = known.find((each) => each !== undefined)?.facts ?? {};
  const lossSeconds = Number(estimatedLossSeconds);
  return {
    subject: 'STOCKER Pro works again',
    text: [
      `STOCKER Pro works again since ${utcMinute(recoveredAt)}.`,
      lossSeconds > 0 && typeof restorePoint === 'string'
        ? whatMayBeMissing(
            restorePoint,
            resume === undefined && fence ? fence.startedAt : after(restorePoint, lossSeconds),
          )
        : 'As far as we know, nothing that had been saved is missing.',
    ].join('\n'),
  };
}

/** A retry of a recovery that had cut over fences the former production once more, if at all: the window ended long before. */
const after = (moment: string, seconds: number) => new Date(Date.parse(moment) + seconds * 1000).toISOString();

const whatMayBeMissing = (from: string, until: string) =>
  `Changes that were made between ${utcMinute(from)} and ${utcMinute(until)} may be missing: please look at them, and enter them again where they are.`;
