import { fenceFormer } from '../../core/region/keep-former.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) => fenceFormer(input, { ...rt, ...logins(rt) }));
