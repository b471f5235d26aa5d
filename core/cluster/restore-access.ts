/** RestoreAccess: a new cluster knows none of the recovery's roles; those that look at it and restart workloads are let in again. */

import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { kubernetesGroup } from './access.ts';
import type { PlanWhere } from './contracts.ts';
import { drillAccountOf } from './drill-account.ts';
import type { ClusterView } from './ports.ts';

export interface RestoreAccessContext {
  readonly settings: Pick<Settings, 'cluster'>;
  readonly cluster: (name: string) => Pick<ClusterView, 'admit'>;
}

/** Idempotent: who was let in stays so. */
export async function restoreAccess(
  {
    incident,
    plan,
    roles,
  }: { readonly incident: Incident; readonly plan: PlanWhere; readonly roles: readonly string[] },
  { settings, cluster }: RestoreAccessContext,
): Promise<StepResult<Record<string, never>>> {
  // Whoever makes a cluster administers it, and there every step is that role.
  const account = drillAccountOf(incident.mode, settings);
  if (account) return { output: {}, summary: `nobody is let in: ${account.roleArn} made the cluster, and looks at it` };
  const view = cluster(plan.where.blueprint.cluster);
  const admitted = await Promise.all(roles.map((role) => view.admit(role, kubernetesGroup)));
  const fresh = admitted.filter(Boolean).length;
  return {
    output: {},
    summary: `${fresh} roles are let in, ${roles.length - fresh} were before`,
    facts: { roles: roles.length, fresh },
  };
}
