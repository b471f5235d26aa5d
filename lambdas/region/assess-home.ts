import { assessHome } from '../../core/region/assess-home.ts';
import { otherRegion } from '../../core/settings.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { databases } from '../adapters/aws/rds.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  assessHome(input, {
    ...rt,
    control: controlStore(rt),
    databases: databases(rt),
    databasesThere: databases({ here: otherRegion(rt.settings, rt.here) }),
    store: regionStore(rt),
  }),
);
