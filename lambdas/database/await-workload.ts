import { awaitWorkload } from '../../core/database/await-workload.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { workloads } from '../adapters/kubernetes/workloads.ts';
import { makeWait, StepInput } from '../handler.ts';

export const handler = makeWait(StepInput, incidentStore, (input, rt) =>
  awaitWorkload(input, { ...rt, workloads: workloads(rt) }),
);
