/** Which steps the RTO consists of. */
import type { StepRecord } from '../incident/contracts.ts';
import { secondsBetween } from '../incident/moments.ts';
import type { PathLink } from './contracts.ts';

/** A step of the machine; the pieces of a Map count as one. */
export interface Span {
  readonly step: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly status: StepRecord['status'];
  readonly attempts: number;
  readonly pieces: number;
}

/** In order of their start. What never finished lasts until `end`. */
export function spans(timeline: readonly StepRecord[], end: string): Span[] {
  const bySteps = Map.groupBy(timeline, ({ step }) => step);
  return [...bySteps]
    .map(([step, records]): Span => {
      const finishes = records.map(({ finishedAt }) => finishedAt ?? end);
      const worst = worstFirst.find((status) => records.some((record) => record.status === status));
      return {
        step,
        startedAt: records.map(({ startedAt }) => startedAt).reduce((a, b) => (a < b ? a : b)),
        finishedAt: finishes.reduce((a, b) => (a > b ? a : b)),
        status: worst ?? 'running',
        attempts: Math.max(...records.map(({ attempts }) => attempts)),
        pieces: records.filter(({ piece }) => piece !== undefined).length,
      };
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

const worstFirst = ['failed', 'waiting', 'running', 'succeeded'] as const;

/**
 * Walks back from `to`: before each step comes the one that finished last before it started. What lies between them is
 * the machine's own time. Waits and steps add up to the time from `from` to `to`.
 */
export function criticalPath(all: readonly Span[], from: string, to: string): PathLink[] {
  const path: PathLink[] = [];
  // The last step may stop the clock before it has finished itself.
  let left = all
    .filter(({ startedAt }) => startedAt < to)
    .map((span) => ({ ...span, finishedAt: span.finishedAt < to ? span.finishedAt : to }));
  for (let end = to; ; ) {
    const before = left.filter(({ finishedAt }) => finishedAt <= end);
    if (before.length === 0) break;
    const last = before.reduce((a, b) => (b.finishedAt > a.finishedAt ? b : a));
    const wait = secondsBetween(last.finishedAt, end);
    const next = path[0];
    if (next) path[0] = { ...next, waitSeconds: wait };
    else if (wait > 0) path.push({ step: '(after the last step)', waitSeconds: wait, seconds: 0 });
    path.unshift({
      step: last.step,
      waitSeconds: Math.max(0, secondsBetween(from, last.startedAt)),
      seconds: secondsBetween(last.startedAt, last.finishedAt),
    });
    end = last.startedAt;
    left = left.filter(({ step }) => step !== last.step);
  }
  return path;
}
