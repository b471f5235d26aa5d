import { startFollowUp } from '../../core/incident/start-follow-up.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  startFollowUp(input, { ...rt, executions: executions(rt) }),
);
