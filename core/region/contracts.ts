/** What the region area keeps: looks at the primary from outside, the latch, what the guard met. */
import * as z from 'zod';
import { Moment, recordVersion } from '../incident/contracts.ts';

/** Independent of each other: the way of clients, the database's own port, the Region's API. */
export const Signal = z.enum(['endpoint', 'database', 'control-plane']);
export type Signal = z.infer<typeof Signal>;

export const SignalState = z.enum(['up', 'down', 'unknown']);
export type SignalState = z.infer<typeof SignalState>;

export const SignalResult = z.strictObject({
  signal: Signal,
  state: SignalState,
  /** What was met, in one line. */
  detail: z.string(),
});
export type SignalResult = z.infer<typeof SignalResult>;

/** One look at production's Region from the other one. */
export const PrimaryLook = z.strictObject({
  version: z.literal(recordVersion),
  at: Moment,
  region: z.string(),
  /** Looks at another database, or at the same one before a cut-over, say nothing of this one. */
  epoch: z.number().int(),
  signals: z.array(SignalResult),
});
export type PrimaryLook = z.infer<typeof PrimaryLook>;

/** Which record a latch holds: the application's, or the one that drills shift. */
export const LatchName = z.enum(['traffic', 'drill-traffic']);
export type LatchName = z.infer<typeof LatchName>;

/** Holds traffic on the DR Region while it is on; kept there, and republished every minute. */
export const Latch = z.strictObject({
  version: z.literal(recordVersion),
  name: LatchName,
  on: z.boolean(),
  since: Moment,
  /** Who set it. */
  incidentId: z.string(),
});
export type Latch = z.infer<typeof Latch>;

/** What the guard met when it fenced a database that another one had succeeded. */
export const GuardRecord = z.strictObject({
  version: z.literal(recordVersion),
  identifier: z.string(),
  resourceId: z.string(),
  region: z.string(),
  /** Epoch of the database that is production. */
  epoch: z.number().int(),
  /** From when on both could take writes: its start, or the moment in which the other became production. */
  openFrom: Moment,
  /** Proven to refuse. */
  fencedAt: Moment,
  windowSeconds: z.number().nonnegative(),
  /** Rows that it took in that window, by table. */
  rows: z.record(z.string(), z.number().int()),
  /** Where those rows are kept. */
  evidence: z.string().optional(),
});
export type GuardRecord = z.infer<typeof GuardRecord>;
