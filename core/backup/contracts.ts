/** What the states of the backup machine hand on, and what stays on record of it. */
import * as z from 'zod';
import { Failure, Moment, recordVersion } from '../incident/contracts.ts';

/** The input of the console, the schedules and `aws stepfunctions start-execution`. */
export const BackupRequest = z.strictObject({
  /** `backup`: make and check today's. `prove`: restore the newest one and validate it. `prove-dump`: the newest dump. */
  task: z.enum(['backup', 'prove', 'prove-dump']).default('backup'),
});
export type BackupRequest = z.infer<typeof BackupRequest>;

/** One run of the machine, decided by AcceptBackup; every later state follows it. */
export const BackupRun = z.strictObject({
  /** `backup-20261128T020000Z`: the same execution always yields the same. */
  id: z.string(),
  task: BackupRequest.shape.task,
  executionArn: z.string(),
  startedAt: Moment,
  /** Where the active database is, and where its copies go. */
  region: z.string(),
  otherRegion: z.string(),
  source: z.strictObject({ identifier: z.string(), resourceId: z.string() }),
  /** Of today's snapshot, in both Regions. */
  snapshot: z.string(),
});
export type BackupRun = z.infer<typeof BackupRun>;

/** A run that is none: the active database is in the other Region, whose machine does the work. */
export const Accepted = z.union([z.strictObject({ run: BackupRun }), z.strictObject({ skipped: z.string() })]);
export type Accepted = z.infer<typeof Accepted>;

export const Part = z.enum([
  'snapshot',
  'copy',
  'verification',
  'retention',
  'retention-elsewhere',
  'protection',
  'cluster-state',
  'configuration',
  'dump',
  'proof',
  'dump-proof',
]);
export type Part = z.infer<typeof Part>;

/** What became of one part. `repaired`: it was not as it should be, and is now. */
export const Outcome = z.strictObject({
  part: Part,
  verdict: z.enum(['passed', 'repaired', 'failed']),
  /** One line for people. */
  summary: z.string(),
  /** No secrets. */
  facts: z.record(z.string(), z.unknown()),
});
export type Outcome = z.infer<typeof Outcome>;

/** What a state's Catch makes of a part that threw. */
export const FailedPart = z.strictObject({ part: Part, failure: Failure });

/** One run as it is kept: what every list, alarm and trend of backups rests on. */
export const BackupRecord = z.strictObject({
  version: z.literal(recordVersion),
  run: BackupRun,
  finishedAt: Moment,
  verdict: z.enum(['succeeded', 'failed']),
  outcomes: z.array(Outcome),
  /** Where the report is. */
  report: z.string().optional(),
});
export type BackupRecord = z.infer<typeof BackupRecord>;

/**
 * Whether a backup restores. `unknown`: the drill ended for a reason that is not the backup's, or never began; that counts
 * neither for the backup nor against it.
 */
export const Proof = z.strictObject({
  version: z.literal(recordVersion),
  /** Identifier of the snapshot, or name of the dump. */
  backup: z.string(),
  verdict: z.enum(['passed', 'failed', 'unknown']),
  why: z.string(),
  at: Moment,
  incidentId: z.string().optional(),
});
export type Proof = z.infer<typeof Proof>;
