/** TearDown and AwaitTornDown: nothing is left of a drill, or of the copy that tables were repaired from; nothing else is touched. */
import type { ActiveDatabase, Incident } from '../incident/contracts.ts';
import { candidateIdentifier, incidentTag, isCopyDeleted } from '../incident/identifiers.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { DeletionRefused, StillDeleting } from './errors.ts';
import type { DatabaseInstance, Databases, Parameters } from './ports.ts';

/** Value of the drill's endpoint parameter while there is no drill. */
export const noEndpoint = 'none';

export interface TearDownContext {
  readonly settings: Settings;
  readonly control: Pick<ControlStore, 'readActiveDatabase' | 'readLease'>;
  readonly databases: Pick<Databases, 'find' | 'delete'>;
  readonly parameters: Pick<Parameters, 'write'>;
}

/** Runs on every path, also where nothing was made yet; repeats itself harmlessly. */
export async function tearDown(
  { incident }: { incident: Incident },
  { settings, control, databases, parameters }: TearDownContext,
): Promise<StepResult<Record<string, never>>> {
  if (!isCopyDeleted(incident))
    throw DeletionRefused(`${incident.id} is neither a drill nor a repair of tables: a recovery deletes nothing.`);
  const identifier = candidateIdentifier(settings, incident.target, incident.id);
  const [active, lease] = await Promise.all([control.readActiveDatabase(), control.readLease()]);
  // The drill's endpoint belongs to whoever holds the lease: a late clean-up must not take it from the next drill.
  if (lease === undefined || lease.incidentId === incident.id)
    await parameters.write(settings.canary.databaseEndpointParameter, noEndpoint);
  // Read last: what is judged is what is deleted.
  const instance = await databases.find(identifier);
  if (instance === undefined) return { output: {}, summary: `${identifier} does not exist; nothing to delete` };
  const refusal = refuseDeletion(instance, { settings, incident, active });
  if (refusal !== undefined) throw DeletionRefused(`${identifier} is not deleted: ${refusal}.`);
  const isUnderWay = instance.status === 'deleting';
  const outcome = isUnderWay ? 'deleting' : await databases.delete(identifier);
  return {
    output: {},
    summary: `${identifier} is ${outcome === 'gone' ? 'gone' : 'being deleted'}`,
    facts: { identifier, resourceId: instance.resourceId, deletion: isUnderWay ? 'under way' : 'started' },
  };
}

/**
 * Why this instance must not be deleted by this drill; undefined where it may. A tag alone is no guard: a restored copy
 * inherits tags, and whoever can retag bypasses it (aws-facts), so name, tag and resource id must all agree.
 */
export function refuseDeletion(
  instance: DatabaseInstance,
  { settings, incident, active }: { settings: Settings; incident: Incident; active: ActiveDatabase | undefined },
): string | undefined {
  const owner = instance.tags[incidentTag];
  if (instance.identifier !== candidateIdentifier(settings, incident.target, incident.id))
    return 'it is not the name that this incident derives';
  if (!instance.identifier.startsWith(settings.database.drillPrefix)) return 'it does not bear the drill prefix';
  if (owner !== incident.id) return `it was made by ${owner ?? 'no incident'}`;
  if (active === undefined) return 'there is no record of which database is production';
  if (instance.resourceId === active.resourceId || instance.identifier === active.identifier) return 'it is production';
  return undefined;
}

export interface AwaitTornDownContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find' | 'hasAutomatedBackup'>;
}

export async function awaitTornDown(
  { incident }: { incident: Incident },
  { settings, databases }: AwaitTornDownContext,
): Promise<StepResult<Record<string, never>>> {
  const identifier = candidateIdentifier(settings, incident.target, incident.id);
  const instance = await databases.find(identifier);
  if (instance !== undefined) throw StillDeleting(`${identifier} is ${instance.status}.`);
  if (await databases.hasAutomatedBackup(identifier)) throw StillDeleting(`${identifier} still has automated backups.`);
  return { output: {}, summary: `${identifier} is gone, with its automated backups` };
}
