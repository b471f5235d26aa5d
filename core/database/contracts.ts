/** What the steps of database-recovery hand on. Small: Step Functions carries at most 262,144 bytes of state. */
import * as z from 'zod';
import { Moment, RestoreTo, recordVersion, Scope } from '../incident/contracts.ts';

export const Restore = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('time'),
    at: z.union([z.literal('latest'), Moment]),
    /** ARN of the automated backups that were replicated from the source's Region to this one; absent: the source's own. */
    backups: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('snapshot'), snapshot: z.string() }),
  z.strictObject({ kind: z.literal('dump'), dump: z.string() }),
  /** Nothing is restored: a read replica becomes an instance of its own. */
  z.strictObject({ kind: z.literal('replica'), replica: z.string() }),
]);
export type Restore = z.infer<typeof Restore>;

/** The extent of damage as the sentinel saw it. */
export const Damage = z.strictObject({
  /** One line for each table, index or query. */
  found: z.array(z.string()),
  /** All of it came after this; absent where something was never seen sound. */
  after: Moment.optional(),
  /** It was there by then. */
  by: Moment.optional(),
});
export type Damage = z.infer<typeof Damage>;

/** The settings of an instance as RDS shows them, without the instance. */
export const SeenInstance = z.strictObject({
  engine: z.string(),
  engineVersion: z.string(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  tags: z.record(z.string(), z.string()),
});
export type SeenInstance = z.infer<typeof SeenInstance>;

/** Another restore point, which a person may choose. */
export const OtherPoint = z.strictObject({
  restoreTo: RestoreTo,
  at: Moment,
  /** Why it is worth choosing, in a few words. */
  what: z.string(),
});
export type OtherPoint = z.infer<typeof OtherPoint>;

/** What a failover of the Region adds to a plan: which way, on what grounds, against what. */
export const Failover = z.strictObject({
  style: z.enum(['graceful', 'ungraceful']),
  /** The Region that production leaves. */
  from: z.string(),
  to: z.string(),
  /** Follows production in the Region that takes over; absent: production is restored there from its replicated backups. */
  replica: z.string().optional(),
  primary: z.enum(['lost', 'alive', 'undecided']),
  reasons: z.array(z.string()),
  /** What spoke against it, and was waived by name. */
  waived: z.array(z.string()),
  /** The replica was promoted by an earlier execution of this incident. */
  isPromoted: z.boolean(),
  /** What is not ready, and stops nothing. */
  notes: z.array(z.string()),
  /** Strict fencing of a primary that may not be reached. `refusesFrom`: when it has fenced itself; absent: not waited for, as was waived. */
  tenure: z.strictObject({ refusesFrom: Moment.optional() }).optional(),
  /** Of a failback: what is left of production in the Region that it comes home to. Absent: nothing. */
  former: z
    .strictObject({
      identifier: z.string(),
      resourceId: z.string(),
      address: z.string(),
      port: z.number().int(),
      /** Commits after it are not in the database that succeeded it. */
      succeededAt: Moment,
    })
    .optional(),
});
export type Failover = z.infer<typeof Failover>;

/** Decided by AssessDatabase from what is there; every later step follows it and decides nothing anew. */
export const RestorePlan = z.strictObject({
  source: z.strictObject({
    identifier: z.string(),
    resourceId: z.string(),
    /** In a recovery: where production took its writes, whether or not RDS still lists it. */
    address: z.string().optional(),
    port: z.number().int().optional(),
  }),
  /** Deterministic: a repeated step finds what the first one made. `dr-drill-…` in a drill. */
  candidate: z.string(),
  /** Absent in a recovery whose damage cannot be bounded in time: a person chooses. */
  restore: Restore.optional(),
  /** The time that is restored to; for `latest`, what the window said when it was assessed. Absent with `restore`. */
  restorePoint: Moment.optional(),
  window: z.strictObject({ earliest: Moment, latest: Moment }).optional(),
  /** Estimated loss if this restore became production now, in seconds; without a restore point, that of `latest`. */
  estimatedLossSeconds: z.number().nonnegative(),
  /** Epoch of the active-database record that this plan was made from. */
  epoch: z.number().int(),
  /** Whether a person is asked before production is touched. */
  approval: z.enum(['ask', 'none']),
  damage: Damage.optional(),
  /** In a recovery: what can be restored to instead, should this copy not pass. */
  others: z.array(OtherPoint).optional(),
  /**
   * The source's newest heartbeat before the restore point, where it could be asked: a copy without it ends too early,
   * whatever RDS says (postgres-facts: recovery that misses WAL may end silently).
   */
  heartbeat: Moment.optional(),
  /** What RDS said of the source, so that it can be rebuilt, compared and protected alike when it is gone. */
  seen: SeenInstance.optional(),
  /** Only these tables are repaired, in production as it is, from the candidate. Absent: the candidate becomes production. */
  scope: Scope.optional(),
  /** When production was proven to refuse writes, or found gone: it holds nothing newer. Added by FenceSource. */
  fencedAt: Moment.optional(),
  /** This incident's candidate is production already: an earlier execution raised the epoch and did not end well. */
  resume: z.literal('cut-over').optional(),
  failover: Failover.optional(),
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

export const RepairedTable = z.strictObject({
  table: z.string(),
  /** It was gone, and was made anew. */
  recreated: z.boolean(),
  /** Rows that production did not have. */
  putBack: z.number().int(),
  /** Rows that production had otherwise. */
  changed: z.number().int(),
  /** Rows that the copy does not have: written after the restore point. */
  kept: z.number().int(),
});
export type RepairedTable = z.infer<typeof RepairedTable>;

/** What a repair of named tables did, and what it found of what hangs on them. */
export const Repair = z.strictObject({
  tables: z.array(RepairedTable),
  /** How long the tables, and those at the other end of their foreign keys, were locked. */
  lockedSeconds: z.number().nonnegative(),
  dependants: z.array(z.strictObject({ dependant: z.string(), finding: z.string() })),
});
export type Repair = z.infer<typeof Repair>;

/**
 * What the sentinel saw when it last found nothing wrong. Counts and hashes are text: they exceed 2^53.
 * A table that could not be counted in time is missing.
 */
export const Baseline = z.strictObject({
  version: z.literal(recordVersion),
  /** End of the look: everything in here was committed before. */
  at: Moment,
  /** The instance it was taken of: after a cut-over, what an abandoned instance held binds nobody. */
  resourceId: z.string().optional(),
  schemaVersion: z.string(),
  schemaHash: z.string(),
  /** Relation → hash of its definition: names what changed. */
  relations: z.record(z.string(), z.string()).optional(),
  /** Table → rows. */
  rows: z.record(z.string(), z.string()),
  /** Append-only table → what lies at or below `key`. No row can appear there any more. */
  appendOnly: z.record(z.string(), z.strictObject({ key: z.string(), rows: z.string(), hash: z.string() })),
});
export type Baseline = z.infer<typeof Baseline>;

/** Something that no application does. It stays on the list until the same check has found its subject sound again. */
export const DamageFinding = z.strictObject({
  check: z.enum(['connection', 'rows', 'schema', 'query', 'content', 'index', 'session']),
  subject: z.string(),
  detail: z.string(),
  /** `corrupted`: PostgreSQL itself says so (class XX); `suspicious`: it differs from what was sound. */
  kind: z.enum(['corrupted', 'suspicious']),
  /** Begin of the last look in which this check passed here. */
  lastSound: Moment.optional(),
  /** End of the look that found it first. */
  seenAt: Moment,
});
export type DamageFinding = z.infer<typeof DamageFinding>;

/** How far the checks that take turns have come. */
export const LookProgress = z.strictObject({
  /** `<check> <subject>` → begin of the last look in which it passed. */
  passed: z.record(z.string(), Moment),
  /** The index that was looked at last. */
  index: z.string().optional(),
  /** Append-only table → what has been hashed again of what the baseline knows. */
  rehash: z.record(
    z.string(),
    z.strictObject({ begunAt: Moment, target: z.string(), key: z.string(), rows: z.string(), hash: z.string() }),
  ),
});
export type LookProgress = z.infer<typeof LookProgress>;

/** One look of the sentinel, sound or not. */
export const LookRecord = z.strictObject({
  version: z.literal(recordVersion),
  begunAt: Moment,
  at: Moment,
  resourceId: z.string(),
  verdict: z.enum(['sound', 'damaged', 'refused']),
  findings: z.array(DamageFinding),
  unknown: z.array(z.string()),
  progress: LookProgress,
});
export type LookRecord = z.infer<typeof LookRecord>;

/** What parity compares a restored copy with when the source is damaged or gone: the source at the last sound look. */
export const DatabaseProfile = z.strictObject({
  version: z.literal(recordVersion),
  /** Begin of the look. */
  at: Moment,
  identifier: z.string(),
  resourceId: z.string(),
  seen: SeenInstance,
  /** Values of the parameter group, and what PostgreSQL says about itself. */
  facts: z.record(z.string(), z.string()),
});
export type DatabaseProfile = z.infer<typeof DatabaseProfile>;
