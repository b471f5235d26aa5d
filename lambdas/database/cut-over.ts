import { cutOver } from '../../core/database/cut-over.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { baselines } from '../adapters/aws/baselines.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { workloads } from '../adapters/kubernetes/workloads.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, type Runtime } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

const ports = (rt: Runtime) => ({
  announcer: announcer(rt, incidentStore(rt)),
  baselines: baselines(rt),
  compensations: compensations(rt),
  control: controlStore(rt),
  databases: databasesLater(rt),
  parameters: parameters(rt),
  workloads: workloads(rt),
  ...logins(rt),
});

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) => cutOver(input, { ...rt, ...ports(rt) }));
