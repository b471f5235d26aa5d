/** RestoreAccess: a new cluster knows none of the recovery's roles; those that look at it and restart workloads are let in again. */
import type { StepResult } from '../step.ts';
import { kubernetesGroup } from './access.ts';
import type { ClusterPlan } from './contracts.ts';
import type { ClusterView } from './ports.ts';

export interface RestoreAccessContext {
  readonly cluster: (name: string) => Pick<ClusterView, 'admit'>;
}

/** Idempotent: who was let in stays so. */
export async function restoreAccess(
  { plan, roles }: { readonly plan: ClusterPlan; readonly roles: readonly string[] },
  { cluster }: RestoreAccessContext,
): Promise<StepResult<Record<string, never>>> {
  const view = cluster(plan.where.blueprint.cluster);
  const admitted = await Promise.all(roles.map((role) => view.admit(role, kubernetesGroup)));
  const fresh = admitted.filter(Boolean).length;
  return {
    output: {},
    summary: `${fresh} roles are let in, ${roles.length - fresh} were before`,
    facts: { roles: roles.length, fresh },
  };
}
