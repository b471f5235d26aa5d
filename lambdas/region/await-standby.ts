import { awaitStandby } from '../../core/region/scale-standby.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { standby } from '../adapters/kubernetes/standby.ts';
import { workloads } from '../adapters/kubernetes/workloads.ts';
import { makeWait, StepInput } from '../handler.ts';

export const handler = makeWait(StepInput, incidentStore, (input, rt) =>
  awaitStandby(input, { ...rt, standby: standby(rt), workloads: workloads(rt) }),
);
