import * as z from 'zod';
import { awaitTraffic } from '../../core/region/shift-traffic.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { names } from '../adapters/dns/names.ts';
import { makeWait } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

const Input = PlanInput.extend({ shifted: z.object({ shiftedAt: z.string(), change: z.string().optional() }) });

export const handler = makeWait(Input, incidentStore, (input, rt) =>
  awaitTraffic(input, {
    ...rt,
    names,
    parameters: parameters(rt),
    records: async () => (await import('../adapters/aws/records.ts')).records(),
  }),
);
