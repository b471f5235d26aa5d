import { makeNextReplica } from '../../core/region/make-replica.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { replicaPorts } from '../adapters/aws/replica-ports.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) => makeNextReplica(input, replicaPorts(rt)));
