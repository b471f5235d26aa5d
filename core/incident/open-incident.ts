/** Opens the incident: its record, and the first message to people. */
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Incident, recordVersion } from './contracts.ts';
import { DuplicateRequest } from './errors.ts';
import { keyOfIncident } from './identifiers.ts';
import { describeRestoreTo, formatSeconds } from './moments.ts';
import type { Announcer, Clock, IncidentStore } from './ports.ts';

export interface OpenIncidentContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly incidents: Pick<IncidentStore, 'open' | 'read' | 'findByRequest'>;
  readonly announcer: Announcer;
}

/** Throws DuplicateRequest where the same request opened an incident under another execution. */
export async function openIncident(
  incident: Incident,
  { settings, clock, incidents, announcer }: OpenIncidentContext,
): Promise<StepResult<Record<string, never>>> {
  const { objectives } = settings;
  const opened = await incidents.open({
    version: recordVersion,
    incident,
    status: 'open',
    openedAt: clock.now().toISOString(),
    objectives,
    achieved: {},
  });
  if (!opened) {
    const mine = await incidents.read(incident.id);
    if (mine?.incident.executionArn !== incident.executionArn) {
      const earlier = await incidents.findByRequest(keyOfIncident(incident.id));
      throw DuplicateRequest(`The same request opened incident ${earlier ?? incident.id} under another execution`);
    }
    return { output: {}, summary: 'The incident was open already: an earlier attempt’s answer was lost' };
  }
  await announcer.announce(incident, {
    kind: 'declared',
    headline:
      incident.mode === 'drill'
        ? `Drill of the ${incident.scenario} recovery has started`
        : `Disaster declared: recovery of scenario ${incident.scenario} has started`,
    lines: [
      `Reason: ${incident.reason}`,
      `Database: ${incident.target}, restored to ${describeRestoreTo(incident.restoreTo)}`,
      `Objectives: back within ${formatSeconds(objectives.rtoSeconds)}, losing at most ${formatSeconds(objectives.rpoSeconds)} of writes`,
    ],
  });
  return { output: {}, summary: `Incident ${incident.id} is open`, facts: { detectedAt: incident.detectedAt } };
}
