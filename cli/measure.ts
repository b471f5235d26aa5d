/** The independent measurement of a restore: what the ledger says, against what the restored database holds. */
import type { Client } from 'pg';
import type { Ledger, LedgerVerdict } from '../workload/clients/ledger.ts';

export interface LossMeasurement {
  readonly verdict: LedgerVerdict;
  readonly restorePoint: string;
  /** What clients would have lost, had production ended at `detectedAt`: seconds between the newest row there and then. */
  readonly measuredLossSeconds: number | undefined;
}

/** References of acknowledged writes that this database holds. */
export async function presentReferences(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ reference: string }>(
    `SELECT substr(reason, 8) AS reference FROM stocker.stock_movement WHERE reason LIKE 'ledger:%'`,
  );
  return new Set(rows.map((row) => row.reference));
}

/** Compares the ledger with what was read from the restored copy. Times are ISO text. */
export function measureLoss(
  ledger: Ledger,
  present: ReadonlySet<string>,
  restorePoint: string,
  detectedAt: string,
): LossMeasurement {
  const verdict = ledger.compare(present, Date.parse(restorePoint));
  const measuredLossSeconds =
    verdict.newestPresent === undefined
      ? undefined
      : Math.max(0, (Date.parse(detectedAt) - verdict.newestPresent) / 1000);
  return { verdict, restorePoint, measuredLossSeconds };
}
