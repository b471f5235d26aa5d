import { Candidate } from '../../core/database/contracts.ts';
import { validatePerformance } from '../../core/validation/validate-performance.ts';
import { performanceBaselines } from '../adapters/aws/baselines.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { parameters } from '../adapters/aws/ssm.ts';
import { http } from '../adapters/http/probe.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ candidate: Candidate }), incidentStore, (input, rt) =>
  validatePerformance(input, { ...rt, http, parameters: parameters(rt), performance: performanceBaselines(rt) }),
);
