/** What a readiness run is asked, what it finds, and what stays on record of it. */
import * as z from 'zod';
import { Moment, recordVersion, Scenario } from '../incident/contracts.ts';

/** The input of the console, the schedule and `dr readiness --run`. */
export const ReadinessRequest = z.strictObject({
  /** The simulation of permissions takes a while: `when-due` is daily and after a deployment. */
  permissions: z.enum(['when-due', 'now']).default('when-due'),
});
export type ReadinessRequest = z.infer<typeof ReadinessRequest>;

/** One run, decided by AcceptReadiness; every look follows it. */
export const ReadinessRun = z.strictObject({
  /** `readiness-20261128T020000Z` */
  id: z.string(),
  executionArn: z.string(),
  startedAt: Moment,
  /** Where production would be recovered to: the Region that looks. */
  region: z.string(),
  /** Where production is. */
  activeRegion: z.string(),
  database: z.strictObject({ identifier: z.string(), resourceId: z.string() }),
  permissions: ReadinessRequest.shape.permissions,
});
export type ReadinessRun = z.infer<typeof ReadinessRun>;

/** A run that is none: production is in this Region, and the other one looks. */
export const AcceptedReadiness = z.union([
  z.strictObject({ run: ReadinessRun }),
  z.strictObject({ skipped: z.string() }),
]);
export type AcceptedReadiness = z.infer<typeof AcceptedReadiness>;

export const ReadinessVerdict = z.enum(['ready', 'not-ready', 'unknown', 'not-applicable']);
export type ReadinessVerdict = z.infer<typeof ReadinessVerdict>;

/**
 * What a check needs to answer. `dr`: the Region that production would be recovered to; `primary`: the one where it is;
 * `global`: a control plane of no Region, such as IAM's. After a failover the two Regions have changed places.
 */
export const DependsOn = z.enum(['dr', 'primary', 'global']);
export type DependsOn = z.infer<typeof DependsOn>;

export const CheckResult = z.strictObject({
  check: z.string(),
  verdict: ReadinessVerdict,
  /** One line for people. */
  reason: z.string(),
  /** When what it rests on was seen: the run, or before it where it is kept. */
  seenAt: Moment,
  /** No secrets. */
  evidence: z.record(z.string(), z.unknown()),
  dependsOn: DependsOn,
  scenarios: z.array(Scenario),
  runbook: z.string(),
});
export type CheckResult = z.infer<typeof CheckResult>;

export const ScenarioResult = z.strictObject({
  scenario: Scenario,
  verdict: z.enum(['ready', 'not-ready', 'unknown']),
  /** Share of the checks that apply which are ready, 0 to 100. */
  score: z.number(),
  /** Those that are not. */
  missing: z.array(z.string()),
});
export type ScenarioResult = z.infer<typeof ScenarioResult>;

/** A run as it is kept, in the incident table of the Region that looked: what lists, alarms and gates rest on. */
export const ReadinessRecord = z.strictObject({
  version: z.literal(recordVersion),
  run: ReadinessRun,
  at: Moment,
  verdict: ScenarioResult.shape.verdict,
  checks: z.array(CheckResult),
  scenarios: z.array(ScenarioResult),
});
export type ReadinessRecord = z.infer<typeof ReadinessRecord>;

/** The last drill of a scenario that succeeded, and what it was a drill of. */
export const GreenDrill = z.strictObject({
  version: z.literal(recordVersion),
  scenario: Scenario,
  incidentId: z.string(),
  closedAt: Moment,
  /** Hash of what was deployed when it began: settings, definitions, code. Absent where it changed on the way. */
  release: z.string().optional(),
});
export type GreenDrill = z.infer<typeof GreenDrill>;
