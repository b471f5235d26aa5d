import { restoreDatabase } from '../../core/database/restore-database.ts';
import { compensations } from '../adapters/aws/compensations.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { secrets } from '../adapters/aws/secrets.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  restoreDatabase(input, {
    ...rt,
    compensations: compensations(rt),
    executions: executions(rt),
    databases: databases(rt),
    secrets: secrets(rt),
  }),
);
