import { compensate } from '../../core/incident/compensate.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, async (input, rt) => {
  const { undoPorts } = await import('../adapters/undo-ports.ts');
  return compensate(input, undoPorts(rt));
});
