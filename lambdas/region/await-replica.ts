import { awaitReplica } from '../../core/region/promote-replica.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { replicas } from '../adapters/aws/replicas.ts';
import { makeWait } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeWait(PlanInput, incidentStore, (input, rt) =>
  awaitReplica(input, { ...rt, databases: databases(rt), replicas: replicas(rt, rt.here.region) }),
);
