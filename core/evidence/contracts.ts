/** The report of a closed incident: report.json is this, report.html is drawn from it. */
import * as z from 'zod';
import { Repair } from '../database/contracts.ts';
import { SourceLeft } from '../database/source-left.ts';
import { IncidentRecord, MessageRecord, Moment, StepRecord, TrendPoint } from '../incident/contracts.ts';
import { Verdict } from '../validation/contracts.ts';

/** Grows when the shape of a report changes; a test forces it. */
export const reportSchemaVersion = 3;

export const ObjectiveResult = z.strictObject({
  name: z.enum(['RTO', 'RPO']),
  objectiveSeconds: z.number(),
  achievedSeconds: z.number().optional(),
  met: z.enum(['met', 'missed', 'unknown']),
  /** How it was measured. */
  basis: z.string(),
});
export type ObjectiveResult = z.infer<typeof ObjectiveResult>;

/** One link of the chain of steps that the RTO consists of: the wait before the step, and the step. */
export const PathLink = z.strictObject({ step: z.string(), waitSeconds: z.number(), seconds: z.number() });
export type PathLink = z.infer<typeof PathLink>;

export const ValidationResult = z.strictObject({
  step: z.string(),
  check: z.string(),
  subject: z.string(),
  verdict: Verdict,
  reason: z.string(),
  seconds: z.number().optional(),
});
export type ValidationResult = z.infer<typeof ValidationResult>;

export const ParityResult = z.strictObject({
  setting: z.string(),
  source: z.string(),
  candidate: z.string(),
  /** Why it may differ; absent: it must not. */
  expected: z.string().optional(),
});
export type ParityResult = z.infer<typeof ParityResult>;

export const ChecklistItem = z.strictObject({
  item: z.string(),
  state: z.enum(['done', 'not-done', 'open', 'not-applicable']),
  basis: z.string(),
});
export type ChecklistItem = z.infer<typeof ChecklistItem>;

export const Review = z.strictObject({
  summary: z.string(),
  wentWell: z.array(z.string()),
  wentBadly: z.array(z.string()),
  questions: z.array(z.string()),
});
export type Review = z.infer<typeof Review>;

/** What Terraform still believes after a cut-over. */
export const TerraformDebt = z.object({
  /** The instance that is production now. */
  import: z.string(),
  /** The one that was. */
  old: z.string(),
  /** What was proven of that one at the cut-over. */
  left: SourceLeft.optional(),
  /** Parameter that the application reads its endpoint from. */
  parameter: z.string(),
  /** What the former instance had beside it and the new one has not. */
  notCarriedOver: z.string().optional(),
  /** Why Terraform was not let follow, or could not. */
  refused: z.string().optional(),
});
export type TerraformDebt = z.infer<typeof TerraformDebt>;

/** What somebody other than the product measured, added after the report was closed and outside its hash chain. */
export const Measured = z.strictObject({
  by: z.string(),
  /** How much faster than real the waits that AWS owns ran; 1 on AWS. */
  clockFactor: z.number().positive().optional(),
  facts: z.array(
    z.strictObject({ label: z.string(), value: z.union([z.string(), z.number()]), note: z.string().optional() }),
  ),
});
export type Measured = z.infer<typeof Measured>;

export const Report = z.strictObject({
  schemaVersion: z.literal(reportSchemaVersion),
  generatedAt: Moment,
  /** The headline, in one sentence. */
  outcome: z.string(),
  record: IncidentRecord,
  failure: z
    .strictObject({ name: z.string(), message: z.string(), next: z.string(), step: z.string().optional() })
    .optional(),
  objectives: z.array(ObjectiveResult),
  criticalPath: z.array(PathLink),
  validation: z.array(ValidationResult),
  parity: z.array(ParityResult),
  /** Of named tables, in production as it is. */
  repair: Repair.optional(),
  /** After a cut-over of production. */
  terraformDebt: TerraformDebt.optional(),
  checklist: z.array(ChecklistItem),
  review: Review,
  /** Oldest first, this incident last. */
  trend: z.array(TrendPoint),
  /** The evidence: the records as they were written, and the chain over them. */
  timeline: z.array(StepRecord),
  messages: z.array(MessageRecord),
  chain: z.array(z.strictObject({ record: z.string(), sha256: z.string() })),
  measured: Measured.optional(),
});
export type Report = z.infer<typeof Report>;
