import { endTenure } from '../../core/region/end-tenure.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { tenures } from '../adapters/aws/tenures.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  endTenure(input, {
    ...rt,
    compensations: compensations(rt),
    control: controlStore(rt),
    executions: executions(rt),
    tenures: tenures(rt),
  }),
);
