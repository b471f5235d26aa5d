import * as z from 'zod';
import { requestClusterApproval } from '../../core/cluster/request-approval.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { approvals } from '../adapters/aws/approvals.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({
  reasons: z.array(z.string()),
  asked: z.object({ question: z.array(z.string()).min(1) }),
  taskToken: z.string(),
});

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  requestClusterApproval(input, { ...rt, approvals: approvals(rt), announcer: announcer(rt, incidentStore(rt)) }),
);
