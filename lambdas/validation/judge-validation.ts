import * as z from 'zod';
import { PieceResult, Tier } from '../../core/validation/contracts.ts';
import { judgeValidation } from '../../core/validation/judge-validation.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(
  StepInput.extend({ tier: Tier, round: z.number().int().positive(), results: z.array(PieceResult) }),
  incidentStore,
  judgeValidation,
);
