import * as z from 'zod';
import { awaitCluster } from '../../core/cluster/await-cluster.ts';
import { ClusterPlan } from '../../core/cluster/contracts.ts';
import { identityOf } from '../adapters/aws/identity.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { registry } from '../adapters/aws/registry.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeWait, StepInput } from '../handler.ts';

const Looks = z.object({ before: z.number(), since: z.string() });
const Input = StepInput.extend({
  plan: ClusterPlan,
  images: z.array(z.string()).optional(),
  looks: Looks,
  helped: z.boolean().optional(),
});

export const handler = makeWait(Input, incidentStore, (input, rt) =>
  awaitCluster(input, { ...rt, registry, cluster: (name) => clusterView(name, rt, identityOf(input.incident, rt)) }),
);
