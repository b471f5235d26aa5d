import { awaitProtected } from '../../core/database/protect-database.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { makeWait } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeWait(CandidateInput, incidentStore, (input, rt) =>
  awaitProtected(input, { ...rt, databases: databases(rt) }),
);
