/** Opens the incident, or opens it again for a retry: its record, and the first message to people. */
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { type Incident, type IncidentRecord, recordVersion } from './contracts.ts';
import { DuplicateRequest } from './errors.ts';
import { keyOfIncident } from './identifiers.ts';
import { describeRestoreTo, formatSeconds } from './moments.ts';
import type { Announcer, Clock, IncidentStore } from './ports.ts';

export interface OpenIncidentContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly incidents: Pick<IncidentStore, 'open' | 'reopen' | 'read' | 'findByRequest'>;
  readonly announcer: Announcer;
  /** What is deployed: what this incident rehearses, or relies on. */
  readonly release: string;
}

/** Throws DuplicateRequest where the same request opened an incident under another execution. */
export async function openIncident(
  incident: Incident,
  { settings, clock, incidents, announcer, release }: OpenIncidentContext,
): Promise<StepResult<Record<string, never>>> {
  const { objectives } = settings;
  const earlier = incident.retryOf === undefined ? undefined : await incidents.read(incident.id);
  const record: IncidentRecord = {
    version: recordVersion,
    incident,
    status: 'open',
    openedAt: earlier?.openedAt ?? clock.now().toISOString(),
    objectives,
    achieved: {},
  };
  const opened = await (incident.retryOf === undefined
    ? incidents.open(record)
    : incidents.reopen(record, incident.retryOf));
  if (!opened) {
    const mine = await incidents.read(incident.id);
    if (mine?.incident.executionArn !== incident.executionArn) {
      const other = await incidents.findByRequest(keyOfIncident(incident.id));
      throw DuplicateRequest(`The same request opened incident ${other ?? incident.id} under another execution`);
    }
    return { output: {}, summary: 'The incident was open already: an earlier attempt’s answer was lost' };
  }
  await announcer.announce(incident, {
    kind: 'declared',
    headline: headlineOf(incident),
    lines: [
      `Reason: ${incident.reason}`,
      subjectOf(incident),
      `Objectives: back within ${formatSeconds(objectives.rtoSeconds)}, losing at most ${formatSeconds(objectives.rpoSeconds)} of writes`,
    ],
    ...(incident.mode === 'recovery'
      ? {
          next: `The ${incident.scenario} is assessed; nothing is changed before a person approves, where one is asked. The next message says so.`,
        }
      : {}),
  });
  return {
    output: {},
    summary: `Incident ${incident.id} is open${incident.retryOf ? ' again' : ''}`,
    facts: { detectedAt: incident.detectedAt, release, ...(incident.retryOf ? { retryOf: incident.retryOf } : {}) },
  };
}

/** A recovery that names no restore point is restored to before the damage, where there is any. */
const asksForNoMoment = ({ mode, restoreTo }: Incident): boolean => mode === 'recovery' && restoreTo === 'latest';

/** What is recovered, in a line. */
function subjectOf(incident: Incident): string {
  const { scenario, scope, target, restoreTo, style, region } = incident;
  if (scenario === 'region') return `Production: ${target}, ${style} to ${region}`;
  if (scenario === 'cluster') return `Cluster: ${target}`;
  if (scenario === 'configuration') return `Configuration: ${target}`;
  if (scope === undefined)
    return `Database: ${target}, restored to ${asksForNoMoment(incident) ? 'the last good moment that the assessment finds' : describeRestoreTo(restoreTo)}`;
  return `Tables: ${scope.tables.join(', ')} of ${target}, as of ${describeRestoreTo(restoreTo)}; everything else stays as it is`;
}

function headlineOf({ mode, scenario, retryOf }: Incident): string {
  if (mode === 'drill') return `Drill of the ${scenario} recovery has started`;
  return retryOf
    ? `Recovery of scenario ${scenario} is tried again`
    : `Disaster declared: recovery of scenario ${scenario} has started`;
}
