/** What the daily comparison with Git found, as metrics that the alarms read; the last command of its build. */
import type { PlanReport } from '../cluster/contracts.ts';
import type { BuildResults } from '../cluster/ports.ts';
import { reportOf } from '../cluster/report-build.ts';
import { describeChanges } from '../cluster/terraform-plan.ts';
import type { Metrics } from '../database/ports.ts';
import { ConfigurationUnknown } from './errors.ts';

export interface ReportDriftContext {
  readonly results: BuildResults;
  readonly metrics: Metrics;
}

/** Throws ConfigurationUnknown where Git or the cluster could not be compared: then nothing is said, and that alarm rings. */
export async function reportDrift(
  { lost }: { readonly lost: readonly string[] },
  { results, metrics }: ReportDriftContext,
): Promise<{ readonly drift: readonly string[] }> {
  const drift = [...lost, ...driftIn(results)];
  const unit = 'Count' as const;
  await metrics.put([
    { name: 'ConfigurationDrift', value: drift.length > 0 ? 1 : 0, unit },
    { name: 'ConfigurationChecked', value: 1, unit },
  ]);
  return { drift };
}

function driftIn(results: BuildResults): string[] {
  const failed = results.failed();
  if (failed !== undefined)
    throw ConfigurationUnknown(`${failed}: ${results.problems().join(' ')} (log: ${results.build().log})`);
  const { changes, differences }: PlanReport = reportOf(results);
  if (differences === undefined && !changes.some(({ type }) => type === 'aws_eks_cluster'))
    throw ConfigurationUnknown(`the cluster could not be compared with the overlay (log: ${results.build().log})`);
  return [...describeChanges(changes), ...(differences ?? [])];
}
