import { validateApplication } from '../../core/validation/validate-application.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { http } from '../adapters/http/probe.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput, incidentStore, (input, rt) =>
  validateApplication(input, {
    ...rt,
    http,
    incidents: incidentStore(rt),
    parameters: parameters(rt),
    ...logins(rt),
  }),
);
