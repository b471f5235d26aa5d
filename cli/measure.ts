/** The independent measurement of a restore: what the ledger says, against what the restored database holds. */
import type { Client } from 'pg';
import * as z from 'zod';
import { RestorePlan } from '../core/database/contracts.ts';
import type { StepRecord } from '../core/incident/contracts.ts';
import type { Ledger, LedgerVerdict, RestoreBounds } from '../workload/clients/ledger.ts';

export interface LossMeasurement {
  readonly verdict: LedgerVerdict;
  readonly bounds: RestoreBounds;
  /**
   * Seconds from the newest acknowledged write that is there to the detection: what production would have lost, had it
   * ended then. Negative: the restore point lies that long after the detection, and nothing from before it is lost.
   */
  readonly lossSeconds: number | undefined;
  /** The product's own measure of the same: from its newest restored heartbeat. */
  readonly estimatedSeconds: number | undefined;
}

/** References of acknowledged writes that this database holds. */
export async function presentReferences(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ reference: string }>(
    `SELECT substr(reason, 8) AS reference FROM stocker.stock_movement WHERE reason LIKE 'ledger:%'`,
  );
  return new Set(rows.map((row) => row.reference));
}

const { restore, restorePoint } = RestorePlan.shape;
const Plan = z.object({ restore, restorePoint });

/** Where the restore point lies, from the timeline; undefined where no restore was asked for. */
export function restoreBounds(timeline: readonly StepRecord[]): RestoreBounds | undefined {
  const succeeded = (name: string) => timeline.find(({ step, status }) => step === name && status === 'succeeded');
  // What a person decided is planned anew.
  const plan = Plan.safeParse((succeeded('Replan') ?? succeeded('AssessDatabase'))?.facts).data;
  const asked = succeeded('RestoreDatabase')?.finishedAt;
  if (!plan?.restore || !plan.restorePoint || !asked) return undefined;
  const notBefore = Date.parse(plan.restorePoint);
  const isLatest = plan.restore.kind === 'time' && plan.restore.at === 'latest';
  return { notBefore, notAfter: isLatest ? Date.parse(asked) : notBefore };
}

const Freshness = z.object({ items: z.array(z.object({ facts: z.object({ newestHeartbeat: z.string() }) })) });

/** The newest heartbeat in the copy, as the gate found it. */
const restoredHeartbeat = (timeline: readonly StepRecord[]): string | undefined =>
  timeline.flatMap(({ facts }) => Freshness.safeParse(facts).data?.items ?? [])[0]?.facts.newestHeartbeat;

/** Compares the ledger with what was read from the restored copy; undefined where nothing was restored. */
export function measureLoss(
  ledger: Ledger,
  present: ReadonlySet<string>,
  detectedAt: string,
  timeline: readonly StepRecord[],
): LossMeasurement | undefined {
  const bounds = restoreBounds(timeline);
  if (!bounds) return undefined;
  const verdict = ledger.compare(present, bounds);
  const untilDetection = (moment: number) => (Date.parse(detectedAt) - moment) / 1000;
  const heartbeat = restoredHeartbeat(timeline);
  return {
    verdict,
    bounds,
    lossSeconds: verdict.newestPresent === undefined ? undefined : untilDetection(verdict.newestPresent),
    estimatedSeconds: heartbeat === undefined ? undefined : untilDetection(Date.parse(heartbeat)),
  };
}
