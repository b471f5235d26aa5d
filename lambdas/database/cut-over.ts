import { cutOver } from '../../core/database/cut-over.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { workloads } from '../adapters/kubernetes/workloads.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  cutOver(input, {
    ...rt,
    announcer: announcer(rt, incidentStore(rt)),
    control: controlStore(rt),
    parameters: parameters(rt),
    ...logins(rt),
    workloads: workloads(rt),
  }),
);
