import { closeIncident } from '../../core/incident/close-incident.ts';
import { Failure } from '../../core/incident/contracts.ts';
import { closingPorts } from '../adapters/aws/closing-ports.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeStep, StepInput } from '../handler.ts';

/** The machine's failure is null where nothing failed. */
const Input = StepInput.extend({ failure: Failure.nullish() });

export const handler = makeStep(Input, incidentStore, ({ incident, step, failure }, rt) =>
  closeIncident({ incident, step, failure: failure ?? undefined }, closingPorts(rt)),
);
