/** JudgeRebuild: from what Terraform would do and what Git holds to what is done, as a person approves it; or a refusal. */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { ClusterPlan, PlanReport, Rebuild } from './contracts.ts';
import { OverlayUnusable, PlanRefused, SourceUnreachable } from './errors.ts';
import type { ClusterExports } from './ports.ts';
import { describeChanges, destroys, drillObjections, objections } from './terraform-plan.ts';

export interface JudgeRebuildContext {
  readonly settings: Pick<Settings, 'database'>;
  readonly exports: ClusterExports;
}

/** The check that a person waives who really means to destroy what a plan would destroy. */
export const protectedCheck = 'protected-resources';

interface Found {
  readonly incident: Incident;
  readonly plan: ClusterPlan;
  readonly report: PlanReport;
}

/** Throws PlanRefused, SourceUnreachable or OverlayUnusable; nothing has been changed then. */
export async function judgeRebuild(found: Found, context: JudgeRebuildContext): Promise<StepResult<Rebuild>> {
  const { plan, report } = found;
  const waived = requireHarmless(found, context.settings.database.drillPrefix);
  const manifests = await manifestsFor(found, context.exports);
  const isTerraform = report.source === 'read';
  const lines = [
    ...plan.reasons.map((reason) => `Because ${reason}`),
    ...terraformLines(report),
    manifests.line,
    ...waived,
  ];
  return {
    output: {
      approved: isTerraform ? report.digest : 'none',
      manifests: manifests.from,
      images: manifests.from === 'git' ? report.images : [],
      question: lines,
      approval: plan.approval,
    },
    summary: [...terraformLines(report), manifests.line].map((line) => line.trim()).join('; '),
    facts: { changes: report.changes, digest: report.digest, manifests: manifests.from, waived },
  };
}

/** What was waived, in words. */
function requireHarmless({ incident, report }: Found, drillPrefix: string): string[] {
  const against =
    incident.mode === 'drill' ? drillObjections(report.changes, drillPrefix, 'create') : objections(report.changes);
  if (against.length === 0) return [];
  const { waiver } = incident;
  if (incident.mode === 'drill' || !waiver?.checks.includes(protectedCheck))
    throw PlanRefused(`Terraform’s plan is refused: ${against.join('; ')}`, { details: { objections: against } });
  return against.map((each) => `WAIVED by ${waiver.by} ("${waiver.reason}"): ${each}`);
}

async function manifestsFor({ plan, report }: Found, exports: ClusterExports) {
  if (report.source === 'read' && report.overlay === 'usable')
    return { from: 'git', line: `Kubernetes: the overlay ${plan.where.blueprint.overlay} is applied, as Git has it` };
  // Without Git there is no Terraform: only what stands can be given its manifests back.
  if (report.source === 'unreachable' && !plan.standing)
    throw SourceUnreachable('Git cannot be read, and without it Terraform has nothing to rebuild the cluster from');
  const newest = await exports.newest(plan.where.namespace);
  const why =
    report.source === 'unreachable'
      ? 'Git cannot be read'
      : `the overlay ${plan.where.blueprint.overlay} cannot be built`;
  if (newest === undefined) {
    const error = report.source === 'unreachable' ? SourceUnreachable : OverlayUnusable;
    throw error(`${why}, and there is no export of the cluster’s state to fall back to`);
  }
  return {
    from: newest.location,
    line: `Kubernetes: ${why}, so the export of ${newest.at} is applied (${newest.location})`,
  };
}

function terraformLines({ source, changes }: PlanReport): string[] {
  if (source === 'unreachable') return ['Terraform: not run, for Git cannot be read'];
  if (changes.length === 0) return ['Terraform: changes nothing'];
  const destroyed = changes.filter(destroys).length;
  return [
    `Terraform: ${changes.length} changes${destroyed > 0 ? `, of which ${destroyed} DESTROY something` : ', none of which destroys anything'}`,
    ...describeChanges(changes).map((each) => `  ${each}`),
  ];
}
