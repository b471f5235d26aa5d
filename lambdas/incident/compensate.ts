import * as z from 'zod';
import { compensate } from '../../core/incident/compensate.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

const Input = StepInput.extend({
  /** Whether the machine has waited for a promotion of which nothing shows. */
  promotionAwaited: z.boolean().optional(),
});

export const handler = makeStep(Input, incidentStore, async (input, rt) => {
  const { undoPorts } = await import('../adapters/undo-ports.ts');
  return compensate(input, undoPorts(rt, input.promotionAwaited));
});
