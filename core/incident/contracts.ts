/** What starts a recovery, what an incident is, and what its timeline holds. */
import * as z from 'zod';

/** A moment as ISO 8601 text in UTC. Text, because JavaScript's Date drops microseconds. */
export const Moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/, 'must be a UTC time such as 2026-11-22T13:05:00Z');

export const Mode = z.enum(['drill', 'recovery']);
export const Scenario = z.enum(['database', 'cluster', 'region', 'configuration']);
export const RestoreTo = z.union([
  z.literal('latest'),
  Moment,
  z.strictObject({ snapshot: z.string().min(1) }),
  z.strictObject({ dump: z.string().min(1) }),
]);
export type RestoreTo = z.infer<typeof RestoreTo>;

/** A table as `schema.table`, quoted as SQL would quote it. */
export const TableName = z.string().regex(/^("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\.("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)$/);

/** What of the database is recovered; absent: all of it. */
export const Scope = z.strictObject({ tables: z.array(TableName).min(1).max(50) });
export type Scope = z.infer<typeof Scope>;

/** Who or what asked for the recovery, and when it was detected (alarm time) or declared. */
export const Trigger = z.strictObject({
  kind: z.enum(['person', 'schedule', 'alarm', 'event']),
  name: z.string().optional(),
  at: Moment.optional(),
});

/** A named person's word that a check which did not pass may not stop this recovery. */
export const Waiver = z.strictObject({
  /** Names of validation checks, such as `row-floors`; every other one still binds. */
  checks: z.array(z.string()).min(1),
  by: z.string().trim().min(1),
  reason: z.string().trim().min(1).max(500),
});
export type Waiver = z.infer<typeof Waiver>;

/** Of a failover of the Region: with the primary's help and without loss, or without either. */
export const Style = z.enum(['graceful', 'ungraceful']);

/** The small input of the console, the schedules, triage and `dr`. */
export const StartRequest = z.strictObject({
  mode: Mode.default('drill'),
  reason: z.string().trim().min(1).max(500),
  target: z.string().min(1).optional(),
  restoreTo: RestoreTo.default('latest'),
  /** A recovery of named tables in production as it is; absent: of the whole database, to a new instance. */
  scope: Scope.optional(),
  requestId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
  /** A recovery needs the environment's name here. */
  confirm: z.string().optional(),
  /** A failed recovery to take up again: what it made is adopted, and `restoreTo` may be given anew. */
  incident: z.string().optional(),
  /** With `incident` only: nobody can waive what has not been seen to fail. */
  waiver: Waiver.optional(),
  trigger: Trigger.default({ kind: 'person' }),
});
export type StartRequest = z.infer<typeof StartRequest>;

/** Carried through every state of a recovery: small, no secrets. */
export const Incident = z.strictObject({
  id: z.string(),
  environment: z.string(),
  scenario: Scenario,
  mode: Mode,
  reason: z.string(),
  trigger: Trigger,
  /** Region and ARN of the execution that works on it. */
  region: z.string(),
  executionArn: z.string(),
  /** When the RTO clock started: detection (alarm) or declaration. */
  detectedAt: Moment,
  target: z.string(),
  restoreTo: RestoreTo,
  scope: Scope.optional(),
  style: Style.optional(),
  /** A retry: the execution that worked on this incident before. */
  retryOf: z.string().optional(),
  waiver: Waiver.optional(),
});
export type Incident = z.infer<typeof Incident>;

/** The execution of a state machine, as its context object names it. */
export const Execution = z.strictObject({ arn: z.string(), startedAt: Moment });
export type Execution = z.infer<typeof Execution>;

/** Error and Cause of a failed state, as a Catch hands them on. */
export const Failure = z.strictObject({ Error: z.string(), Cause: z.string().default('') });
export type Failure = z.infer<typeof Failure>;

export const IncidentStatus = z.enum(['open', 'closed', 'failed']);

/** Schema version of persisted records; a test forces the bump when a shape changes. */
export const recordVersion = 1;

/** One named state on the incident's timeline. */
export const StepRecord = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  /** Which execution: a retry begins the timeline anew. */
  execution: z.string().optional(),
  /** Name of the state, and the piece inside a Map where there is one. */
  step: z.string(),
  piece: z.string().optional(),
  status: z.enum(['running', 'waiting', 'succeeded', 'failed']),
  startedAt: Moment,
  finishedAt: Moment.optional(),
  attempts: z.number().int().positive(),
  /** One line for people: what happened, or what is waited for. */
  summary: z.string(),
  /** Facts for the report; no secrets. */
  facts: z.record(z.string(), z.unknown()),
  error: z.strictObject({ name: z.string(), message: z.string(), next: z.string() }).optional(),
});
export type StepRecord = z.infer<typeof StepRecord>;

