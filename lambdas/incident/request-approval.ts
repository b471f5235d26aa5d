import * as z from 'zod';
import { requestApproval } from '../../core/incident/request-approval.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { approvals } from '../adapters/aws/approvals.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

const Input = PlanInput.extend({ taskToken: z.string() });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  requestApproval(input, { ...rt, approvals: approvals(rt), announcer: announcer(rt, incidentStore(rt)) }),
);
