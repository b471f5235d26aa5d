import * as z from 'zod';
import { awaitNextReplica } from '../../core/region/make-replica.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { replicaPorts } from '../adapters/aws/replica-ports.ts';
import { makeWait, StepInput } from '../handler.ts';

const Input = StepInput.extend({ next: z.object({ identifier: z.string() }) });

export const handler = makeWait(Input, incidentStore, (input, rt) => awaitNextReplica(input, replicaPorts(rt)));
