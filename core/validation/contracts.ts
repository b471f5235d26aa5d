/** Pieces of validation work, bounded in time, and their verdicts. Unknown is neither healthy nor failed. */
import * as z from 'zod';

export const Verdict = z.enum(['passed', 'failed', 'unknown']);
export type Verdict = z.infer<typeof Verdict>;

/** `gate` must pass before a cut-over; `deep` follows it. */
export const Tier = z.enum(['gate', 'deep']);
export type Tier = z.infer<typeof Tier>;

export const CheckName = z.enum([
  'connects',
  'schema-version',
  'heartbeat-freshness',
  'row-floors',
  'sequences',
  'foreign-key',
  'query',
  'heap-scan',
  'heap-verify',
  'index-verify',
  'cross-count',
  'content-hash',
]);
export type CheckName = z.infer<typeof CheckName>;

/** What a check is applied to. */
export const Item = z.strictObject({
  /** A relation as PostgreSQL quotes it (`stocker."order"`), or the name of a query. */
  subject: z.string(),
  /** The constraint, or the column, of that relation. */
  part: z.string().optional(),
  /** Half-open block range [from, to) of the heap. */
  blocks: z.strictObject({ from: z.number().int().nonnegative(), to: z.number().int().positive() }).optional(),
  /** It cannot be cut and would take this long, which is over a piece's limit: it is not begun. */
  tooLongSeconds: z.number().optional(),
});
export type Item = z.infer<typeof Item>;

/** One bounded piece of work: a check and its items; small tables share a piece. */
export const Piece = z.strictObject({
  id: z.string(),
  tier: Tier,
  check: CheckName,
  items: z.array(Item),
});
export type Piece = z.infer<typeof Piece>;

/** What a piece hands on; the details are in the timeline. */
export const PieceResult = z.strictObject({
  id: z.string(),
  verdict: Verdict,
  reason: z.string(),
  /** What was not reached in time, already split: run again, or unknown. */
  remaining: z.array(Piece),
});
export type PieceResult = z.infer<typeof PieceResult>;
