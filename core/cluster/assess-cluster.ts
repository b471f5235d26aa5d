/** AssessCluster: what is lost (control plane, nodes, workloads), and so what is done about it. It only looks. */
import type { Incident } from '../incident/contracts.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { ClusterPlan, Where } from './contracts.ts';
import { type ClusterFacts, decideLevel } from './decide-level.ts';
import { drillAccountOf } from './drill-account.ts';
import { ClusterUnknown } from './errors.ts';
import type { ClusterView } from './ports.ts';

export interface AssessClusterContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly cluster: (name: string) => Pick<ClusterView, 'status' | 'groups' | 'nodes' | 'workloads'>;
  /** Becomes who acts on the cluster of a drill. Throws DrillAccountRefused. */
  readonly becomeDrill: () => Promise<unknown>;
}

/** The check that a person waives who knows that a control plane which cannot be judged is lost. */
export const controlPlaneCheck = 'control-plane';

/** Throws ClusterUnknown where nothing can be decided. A drill rebuilds a cluster beside production, whatever that one is like. */
export async function assessCluster(
  { incident }: { readonly incident: Incident },
  { settings, here, cluster, becomeDrill }: AssessClusterContext,
): Promise<StepResult<ClusterPlan>> {
  const isDrill = incident.mode === 'drill';
  const where = whereOf(incident.mode, settings, here);
  const { cluster: name } = where.blueprint;
  const plan = {
    approval: isDrill || settings.automatic.cluster === 'auto' ? ('none' as const) : ('ask' as const),
    where,
  };
  if (isDrill) {
    // Before anything is made: a role that is another account's, or admits nobody, makes nothing.
    await becomeDrill();
    const account = drillAccountOf(incident.mode, settings)?.id;
    const place = account === undefined ? 'beside production' : `in account ${account}`;
    const reason = `a drill: ${name} is made ${place}, with a state of its own`;
    return { output: { ...plan, level: 'cluster', reasons: [reason], standing: false }, summary: reason };
  }
  const facts = await factsOf(name, settings, cluster(name));
  const { level, reasons, standing } = decideLevel(facts, incident.waiver?.checks.includes(controlPlaneCheck));
  const told = reasons.join('; ');
  if (level === 'unknown') throw ClusterUnknown(told, { details: { reasons } });
  const titles = { none: 'nothing is lost', node: 'node-level', cluster: 'cluster-level' };
  return {
    output: { ...plan, level, reasons: [...reasons], standing },
    summary: `${titles[level]}: ${told}`,
    facts: { level, reasons, standing, status: facts.status ?? 'absent', groups: facts.groups },
  };
}

/** A drill has variables, a state and a name of its own. */
export const whereOf = (mode: Incident['mode'], settings: Settings, here: RegionSettings): Where => ({
  stateBucket: drillAccountOf(mode, settings)?.stateBuckets[here.role] ?? here.terraformStateBucket,
  lockTable: settings.cluster.lockTable,
  namespace: settings.application.deployment.namespace,
  blueprint: mode === 'drill' ? settings.cluster.drill : settings.cluster[here.role],
});

/** Everything that the decision rests on. Where EKS knows no cluster there is nothing else to ask. */
export async function factsOf(
  name: string,
  { application, canary }: Pick<Settings, 'application' | 'canary'>,
  view: Pick<ClusterView, 'status' | 'groups' | 'nodes' | 'workloads'>,
): Promise<ClusterFacts> {
  const status = await view.status();
  const nobody = { answer: 'silent', why: 'there is no cluster' } as const;
  if (status === undefined) return { name, status, groups: [], nodes: nobody, workloads: nobody };
  const { namespace } = application.deployment;
  const [groups, nodes, workloads] = await Promise.all([
    view.groups(),
    view.nodes(),
    view.workloads(namespace, [application.deployment.name, canary.deployment.name]),
  ]);
  return { name, status, groups, nodes, workloads };
}

/** Where a build works, as the variables of lib/buildspecs/cluster-job.yml. */
export const variablesOf = ({
  blueprint,
  namespace,
  stateBucket,
  lockTable,
}: Where): Readonly<Record<string, string>> => ({
  CLUSTER: blueprint.cluster,
  NAMESPACE: namespace,
  STATE_BUCKET: stateBucket,
  STATE_KEY: blueprint.stateKey,
  LOCK_TABLE: lockTable,
  VARIABLES: blueprint.variables,
  OVERLAY: blueprint.overlay,
});
