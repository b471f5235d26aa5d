import { Candidate } from '../../core/database/contracts.ts';
import { fenceDatabase } from '../../core/database/fence-database.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ candidate: Candidate }), incidentStore, (input, rt) =>
  fenceDatabase(input, { ...rt, control: controlStore(rt), ...logins(rt) }),
);
