import { PlanWhere } from '../../core/cluster/contracts.ts';
import { validateCluster } from '../../core/cluster/validate-cluster.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { identityOf } from '../adapters/aws/identity.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parametersLater } from '../adapters/aws/ssm-later.ts';
import { http } from '../adapters/http/probe.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ plan: PlanWhere }), incidentStore, (input, rt) =>
  validateCluster(input, {
    ...rt,
    http,
    control: controlStore(rt),
    incidents: incidentStore(rt),
    parameters: parametersLater(rt),
    // A drill alone asks Kubernetes for the address of its application.
    cluster: (name) => ({
      async addressOf(namespace, service) {
        const { clusterView } = await import('../adapters/kubernetes/cluster-view.ts');
        return clusterView(name, rt, identityOf(input.incident, rt)).addressOf(namespace, service);
      },
    }),
    ...logins(rt),
  }),
);
