/** What the cluster area keeps on record, and hands from state to state. */
import * as z from 'zod';
import { Blueprint } from '../settings.ts';

/** `node`: Kubernetes reschedules by itself · `cluster`: it has to be rebuilt. */
export const Level = z.enum(['none', 'node', 'cluster']);
export type Level = z.infer<typeof Level>;

/** One resource that Terraform would change. Addresses and names only: a plan as JSON holds secrets (aws-facts). */
export const Change = z.strictObject({
  address: z.string(),
  type: z.string(),
  /** As Terraform has them: ["create"], ["delete", "create"] for a replacement. */
  actions: z.array(z.string()).min(1),
  /** The identifier of the resource itself, where the plan tells it. */
  name: z.string().optional(),
});
export type Change = z.infer<typeof Change>;

/** Names of what a build works on. */
export const Where = z.strictObject({
  stateBucket: z.string(),
  lockTable: z.string(),
  namespace: z.string(),
  blueprint: Blueprint,
});
export type Where = z.infer<typeof Where>;

/** Of a plan, what every step after it needs. */
export const PlanWhere = z.object({ where: Where });
export type PlanWhere = z.infer<typeof PlanWhere>;

/** What is lost, and so what is done about it. */
export const ClusterPlan = z.strictObject({
  level: Level,
  reasons: z.array(z.string()).min(1),
  /** A recovery asks before it rebuilds, unless the configuration lets it act by itself. */
  approval: z.enum(['ask', 'none']),
  /** Whether there are a control plane and nodes that manifests could be applied to. */
  standing: z.boolean(),
  where: Where,
});
export type ClusterPlan = z.infer<typeof ClusterPlan>;

/** What the build that plans found. */
export const PlanReport = z.strictObject({
  source: z.enum(['read', 'unreachable']),
  overlay: z.enum(['usable', 'unusable']),
  /** Changes of anything at all; empty: Terraform would change nothing. */
  changes: z.array(Change),
  /** Names one set of changes: the build that applies checks that it is about to make these. */
  digest: z.string(),
  /** Images that the overlay deploys. */
  images: z.array(z.string()),
  /** Objects in which the cluster differs from the overlay; absent where it could not be compared, or was not asked. */
  differences: z.array(z.string()).optional(),
});
export type PlanReport = z.infer<typeof PlanReport>;

/** What is going to be done, as a person approves it. */
export const Rebuild = z.strictObject({
  /** Digest of the approved changes; `none`: Terraform is not run at all. */
  approved: z.string(),
  /** `git`, or where the newest export of the cluster's state lies (s3://…). */
  manifests: z.string(),
  images: z.array(z.string()),
  /** What approving does, one line each. */
  question: z.array(z.string()).min(1),
  approval: z.enum(['ask', 'none']),
});
export type Rebuild = z.infer<typeof Rebuild>;

/** Where builds find Terraform in the bucket of its state: what they run in has none (docs/decisions/0038). */
export const terraformArchive = 'tools/terraform-linux-arm64.zip';

/** What one build of the cluster job does (lib/buildspecs/cluster-job.yml). */
export const BuildAction = z.enum(['plan', 'find', 'rebuild', 'rehearse', 'destroy', 'import', 'follow']);
export type BuildAction = z.infer<typeof BuildAction>;
