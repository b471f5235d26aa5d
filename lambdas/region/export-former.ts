import { exportFormer } from '../../core/region/keep-former.ts';
import { evidenceLater } from '../adapters/aws/evidence-later.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { logins } from '../adapters/postgres/logins.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  exportFormer(input, { ...rt, evidence: evidenceLater(rt), ...logins(rt) }),
);
