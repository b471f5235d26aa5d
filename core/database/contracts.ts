/** What the steps of database-recovery hand on. Small: Step Functions carries at most 262,144 bytes of state. */
import * as z from 'zod';
import { Moment, recordVersion } from '../incident/contracts.ts';

/** Decided by AssessDatabase from what is there; every later step follows it and decides nothing anew. */
export const RestorePlan = z.strictObject({
  source: z.strictObject({ identifier: z.string(), resourceId: z.string() }),
  /** Deterministic: a repeated step finds what the first one made. `dr-drill-…` in a drill. */
  candidate: z.string(),
  restore: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('time'), at: z.union([z.literal('latest'), Moment]) }),
    z.strictObject({ kind: z.literal('snapshot'), snapshot: z.string() }),
  ]),
  /** The time that is restored to; for `latest`, what the window said when it was assessed. */
  restorePoint: Moment,
  window: z.strictObject({ earliest: Moment, latest: Moment }).optional(),
  /** Estimated loss if this restore became production now, in seconds. */
  estimatedLossSeconds: z.number().nonnegative(),
  /** Epoch of the active-database record that this plan was made from. */
  epoch: z.number().int(),
});
export type RestorePlan = z.infer<typeof RestorePlan>;

export const Candidate = z.strictObject({
  identifier: z.string(),
  resourceId: z.string(),
  address: z.string(),
  port: z.number().int(),
  database: z.string(),
});
export type Candidate = z.infer<typeof Candidate>;

/**
 * What the sentinel saw when it last found nothing wrong. Counts and hashes are text: they exceed 2^53.
 * A table that could not be counted in time is missing.
 */
export const Baseline = z.strictObject({
  version: z.literal(recordVersion),
  /** End of the look: everything in here was committed before. */
  at: Moment,
  schemaVersion: z.string(),
  schemaHash: z.string(),
  /** Table → rows. */
  rows: z.record(z.string(), z.string()),
  /** Append-only table → what lies at or below `key`. No row can appear there any more. */
  appendOnly: z.record(z.string(), z.strictObject({ key: z.string(), rows: z.string(), hash: z.string() })),
});
export type Baseline = z.infer<typeof Baseline>;
