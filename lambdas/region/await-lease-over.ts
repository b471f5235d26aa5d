import * as z from 'zod';
import { awaitLeaseOver } from '../../core/region/await-lease-over.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

const Input = PlanInput.extend({ fence: z.object({ outcome: z.enum(['fenced', 'gone', 'unreached']) }) });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  awaitLeaseOver(input, { ...rt, store: regionStore(rt) }),
);
