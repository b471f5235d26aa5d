/** What a build did: on the timeline, and as the outcome that the machine goes on with. Runs as the build's last command. */
import type { StepResult } from '../step.ts';
import type { BuildAction, Change, PlanReport } from './contracts.ts';
import {
  DrillAccountRefused,
  LeftBehind,
  ManifestsRefused,
  PlanChanged,
  PlanRefused,
  TerraformFailed,
  TerraformUnavailable,
} from './errors.ts';
import type { BuildResults } from './ports.ts';
import { changesIn, describeChanges, digestOf, drillObjections, objections } from './terraform-plan.ts';

/** Builds of a recovery's machine; `import` ends with a job of its own (core/configuration/settle-debt.ts). */
export const reported = ['plan', 'find', 'rebuild', 'rehearse', 'destroy', 'follow'] as const satisfies BuildAction[];

/** Names that the buildspec gives to what a failing command means; those of a plan that are findings are not among them. */
const failures = {
  TerraformUnavailable,
  TerraformFailed,
  PlanRefused,
  PlanChanged,
  ManifestsRefused,
  DrillAccountRefused,
};
/** What ends the planning early and is a finding, no failure. */
const findings = ['SourceUnreachable', 'OverlayUnusable'];

export interface BuildInput {
  readonly action: (typeof reported)[number];
}

export function reportBuild(
  { action }: BuildInput,
  results: BuildResults,
): StepResult<PlanReport | Record<string, never>> {
  const failed = results.failed();
  const { arn, log } = results.build();
  const isLooking = action === 'plan' || action === 'find';
  const isFinding = isLooking && failed !== undefined && findings.includes(failed);
  const facts = { build: arn, log };
  // Production serves by then: what Terraform does not do is left to people, and fails nothing.
  if (action === 'follow' && failed !== undefined) {
    const why = results.problems().join(' ') || `the build failed: ${failed}`;
    return {
      output: {},
      summary: `Terraform is left as it is: ${why} (log: ${log})`,
      facts: { ...facts, terraformRefused: `${failed}: ${why}` },
    };
  }
  if (failed !== undefined && !isFinding) {
    const define = action === 'destroy' ? LeftBehind : (failures[failed as keyof typeof failures] ?? TerraformFailed);
    throw define(`${results.problems().join(' ') || `the build failed: ${failed}`} (log: ${log})`, { details: facts });
  }
  if (!isLooking) return { output: {}, summary: done[action], facts };
  const report = reportOf(results);
  const { source, overlay, changes, differences } = report;
  return {
    output: report,
    summary: summaryOf(report, results.problems(), action === 'find'),
    facts: { ...facts, changes: describeChanges(changes), source, overlay, ...(differences ? { differences } : {}) },
  };
}

/** What a build that only looks found. */
export function reportOf(results: Pick<BuildResults, 'failed' | 'plan' | 'rendered' | 'differences'>): PlanReport {
  const failed = results.failed();
  const plan = results.plan();
  const changes: Change[] = plan === undefined ? [] : changesIn(plan);
  const differences = results.differences();
  return {
    source: failed === 'SourceUnreachable' ? 'unreachable' : 'read',
    overlay: failed === undefined ? 'usable' : 'unusable',
    changes,
    digest: digestOf(changes),
    images: imagesIn(results.rendered() ?? ''),
    ...(differences === undefined ? {} : { differences: objectsIn(differences) }),
  };
}

const done = {
  rebuild: 'Terraform and the manifests are applied',
  rehearse: 'Terraform and the manifests are applied to what is the drill’s, and a deployment is deleted again',
  destroy: 'Terraform destroyed what the drill had made',
  follow: 'Terraform of this Region has followed: its plan is applied',
};

function summaryOf(
  { source, overlay, changes, differences }: PlanReport,
  problems: readonly string[],
  isCompared: boolean,
): string {
  if (source === 'unreachable') return `Git cannot be read: ${problems.join(' ')}`;
  const terraform =
    changes.length === 0 ? 'Terraform would change nothing' : `Terraform would: ${describeChanges(changes).join(', ')}`;
  if (overlay !== 'usable') return `${terraform}; the overlay cannot be built: ${problems.join(' ')}`;
  if (!isCompared) return terraform;
  if (differences === undefined) return `${terraform}; the cluster could not be compared with the overlay`;
  return `${terraform}; ${differences.length === 0 ? 'the cluster is as the overlay has it' : `these differ from the overlay: ${differences.join(', ')}`}`;
}

/**
 * Names of the objects, and nothing of what they hold. kubectl compares files that it names after them
 * (…/apps.v1.Deployment.stocker.stocker-api); the stand-in names the object.
 */
const objectsIn = (differences: string): string[] => [
  ...new Set(
    [...differences.matchAll(/^diff .*?(\S+)$/gm)].map(([, last = '']) =>
      last.includes('/MERGED-') ? (last.split('/').at(-1) ?? last) : last,
    ),
  ),
];

/** `image:` of every container, as YAML has it on a line of its own. */
const imagesIn = (rendered: string): string[] => [
  ...new Set([...rendered.matchAll(/^\s*(?:- )?image:\s*"?([^\s"]+)"?\s*$/gm)].map(([, image = '']) => image)),
];

/** Before a build applies what it has planned: why it must not. Empty where it may. */
export function checkPlan(
  plan: unknown,
  { action, approved, drillPrefix }: { action: BuildAction; approved: string; drillPrefix: string },
): { readonly error: 'PlanChanged' | 'PlanRefused'; readonly reasons: readonly string[] } | undefined {
  const changes = changesIn(plan);
  if (action === 'destroy' || action === 'rehearse') {
    const reasons = drillObjections(changes, drillPrefix, action === 'destroy' ? 'delete' : 'create');
    return reasons.length > 0 ? { error: 'PlanRefused', reasons } : undefined;
  }
  if (action === 'follow') {
    const reasons = objections(changes);
    return reasons.length > 0 ? { error: 'PlanRefused', reasons } : undefined;
  }
  if (digestOf(changes) === approved) return undefined;
  return {
    error: 'PlanChanged',
    reasons: [
      `Terraform would now do something else than was approved: ${describeChanges(changes).join(', ') || 'nothing'}`,
    ],
  };
}
