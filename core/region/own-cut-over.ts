/**
 * Where an earlier execution of an incident raised the epoch and did not end well: production is in this Region, and its
 * traffic may lead to the other one. What is left is to bring application and traffic; nobody judges or fences anew.
 */
import type { RestorePlan, SeenInstance } from '../database/contracts.ts';
import type { DatabaseInstance, Databases } from '../database/ports.ts';
import { restoredFromTag, restorePointTag } from '../database/restore-database.ts';
import type { ActiveDatabase, Incident } from '../incident/contracts.ts';
import { incidentTag } from '../incident/identifiers.ts';
import { formatSeconds } from '../incident/moments.ts';
import { otherRegion, type RegionSettings, type Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { successorIdentifier } from './names.ts';

export interface OwnCutOver {
  readonly active: ActiveDatabase;
  /** Production, as RDS shows it. */
  readonly instance: DatabaseInstance;
  /** Resource id of what production was before. */
  readonly former: string;
}

/** Undefined where production is elsewhere, or another incident brought it here. */
export async function findOwnCutOver(
  { id, mode }: Pick<Incident, 'id' | 'mode'>,
  active: ActiveDatabase,
  { here, databases }: { readonly here: RegionSettings; readonly databases: Pick<Databases, 'find'> },
): Promise<OwnCutOver | undefined> {
  if (mode === 'drill' || active.region !== here.region) return undefined;
  const instance = await databases.find(active.identifier);
  const former = instance?.tags[restoredFromTag];
  const isOwn = instance?.resourceId === active.resourceId && instance.tags[incidentTag] === id;
  return isOwn && former !== undefined ? { active, instance, former } : undefined;
}

interface Resumed {
  readonly incident: Incident;
  readonly own: OwnCutOver;
  /** As production was made, for what is here. */
  readonly seen: SeenInstance;
  /** Estimated, of an ungraceful failover: a switchover loses nothing, or is not cut over. */
  readonly lossSeconds: number;
}

/** The source is given without its address: the guard there fences it at every look, now that the epoch is raised. */
export function resumedPlan(
  { incident, own: { active, instance, former }, seen, lossSeconds }: Resumed,
  { settings, here }: { readonly settings: Settings; readonly here: RegionSettings },
): StepResult<RestorePlan> {
  const { identifier, createdAt, tags } = instance;
  const style = incident.style ?? 'ungraceful';
  const isRestored = identifier === successorIdentifier(settings, incident.id, 'restored');
  const reason = `${identifier} is production here since ${active.since}: this incident made it so`;
  const plan: RestorePlan = {
    source: { identifier: incident.target, resourceId: former },
    candidate: identifier,
    restore: isRestored ? { kind: 'time', at: 'latest' } : { kind: 'replica', replica: identifier },
    // A switchover brought everything that was committed before.
    restorePoint: style === 'graceful' ? active.since : tags[restorePointTag] || (createdAt ?? active.since),
    estimatedLossSeconds: style === 'graceful' ? 0 : lossSeconds,
    epoch: active.epoch - 1,
    approval: 'none', // it was given before the epoch was raised
    seen,
    resume: 'cut-over',
    failover: {
      style,
      from: otherRegion(settings, here).region,
      to: here.region,
      ...(isRestored ? {} : { replica: identifier }),
      primary: 'undecided',
      reasons: [reason],
      waived: [],
      isPromoted: !isRestored,
      notes: [],
    },
  };
  const loss =
    style === 'graceful' ? 'nothing was lost' : `up to ${formatSeconds(lossSeconds)} of writes were lost before that`;
  return {
    output: plan,
    summary: `${reason}, and what is left is to bring application and traffic; ${loss}`,
    facts: { ...plan, seen: undefined },
  };
}
