import { RegionSignal, triageRegion } from '../../core/incident/triage-alarm.ts';
import { alarms } from '../adapters/aws/alarms.ts';
import { announcer } from '../adapters/aws/announcer.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { executions } from '../adapters/aws/executions.ts';
import { incidentStore } from '../adapters/aws/incident-store.ts';
import { makeHandler } from '../handler.ts';

export const handler = makeHandler(RegionSignal, (signal, rt) => {
  const incidents = incidentStore(rt);
  return triageRegion(signal, {
    ...rt,
    control: controlStore(rt),
    incidents,
    alarms: alarms(rt),
    executions: executions(rt),
    announcer: announcer(rt, incidents),
  });
});
