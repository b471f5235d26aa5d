import { Candidate } from '../../core/database/contracts.ts';
import { fenceDatabase } from '../../core/database/fence-database.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput.extend({ candidate: Candidate }), incidentStore, (input, rt) =>
  fenceDatabase(input, { ...rt, control: controlStore(rt), databases: databases(rt), ...logins(rt) }),
);
