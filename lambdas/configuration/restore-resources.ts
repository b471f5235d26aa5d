import { Restoration } from '../../core/configuration/contracts.ts';
import { restoreResources } from '../../core/configuration/restore-resources.ts';
import { hostedZones } from '../adapters/aws/hosted-zones.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { protectedKeys } from '../adapters/aws/protected-keys.ts';
import { protectedSecrets } from '../adapters/aws/protected-secrets.ts';
import { recordingsLater } from '../adapters/aws/recordings-later.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput.extend({ restoration: Restoration }), incidentStore, (input, rt) =>
  restoreResources(input, {
    ...rt,
    zones: hostedZones(),
    recordings: recordingsLater(rt),
    secrets: protectedSecrets(rt),
    keys: protectedKeys(rt),
  }),
);
