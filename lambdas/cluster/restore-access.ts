import * as z from 'zod';
import { PlanWhere } from '../../core/cluster/contracts.ts';
import { restoreAccess } from '../../core/cluster/restore-access.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({ plan: PlanWhere, roles: z.array(z.string()) });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  restoreAccess(input, { ...rt, cluster: (name) => clusterView(name, rt) }),
);
