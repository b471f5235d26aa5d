import { shiftTraffic } from '../../core/region/shift-traffic.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { makeStep } from '../handler.ts';
import { PlanInput } from '../inputs.ts';

export const handler = makeStep(PlanInput, incidentStore, (input, rt) =>
  shiftTraffic(input, {
    ...rt,
    announcer: announcer(rt, incidentStore(rt)),
    metrics: metrics({ ...rt, here: rt.settings.dr }),
    records: async () => (await import('../adapters/aws/records.ts')).records(),
    store: regionStore(rt),
  }),
);
