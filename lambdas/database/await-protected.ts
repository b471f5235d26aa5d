import { awaitProtected } from '../../core/database/protect-database.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  awaitProtected(input, { ...rt, databases: databases(rt) }),
);