export const IncidentRecord = z.strictObject({
  version: z.literal(recordVersion),
  incident: Incident,
  status: IncidentStatus,
  openedAt: Moment,
  closedAt: Moment.optional(),
  /** Set once the application has validated healthy: the RTO clock stops here. */
  recoveredAt: Moment.optional(),
  objectives: z.strictObject({ rtoSeconds: z.number(), rpoSeconds: z.number() }),
  achieved: z.strictObject({ rtoSeconds: z.number().optional(), rpoSeconds: z.number().optional() }),
  outcome: z.string().optional(),
  reports: z.strictObject({ json: z.string(), html: z.string() }).optional(),
});
export type IncidentRecord = z.infer<typeof IncidentRecord>;

export const MessageKind = z.enum([
  'declared',
  'approval-wanted',
  'milestone',
  'update',
  'resolved',
  'failed',
  'refused',
  'triage',
  'customers',
]);
export type MessageKind = z.infer<typeof MessageKind>;

/** What people were told, or that they could not be. */
export const MessageRecord = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  at: Moment,
  kind: MessageKind,
  subject: z.string(),
  text: z.string(),
  /** Absent: delivered to the topic. */
  failure: z.string().optional(),
});
export type MessageRecord = z.infer<typeof MessageRecord>;

/** One closed incident, as the trend over drills shows it. */
export const TrendPoint = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  scenario: Scenario,
  mode: Mode,
  closedAt: Moment,
  succeeded: z.boolean(),
  rtoSeconds: z.number().optional(),
  rpoSeconds: z.number().optional(),
});
export type TrendPoint = z.infer<typeof TrendPoint>;

/** The one lease of an environment, in the DR Region. Held while its execution is RUNNING. */
export const Lease = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  executionArn: z.string(),
  region: z.string(),
  mode: Mode,
  scenario: Scenario,
  takenAt: Moment,
});
export type Lease = z.infer<typeof Lease>;

/** Which database is production. One record, in the DR Region; the epoch grows with every cut-over. */
export const ActiveDatabase = z.strictObject({
  version: z.literal(recordVersion),
  identifier: z.string(),
  resourceId: z.string(),
  region: z.string(),
  address: z.string(),
  port: z.number().int(),
  epoch: z.number().int().positive(),
  since: Moment,
});
export type ActiveDatabase = z.infer<typeof ActiveDatabase>;

/** What a person decided about a recovery that asked. Also the output of the state that asked. */
export const ApprovalDecision = z.strictObject({
  approved: z.boolean(),
  /** ARN of the identity that IAM authenticated. */
  by: z.string(),
  reason: z.string(),
  at: Moment,
  /** The restore point that the person chose instead of the plan's. */
  restoreTo: RestoreTo.optional(),
});
export type ApprovalDecision = z.infer<typeof ApprovalDecision>;

/** The question as it was asked, in the DR Region's control table. Its task token is the adapter's own. */
export const Approval = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  executionArn: z.string(),
  /** Region of the execution that waits. */
  region: z.string(),
  askedAt: Moment,
  /** When silence declines. */
  expiresAt: Moment,
  /** Who started the recovery; absent where an alarm or an event did. */
  startedBy: z.string().optional(),
  /** What was asked about. Without a restore point a person chooses one. */
  plan: z.strictObject({
    source: z.string(),
    candidate: z.string(),
    damage: z.array(z.string()),
    restorePoint: Moment.optional(),
    window: z.strictObject({ earliest: Moment, latest: Moment }).optional(),
    estimatedLossSeconds: z.number().nonnegative(),
    /** Only these are repaired, in place; absent: the whole database. */
    tables: z.array(z.string()).optional(),
    /** Production leaves a Region, and the candidate follows it already. */
    failover: z
      .strictObject({ style: z.enum(['graceful', 'ungraceful']), from: z.string(), to: z.string() })
      .optional(),
    /** What is done, one line each, where no database is restored: then nobody chooses a restore point. */
    changes: z.array(z.string()).optional(),
  }),
  decision: ApprovalDecision.optional(),
});
export type Approval = z.infer<typeof Approval>;

/** How to undo an act; registered before the act. Undone last-in first-out when the recovery does not succeed. */
export const Compensation = z.strictObject({
  version: z.literal(recordVersion),
  incidentId: z.string(),
  /** Order of registration, from 1. */
  number: z.number().int().positive(),
  /** Names the undo, e.g. `unfence-source`. */
  name: z.string(),
  /** What the undo must know; no secrets. */
  facts: z.record(z.string(), z.unknown()),
  registeredAt: Moment,
  doneAt: Moment.optional(),
  /** What undoing came to, in one line for people. */
  outcome: z.string().optional(),
  /** Undone, production takes the application's writes again. */
  takesWrites: z.literal(true).optional(),
});
export type Compensation = z.infer<typeof Compensation>;
