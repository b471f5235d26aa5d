/** What the configuration area keeps on record, and hands from state to state. */
import * as z from 'zod';
import { Moment, recordVersion } from '../incident/contracts.ts';

/** What a protected resource is. `change`: of Terraform’s plan · `manifest`: an object of the overlay. */
export const AffectedKind = z.enum(['record', 'zone', 'secret', 'key', 'bucket', 'database', 'change', 'manifest']);

/**
 * How it comes back. `recorded-zone`: from the recording · `recovery-window`: RestoreSecret · `replication`: ReplicateSecretToRegions · `cancel-deletion`:
 * CancelKeyDeletion and EnableKey · `terraform` and `manifests`: from Git · `nobody`: a person brings it back.
 */
export const Way = z.enum([
  'recorded-zone',
  'recovery-window',
  'replication',
  'cancel-deletion',
  'terraform',
  'manifests',
  'nobody',
]);

/** One resource that is gone or differs. No secrets: values of records are public. */
export const Affected = z.strictObject({
  kind: AffectedKind,
  name: z.string(),
  is: z.string(),
  shouldBe: z.string(),
  way: Way,
});
export type Affected = z.infer<typeof Affected>;

/** One record set as Route 53 has it; everything that names and routes it, so that it can be put back. */
export const RecordSetBackup = z
  .looseObject({ Name: z.string(), Type: z.string(), SetIdentifier: z.string().optional() })
  .describe('ResourceRecordSet of the Route 53 API');
export type RecordSetBackup = z.infer<typeof RecordSetBackup>;

/** The zone as it was: an object of the evidence buckets. */
export const ZoneRecording = z.strictObject({
  version: z.literal(recordVersion),
  zone: z.string(),
  at: Moment,
  sets: z.array(RecordSetBackup),
  /** Titles of what had gone since the recording before it: a recovery passes over this one, and takes that. */
  lost: z.array(z.string()).default([]),
});
export type ZoneRecording = z.infer<typeof ZoneRecording>;

/** What LookAtResources saw of what Terraform does not own. */
export const Looked = z.strictObject({
  /** The recording that the zone was compared with; absent where there is none. */
  recording: z.strictObject({ location: z.string(), at: Moment }).optional(),
  affected: z.array(Affected),
  /** What could not be looked at, and why, one line each. */
  unknown: z.array(z.string()),
  /** What was looked at, in words. */
  seen: z.array(z.string()),
});
export type Looked = z.infer<typeof Looked>;

/** What is going to be restored, as a person approves it. Nothing affected: nothing is. */
export const Restoration = z.strictObject({
  affected: z.array(Affected),
  recording: Looked.shape.recording,
  /** Digest of the approved changes of Terraform (ADR 0029). */
  approved: z.string(),
  /** `git`: the overlay is applied · `none`: no object of it differs. */
  manifests: z.enum(['git', 'none']),
  /** Whether a build has anything to apply. */
  applies: z.boolean(),
  /** What approving does, one line each. */
  question: z.array(z.string()).min(1),
  approval: z.enum(['ask', 'none']),
});
export type Restoration = z.infer<typeof Restoration>;

/**
 * What Terraform still believes after a cut-over, in the control table: (`terraform-debt`, `<resourceId>`). Open where the
 * active database bears its resource id and nobody has closed it.
 */
export const DebtRecord = z.strictObject({
  version: z.literal(recordVersion),
  /** The instance that is production now: its resource id, its name, its Region. */
  resourceId: z.string(),
  import: z.string(),
  region: z.string(),
  /** The instance that was. */
  old: z.string(),
  /** Parameter that the application reads its endpoint from. */
  parameter: z.string(),
  incidentId: z.string(),
  since: Moment,
  closedAt: Moment.optional(),
});
export type DebtRecord = z.infer<typeof DebtRecord>;
