import { assessCluster } from '../../core/cluster/assess-cluster.ts';
import { identityOf } from '../adapters/aws/identity.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  assessCluster(input, {
    ...rt,
    cluster: (name) => clusterView(name, rt),
    becomeDrill: identityOf(input.incident, rt),
  }),
);
