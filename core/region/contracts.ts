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
  /**
   * When the database last answered since it became production; each look hands it on to the next, so that it outlives them. Absent: it
   * never has, and whether this Region can reach it at all is not known.
   */
  reachedAt: Moment.optional(),
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

/**
 * Strict fencing: production in the primary Region takes writes while its tenure lasts, which its guard renews every
 * minute. Kept in the DR Region.
 */
export const Tenure = z.strictObject({
  version: z.literal(recordVersion),
  region: z.string(),
  /** Of the active database that it was renewed for, or ended at. */
  epoch: z.number().int(),
  /** By the guard's clock, before it asked. Absent: nobody has ever renewed it. */
  renewedAt: Moment.optional(),
  /** The execution that ended it: nobody renews it at this epoch any more. */
  endedBy: z.string().optional(),
});
export type Tenure = z.infer<typeof Tenure>;

const Instance = z.strictObject({
  identifier: z.string(),
  resourceId: z.string(),
  address: z.string(),
  port: z.number().int(),
});

/** What the guard of the primary Region knows of it when the DR Region cannot be asked. Kept in the primary Region. */
export const TenureMemory = z.strictObject({
  version: z.literal(recordVersion),
  renewedAt: Moment,
  /** Production at that time. */
  active: Instance,
  /** What it fenced because the tenure was over, and nobody else. */
  fenced: z.array(Instance),
  /** Its roles carry the end of the tenure, which nobody renews once fencing is not strict any more. */
  isDated: z.boolean().optional(),
});
export type TenureMemory = z.infer<typeof TenureMemory>;

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
  /** 0 where its tenure was over when it started: it refused every login since. */
  windowSeconds: z.number().nonnegative(),
  /** Rows that it took in that window, by table. */
  rows: z.record(z.string(), z.number().int()),
  /** Where those rows are kept, and how many: the first ones of each table (written-since.ts). */
  evidence: z.string().optional(),
  kept: z.number().int().optional(),
  /** Tables that were not read in time: what they took is in no count. */
  unread: z.array(z.string()).optional(),
  /** Prepared transactions that it holds, each with its owner: their rows are in no count. */
  prepared: z.array(z.string()).optional(),
});
export type GuardRecord = z.infer<typeof GuardRecord>;
