import { makeDrillReplica } from '../../core/region/promote-replica.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { replicas } from '../adapters/aws/replicas.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  makeDrillReplica(input, { ...rt, databases: databases(rt), replicas: replicas(rt, rt.here.region) }),
);
