/** AssessDatabase: looks at what is there and makes the plan that every later step follows. */
import type { Incident } from '../incident/contracts.ts';
import { formatSeconds } from '../incident/moments.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import type { RestorePlan } from './contracts.ts';
import { DatabaseNotFound, RestorePointUnavailable } from './errors.ts';
import { newestHeartbeat } from './heartbeat.ts';
import { planRestore } from './plan.ts';
import type { DatabaseInstance, Databases, Secrets, Sessions } from './ports.ts';

export interface AssessContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'find' | 'restoreWindow' | 'findSnapshot'>;
  readonly secrets: Secrets;
  readonly sessions: Sessions;
}

export async function assessDatabase(
  { incident }: { incident: Incident },
  context: AssessContext,
): Promise<StepResult<RestorePlan>> {
  const { settings, clock, control, databases } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined || active.identifier !== incident.target)
    throw DatabaseNotFound(
      `The incident is about ${incident.target}; the active database is ${active?.identifier ?? 'not registered'}.`,
    );
  if (active.region !== incident.region)
    throw DatabaseNotFound(`The active database is in ${active.region}; this recovery runs in ${incident.region}.`);
  const source = await databases.find(active.identifier);
  if (source === undefined) throw DatabaseNotFound(`RDS in ${incident.region} has no instance ${active.identifier}.`);
  if (source.resourceId !== active.resourceId)
    throw DatabaseNotFound(
      `${active.identifier} is ${source.resourceId} in RDS and ${active.resourceId} on record: another instance took the name.`,
    );
  const { restoreTo } = incident;
  const [window, snapshot, heartbeat] = await Promise.all([
    databases.restoreWindow(source),
    typeof restoreTo === 'object' ? databases.findSnapshot(restoreTo.snapshot) : undefined,
    heartbeatOf(source, context),
  ]);
  const now = clock.now().toISOString();
  const decision = planRestore({
    settings,
    incident,
    active,
    source,
    window,
    snapshot,
    newestHeartbeat: heartbeat,
    now,
  });
  if ('refused' in decision) throw RestorePointUnavailable(`${decision.refused}.`);
  const { plan } = decision;
  return {
    output: plan,
    summary: `restore ${source.identifier} as of ${plan.restorePoint}; it would lose about ${formatSeconds(plan.estimatedLossSeconds)}`,
    facts: {
      ...plan,
      sourceStatus: source.status,
      newestHeartbeat: heartbeat ?? 'unknown: the source does not answer',
    },
  };
}

/** Best effort: a lost database does not answer, and the plan counts the loss until now. */
async function heartbeatOf(source: DatabaseInstance, { settings, secrets, sessions }: AssessContext) {
  if (source.address === undefined || source.port === undefined) return undefined;
  const address = { address: source.address, port: source.port, database: settings.database.name };
  try {
    const credentials = await secrets.credentials(settings.database.sentinelRole.secretName);
    return await newestHeartbeat(sessions, address, credentials);
  } catch {
    return undefined;
  }
}
