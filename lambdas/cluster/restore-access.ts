import * as z from 'zod';
import { ClusterPlan } from '../../core/cluster/contracts.ts';
import { restoreAccess } from '../../core/cluster/restore-access.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({ plan: ClusterPlan, roles: z.array(z.string()) });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  restoreAccess(input, { cluster: (name) => clusterView(name, rt) }),
);
