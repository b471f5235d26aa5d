/** What a build did: on the timeline, and as the outcome that the machine goes on with. Runs as the build's last command. */
import type { StepResult } from '../step.ts';
import type { BuildAction, Change, PlanReport } from './contracts.ts';
import { LeftBehind, ManifestsRefused, PlanChanged, PlanRefused, TerraformFailed } from './errors.ts';
import type { BuildResults } from './ports.ts';
import { changesIn, describeChanges, digestOf, drillObjections } from './terraform-plan.ts';

/** Names that the buildspec gives to what a failing command means; those of a plan that are findings are not among them. */
const failures = { TerraformFailed, PlanRefused, PlanChanged, ManifestsRefused };
/** What ends the planning early and is a finding, no failure. */
const findings = ['SourceUnreachable', 'OverlayUnusable'];

export interface BuildInput {
  readonly action: BuildAction;
}

export function reportBuild(
  { action }: BuildInput,
  results: BuildResults,
): StepResult<PlanReport | Record<string, never>> {
  const failed = results.failed();
  const { arn, log } = results.build();
  const isFinding = action === 'plan' && failed !== undefined && findings.includes(failed);
  const facts = { build: arn, log };
  if (failed !== undefined && !isFinding) {
    const define = action === 'destroy' ? LeftBehind : (failures[failed as keyof typeof failures] ?? TerraformFailed);
    throw define(`${results.problems().join(' ') || `the build failed: ${failed}`} (log: ${log})`, { details: facts });
  }
  if (action !== 'plan') return { output: {}, summary: done[action], facts };
  const plan = results.plan();
  const changes: Change[] = plan === undefined ? [] : changesIn(plan);
  const report: PlanReport = {
    source: failed === 'SourceUnreachable' ? 'unreachable' : 'read',
    overlay: failed === undefined ? 'usable' : 'unusable',
    changes,
    digest: digestOf(changes),
    images: imagesIn(results.rendered() ?? ''),
  };
  return {
    output: report,
    summary: summaryOf(report, results.problems()),
    facts: { ...facts, changes: describeChanges(changes), source: report.source, overlay: report.overlay },
  };
}

const done = {
  rebuild: 'Terraform and the manifests are applied',
  destroy: 'Terraform destroyed what the drill had made',
};

function summaryOf({ source, overlay, changes }: PlanReport, problems: readonly string[]): string {
  if (source === 'unreachable') return `Git cannot be read: ${problems.join(' ')}`;
  const terraform =
    changes.length === 0 ? 'Terraform would change nothing' : `Terraform would: ${describeChanges(changes).join(', ')}`;
  return overlay === 'usable' ? terraform : `${terraform}; the overlay cannot be built: ${problems.join(' ')}`;
}

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
  if (action === 'destroy') {
    const reasons = drillObjections(changes, drillPrefix, 'delete');
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
