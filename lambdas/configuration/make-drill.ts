import { makeDrill } from '../../core/configuration/drill.ts';
import { hostedZones } from '../adapters/aws/hosted-zones.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { protectedSecrets } from '../adapters/aws/protected-secrets.ts';
import { recordingsLater } from '../adapters/aws/recordings-later.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  makeDrill(input, {
    ...rt,
    zones: hostedZones(),
    recordings: recordingsLater(rt),
    secrets: protectedSecrets(rt),
  }),
);
