/** The outage as clients felt it, from their ledger alone. */
import type { Ledger } from './ledger.ts';

/** Epoch milliseconds. */
export interface Outage {
  /** The last write that was acknowledged before it; undefined where there was none. */
  readonly from: number | undefined;
  /** The first one that was acknowledged after it; undefined while it lasts. */
  readonly until: number | undefined;
  /** Requests that failed in between. */
  readonly failures: number;
}

/**
 * The longest time without an acknowledged write in which a request failed, or which has not ended. Undefined where
 * clients felt nothing from `since` on.
 */
export function longestOutage(
  { entries, failures }: Pick<Ledger, 'entries' | 'failures'>,
  since: number,
): Outage | undefined {
  const acknowledged = entries.map(({ acknowledgedAt }) => acknowledgedAt).sort((a, b) => a - b);
  const failed = failures.map(({ at }) => at).filter((at) => at >= since);
  const starts: (number | undefined)[] = [undefined, ...acknowledged];
  const outages = starts.map((from, index): Outage => {
    const until = acknowledged[index];
    const within = failed.filter((at) => (from === undefined || at > from) && (until === undefined || at <= until));
    return { from, until, failures: within.length };
  });
  return outages
    .filter((outage) => outage.failures > 0)
    .reduce<Outage | undefined>((longest, each) => (length(each) > length(longest) ? each : longest), undefined);
}

const length = (outage: Outage | undefined): number =>
  outage === undefined
    ? -1
    : (outage.until ?? Number.POSITIVE_INFINITY) - (outage.from ?? outage.until ?? Number.NEGATIVE_INFINITY);

/** Seconds; undefined where it has no end, or no beginning. */
export const outageSeconds = ({ from, until }: Outage): number | undefined =>
  from === undefined || until === undefined ? undefined : (until - from) / 1000;
