/** What clients were told: every write that the API acknowledged, with both ends of the time in which it was committed. */
export interface LedgerEntry {
  /** Unique; the movement's `reason` in the database is `ledger:<reference>`. */
  readonly reference: string;
  /** Epoch milliseconds at the client, before the request left and after the answer came. */
  readonly sentAt: number;
  readonly acknowledgedAt: number;
}

/**
 * Between which moments (epoch milliseconds) the restore point lies. A restore to the latest time takes a point that is
 * never before the one that was planned, and never after the restore was asked for.
 */
export interface RestoreBounds {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** How what a database holds compares with what was acknowledged. Every entry is in exactly one of the first six. */
export interface LedgerVerdict {
  /** Acknowledged before the restore point, and there: as it must be. */
  readonly provenPresent: number;
  /** Sent after the restore point, and not there: as it must be. */
  readonly provenAbsent: number;
  /** Acknowledged before the restore point, and missing: lost against the promise. */
  readonly missing: readonly string[];
  /** Sent after the restore point, and there: the restore went too far. */
  readonly surplus: readonly string[];
  /** Missing, although acknowledged before a write that is there was even sent: what is there is no prefix of history. */
  readonly inverted: readonly string[];
  /** In flight at the restore point, or within its bounds: either is right. */
  readonly undetermined: number;
  /** Epoch milliseconds of the newest acknowledged write that is there; undefined where none is. */
  readonly newestPresent: number | undefined;
}

export class Ledger {
  readonly entries: LedgerEntry[] = [];
  /** Requests that failed, with the time of the failure: the outage as clients felt it. */
  readonly failures: { readonly at: number; readonly reason: string }[] = [];

  /** Compares with the references that a restored database holds. */
  compare(present: ReadonlySet<string>, { notBefore, notAfter }: RestoreBounds): LedgerVerdict {
    const isThere = ({ reference }: LedgerEntry) => present.has(reference);
    const newest = (moments: readonly number[]) => moments.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const there = this.entries.filter(isThere);
    const newestSent = newest(there.map(({ sentAt }) => sentAt));
    const groups = Map.groupBy(this.entries, (entry): keyof LedgerVerdict => {
      // Strictly: both clocks were cut to the millisecond.
      if (entry.acknowledgedAt < notBefore) return isThere(entry) ? 'provenPresent' : 'missing';
      if (entry.sentAt > notAfter) return isThere(entry) ? 'surplus' : 'provenAbsent';
      return !isThere(entry) && entry.acknowledgedAt < newestSent ? 'inverted' : 'undetermined';
    });
    const of = (name: keyof LedgerVerdict) => groups.get(name) ?? [];
    const references = (name: keyof LedgerVerdict) => of(name).map(({ reference }) => reference);
    return {
      provenPresent: of('provenPresent').length,
      provenAbsent: of('provenAbsent').length,
      missing: references('missing'),
      surplus: references('surplus'),
      inverted: references('inverted'),
      undetermined: of('undetermined').length,
      newestPresent: there.length > 0 ? newest(there.map(({ acknowledgedAt }) => acknowledgedAt)) : undefined,
    };
  }
}
