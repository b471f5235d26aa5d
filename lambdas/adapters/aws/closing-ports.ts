/** What closing an incident needs, for the machine's last state and for the clean-up that stands in for it. */
import type { CloseIncidentContext } from '../../../core/incident/close-incident.ts';
import type { Runtime } from '../../handler.ts';
import { readRelease } from '../release.ts';
import { announcer } from './announcer.ts';
import { approvals } from './approvals.ts';
import { compensations } from './compensations.ts';
import { controlStore } from './control-store.ts';
import { evidenceStore } from './evidence-store.ts';
import { greenDrills } from './green-drills.ts';
import { incidentStore } from './incident-store.ts';

export function closingPorts(rt: Runtime): CloseIncidentContext {
  const incidents = incidentStore(rt);
  return {
    clock: rt.clock,
    approvals: approvals(rt),
    compensations: compensations(rt),
    control: controlStore(rt),
    incidents,
    evidence: evidenceStore(rt),
    announcer: announcer(rt, incidents),
    // Said once, at the very end: its client is loaded then.
    metrics: { put: async (values) => (await import('./metrics.ts')).metrics(rt).put(values) },
    drills: greenDrills(rt),
    release: readRelease(),
  };
}
