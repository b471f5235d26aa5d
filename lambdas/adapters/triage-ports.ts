/** What triage needs, of whichever alarm. */
import type { TriageContext } from '../../core/incident/triage-alarm.ts';
import type { Runtime } from '../handler.ts';
import { alarms } from './aws/alarms.ts';
import { announcer } from './aws/announcer.ts';
import { controlStore } from './aws/control-store.ts';
import { executions } from './aws/executions.ts';
import { incidentStore } from './aws/incident-store.ts';

export function triagePorts(rt: Runtime): TriageContext {
  const incidents = incidentStore(rt);
  return {
    ...rt,
    control: controlStore(rt),
    incidents,
    alarms: alarms(rt),
    executions: executions(rt),
    announcer: announcer(rt, incidents),
  };
}
