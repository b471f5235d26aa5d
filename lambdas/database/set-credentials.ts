import { Candidate } from '../../core/database/contracts.ts';
import { setCredentials } from '../../core/database/credentials.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ candidate: Candidate }), incidentStore, (input, rt) =>
  setCredentials(input, { ...rt, ...logins(rt) }),
);
