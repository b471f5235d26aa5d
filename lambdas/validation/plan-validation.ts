import { Tier } from '../../core/validation/contracts.ts';
import { planValidation } from '../../core/validation/plan-validation.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput.extend({ tier: Tier }), incidentStore, (input, rt) =>
  planValidation(input, { ...rt, ...logins(rt) }),
);
