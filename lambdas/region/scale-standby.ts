import { scaleStandby } from '../../core/region/scale-standby.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { standby } from '../adapters/kubernetes/standby.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  scaleStandby(input, { ...rt, standby: standby(rt) }),
);
