import { ClusterPlan } from '../../core/cluster/contracts.ts';
import { helpNodes } from '../../core/cluster/help-nodes.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ plan: ClusterPlan }), incidentStore, (input, rt) =>
  helpNodes(input, { cluster: (name) => clusterView(name, rt) }),
);
