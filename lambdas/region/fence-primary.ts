import * as z from 'zod';
import { fencePrimary } from '../../core/region/fence-primary.ts';
import { otherRegion } from '../../core/settings.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

const Input = PlanInput.extend({ before: z.number().int().optional(), isTold: z.boolean().optional() });

export const handler = makeStep(Input, incidentStore, (input, rt) =>
  fencePrimary(input, {
    ...rt,
    compensations: compensations(rt),
    control: controlStore(rt),
    databases: databasesLater({ here: otherRegion(rt.settings, rt.here) }),
    executions: executions(rt),
    announcer: announcer(rt, incidentStore(rt)),
    ...logins(rt),
  }),
);
