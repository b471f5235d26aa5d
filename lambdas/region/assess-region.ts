import * as z from 'zod';
import { ApprovalDecision } from '../../core/incident/contracts.ts';
import { ReadinessRun } from '../../core/readiness/contracts.ts';
import { Looked } from '../../core/readiness/facts.ts';
import { assessRegion } from '../../core/region/assess-region.ts';
import { profiles } from '../adapters/aws/baselines.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { primaryLooks } from '../adapters/aws/primary-looks.ts';
import { databasesLater, replicasLater } from '../adapters/aws/rds-later.ts';
import { readinessRecords } from '../adapters/aws/readiness.ts';
import { tenures } from '../adapters/aws/tenures.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({
  run: ReadinessRun,
  looked: z.array(Looked),
  decision: ApprovalDecision.optional(),
});

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  assessRegion(input, {
    ...rt,
    control: controlStore(rt),
    databases: databasesLater(rt),
    looks: primaryLooks(rt),
    profiles: profiles(rt),
    readiness: readinessRecords(rt),
    replicas: replicasLater(rt),
    tenures: tenures(rt),
    ...logins(rt),
  }),
);
