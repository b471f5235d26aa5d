import { awaitUsable } from '../../core/database/restore-database.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeWait } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeWait(PlanInput, incidentStore, (input, rt) =>
  awaitUsable(input, { ...rt, databases: databases(rt), ...logins(rt) }),
);
