import { compensate } from '../../core/incident/compensate.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { undoPorts } from '../adapters/undo-ports.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) => compensate(input, undoPorts(rt)));
