import { takeLease } from '../../core/incident/take-lease.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, ({ incident }, rt) =>
  takeLease(incident, { ...rt, control: controlStore(rt), executions: executions(rt) }),
);
