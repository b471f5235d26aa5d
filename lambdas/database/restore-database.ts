import { restoreDatabase } from '../../core/database/restore-database.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { secrets } from '../adapters/aws/secrets.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  restoreDatabase(input, { ...rt, databases: databases(rt), secrets: secrets(rt) }),
);
