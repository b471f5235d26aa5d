import { removeDrill } from '../../core/configuration/drill.ts';
import { hostedZones } from '../adapters/aws/hosted-zones.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { protectedSecrets } from '../adapters/aws/protected-secrets.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (_, rt) =>
  removeDrill({ ...rt, zones: hostedZones(), secrets: protectedSecrets(rt) }),
);
