import { ClusterPlan } from '../../core/cluster/contracts.ts';
import { validateCluster } from '../../core/cluster/validate-cluster.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { http } from '../adapters/http/probe.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ plan: ClusterPlan }), incidentStore, (input, rt) =>
  validateCluster(input, {
    ...rt,
    http,
    control: controlStore(rt),
    incidents: incidentStore(rt),
    parameters: parameters(rt),
    cluster: (name) => clusterView(name, rt),
    ...logins(rt),
  }),
);
