import { promoteReplica } from '../../core/region/promote-replica.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { replicas } from '../adapters/aws/replicas.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  promoteReplica(input, {
    ...rt,
    compensations: compensations(rt),
    databases: databases(rt),
    executions: executions(rt),
    replicas: replicas(rt, rt.here.region),
  }),
);
