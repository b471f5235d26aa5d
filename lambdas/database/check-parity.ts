import { checkParity } from '../../core/database/check-parity.ts';
import { profiles } from '../adapters/aws/baselines.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  checkParity(input, { ...rt, databases: databases(rt), profiles: profiles(rt), ...logins(rt) }),
);
