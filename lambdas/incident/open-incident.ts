import { openIncident } from '../../core/incident/open-incident.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { readRelease } from '../adapters/release.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, ({ incident }, rt) => {
  const incidents = incidentStore(rt);
  return openIncident(incident, { ...rt, incidents, announcer: announcer(rt, incidents), release: readRelease() });
});
