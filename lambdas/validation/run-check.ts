import { Piece } from '../../core/validation/contracts.ts';
import { runCheck } from '../../core/validation/run-check.ts';
import { baselines } from '../adapters/aws/baselines.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { CandidateInput } from '../inputs.ts';

export const handler = makeStep(CandidateInput.extend({ work: Piece }), incidentStore, (input, rt) =>
  runCheck(input, {
    ...rt,
    baselines: baselines(rt),
    incidents: incidentStore(rt),
    ...logins(rt),
  }),
);
