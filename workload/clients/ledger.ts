/** What clients were told: every write that the API acknowledged, with both ends of the time in which it was committed. */
export interface LedgerEntry {
  /** Unique; the movement's `reason` in the database is `ledger:<reference>`. */
  readonly reference: string;
  /** Epoch milliseconds at the client, before the request left and after the answer came. */
  readonly sentAt: number;
  readonly acknowledgedAt: number;
}

/** How what a database holds compares with what was acknowledged up to a moment. */
export interface LedgerVerdict {
  /** Acknowledged at or before the restore point, and there: as it must be. */
  readonly provenPresent: number;
  /** Sent after the restore point, and not there: as it must be. */
  readonly provenAbsent: number;
  /** Acknowledged at or before the restore point, and missing: lost against the promise. */
  readonly missing: readonly string[];
  /** Sent after the restore point, and there: the restore went too far. */
  readonly surplus: readonly string[];
  /** In flight at the restore point: either is right. */
  readonly undetermined: number;
  /** Epoch milliseconds of the newest acknowledged write that is there; undefined where none is. */
  readonly newestPresent: number | undefined;
}

export class Ledger {
  readonly entries: LedgerEntry[] = [];
  /** Requests that failed, with the time of the failure: the outage as clients felt it. */
  readonly failures: { readonly at: number; readonly reason: string }[] = [];

  /** Compares with the references that a restored database holds. */
  compare(present: ReadonlySet<string>, restorePoint: number): LedgerVerdict {
    const before = this.entries.filter((entry) => entry.acknowledgedAt <= restorePoint);
    const after = this.entries.filter((entry) => entry.sentAt > restorePoint);
    const missing = before.filter((entry) => !present.has(entry.reference)).map((entry) => entry.reference);
    const surplus = after.filter((entry) => present.has(entry.reference)).map((entry) => entry.reference);
    const there = this.entries.filter((entry) => present.has(entry.reference)).map((entry) => entry.acknowledgedAt);
    return {
      provenPresent: before.length - missing.length,
      provenAbsent: after.length - surplus.length,
      missing,
      surplus,
      undetermined: this.entries.length - before.length - after.length,
      newestPresent: there.length > 0 ? there.reduce((a, b) => Math.max(a, b)) : undefined,
    };
  }
}
