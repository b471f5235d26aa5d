import * as z from 'zod';
import { Execution, Failure, Incident } from '../../core/incident/contracts.ts';
import { reportRefusal } from '../../core/incident/report-refusal.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

const Input = z.object({
  request: z.unknown(),
  execution: Execution,
  incident: Incident.optional(),
  failure: Failure,
});

export const handler = makeHandler(Input, (refusal, rt) => {
  const incidents = incidentStore(rt);
  return reportRefusal(refusal, { ...rt, control: controlStore(rt), incidents, announcer: announcer(rt, incidents) });
});
