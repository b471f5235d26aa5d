import { assessDatabase } from '../../core/database/assess-database.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  assessDatabase(input, {
    ...rt,
    control: controlStore(rt),
    databases: databases(rt),
    ...logins(rt),
  }),
);
