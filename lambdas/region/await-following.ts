import { awaitFollowing } from '../../core/region/make-replica.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeWait } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeWait(PlanInput, incidentStore, (input, rt) =>
  awaitFollowing(input, { ...rt, databases: databasesLater(rt), ...logins(rt) }),
);
