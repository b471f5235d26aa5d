import { lookAtResources } from '../../core/configuration/look-at-resources.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { hostedZones } from '../adapters/aws/hosted-zones.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { protectedKeys } from '../adapters/aws/protected-keys.ts';
import { protectedSecrets } from '../adapters/aws/protected-secrets.ts';
import { databasesLater } from '../adapters/aws/rds-later.ts';
import { recordingsLater } from '../adapters/aws/recordings-later.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  lookAtResources(input, {
    ...rt,
    control: controlStore(rt),
    zones: hostedZones(),
    recordings: recordingsLater(rt),
    secrets: protectedSecrets(rt),
    keys: protectedKeys(rt),
    buckets: { exists: async (name) => (await import('../adapters/aws/buckets.ts')).buckets(rt).exists(name) },
    databases: databasesLater(rt),
  }),
);
