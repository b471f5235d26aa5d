/** How a recovery that runs stands: its step, and when earlier drills say that it ends. */
import type { StepRecord, TrendPoint } from '../incident/contracts.ts';
import { formatSeconds } from '../incident/moments.ts';

const byStart = (a: StepRecord, b: StepRecord) => (a.startedAt < b.startedAt ? -1 : 1);

/** The step at which a recovery is now; undefined between two. A step that waits is tried again. */
export function currentStep(steps: readonly StepRecord[]): StepRecord | undefined {
  const begun = steps.toSorted(byStart);
  // What became of a question is put on the timeline at the end: once another step has begun, it has been answered.
  return begun.findLast(
    (each, index) =>
      (each.finishedAt === undefined || each.status === 'waiting') && !(isQuestion(each) && index < begun.length - 1),
  );
}

/** Whether this step asks a person and has no answer on the timeline. */
export const isQuestion = ({ step, status }: StepRecord): boolean => step === 'RequestApproval' && status === 'waiting';

/** The last thing that went well, whatever it was. */
export const lastDone = (steps: readonly StepRecord[]): StepRecord | undefined =>
  steps.toSorted(byStart).findLast(({ status, piece }) => status === 'succeeded' && piece === undefined);

/** How many drills a forecast rests on, at most. */
export const drillsOfForecast = 5;

export interface Worked {
  /** Since detection: what the RTO counts. */
  readonly elapsedSeconds: number;
  /** Since the recovery began, or since a person approved it: what drills measured, for they ask nobody. */
  readonly workedSeconds: number;
  readonly rtoSeconds: number;
}

/** One line: when the application is expected to be healthy, by the drills (newest first) that took the same path. */
export function forecast(drills: readonly TrendPoint[], { elapsedSeconds, workedSeconds, rtoSeconds }: Worked): string {
  const measured = drills
    .flatMap(({ succeeded, rtoSeconds: seconds }) => (succeeded && seconds !== undefined ? [seconds] : []))
    .slice(0, drillsOfForecast)
    .sort((a, b) => a - b);
  const median = measured[Math.floor(measured.length / 2)];
  const longest = measured.at(-1);
  if (median === undefined || longest === undefined) return 'no forecast: no drill has measured this path yet';
  const basis = `the last ${measured.length === 1 ? 'drill' : `${measured.length} drills`} took ${formatSeconds(median)}${measured.length === 1 ? '' : ` in the middle, ${formatSeconds(longest)} at most`}`;
  const left = median - workedSeconds;
  if (left <= 0)
    return `${workedSeconds > longest ? 'later than every earlier drill' : 'due now'}: at work for ${formatSeconds(workedSeconds)}; ${basis}`;
  const total = elapsedSeconds + left;
  const verdict = total <= rtoSeconds ? 'within' : 'BEYOND';
  return `healthy in about ${formatSeconds(left)}, ${formatSeconds(total)} after detection, ${verdict} the RTO of ${formatSeconds(rtoSeconds)}; ${basis}`;
}
