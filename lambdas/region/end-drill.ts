import { endDrill } from '../../core/region/end-drill.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { regionStore } from '../adapters/aws/region-store.ts';
import { standby } from '../adapters/kubernetes/standby.ts';
import { makeStep, StepInput } from '../handler.ts';

export const handler = makeStep(StepInput, incidentStore, (input, rt) =>
  endDrill(input, {
    ...rt,
    control: controlStore(rt),
    metrics: metrics({ ...rt, here: rt.settings.dr }),
    records: async () => (await import('../adapters/aws/records.ts')).records(),
    standby: standby(rt),
    store: regionStore(rt),
  }),
);
