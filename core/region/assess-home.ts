/** AssessHome: what production left in the Region that it comes home to, and the plan of the way. */
import type { Failover, RestorePlan } from '../database/contracts.ts';
import type { DatabaseInstance, Databases } from '../database/ports.ts';
import { restoredFromTag, restorePointTag } from '../database/restore-database.ts';
import { seenOf } from '../database/source.ts';
import type { ActiveDatabase, Incident } from '../incident/contracts.ts';
import { ActiveDatabaseUnknown } from '../incident/errors.ts';
import { incidentTag } from '../incident/identifiers.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { asIn } from './assess-region.ts';
import type { GuardRecord } from './contracts.ts';
import { RegionNotHome } from './errors.ts';
import { successorIdentifier } from './names.ts';
import { findOwnCutOver, type OwnCutOver, resumedPlan } from './own-cut-over.ts';
import type { RegionStore } from './ports.ts';
import { totalOf } from './written-since.ts';

export interface AssessHomeContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly databases: Pick<Databases, 'find' | 'list'>;
  /** Of the Region where production is. */
  readonly databasesThere: Pick<Databases, 'find'>;
  readonly store: Pick<RegionStore, 'guards'>;
}

/** Throws RegionNotHome where production's own instance is not what the record says. */
export async function assessHome(
  { incident }: { readonly incident: Incident },
  context: AssessHomeContext,
): Promise<StepResult<RestorePlan>> {
  const { settings, here, clock, control, databasesThere, store } = context;
  const active = await control.readActiveDatabase();
  if (active === undefined) throw ActiveDatabaseUnknown('No active database is registered.');
  const own = await findOwnCutOver(incident, active, context);
  if (own !== undefined) return resume(incident, own, context);
  const production = await databasesThere.find(active.identifier);
  if (production?.resourceId !== active.resourceId)
    throw RegionNotHome(`RDS in ${active.region} has no ${active.identifier} of ${active.resourceId}.`);
  const candidate = successorIdentifier(settings, incident.id, 'home');
  const resumed = await context.databases.find(candidate);
  const former = await findFormer(production, active, context);
  const guards = (await store.guards()).filter(({ resourceId }) => resourceId === former?.resourceId);
  const now = clock.now().toISOString();
  const failover: Failover = {
    style: 'graceful',
    from: active.region,
    to: here.region,
    replica: candidate,
    primary: 'alive',
    reasons: former === undefined ? ['nothing is left of production here'] : [describe(former, guards)],
    waived: [],
    isPromoted: resumed !== undefined && resumed.replicaOf === undefined && resumed.tags[incidentTag] === incident.id,
    notes: [],
    ...(former === undefined ? {} : { former }),
  };
  const plan: RestorePlan = {
    source: {
      identifier: active.identifier,
      resourceId: active.resourceId,
      address: active.address,
      port: active.port,
    },
    candidate,
    restore: { kind: 'replica', replica: candidate },
    restorePoint: now,
    estimatedLossSeconds: 0,
    epoch: active.epoch,
    approval: 'ask',
    seen: asIn(here, seenOf(production)),
    failover,
  };
  return {
    output: plan,
    summary: `production comes home from ${active.identifier} in ${active.region} to ${candidate} in ${here.region}; ${failover.reasons.join('; ')}`,
    facts: { ...plan, seen: undefined, guards },
  };
}

/** It is home already. What production was in the DR Region says how it is made; what was left here was kept before it came. */
async function resume(
  incident: Incident,
  own: OwnCutOver,
  context: AssessHomeContext,
): Promise<StepResult<RestorePlan>> {
  const there = await context.databasesThere.find(incident.target);
  const like = there?.resourceId === own.former ? there : own.instance;
  return resumedPlan({ incident, own, seen: asIn(context.here, seenOf(like)), lossSeconds: 0 }, context);
}

/** The instance that production was promoted away from, by its resource id: another one may bear the name by now. */
async function findFormer(
  production: DatabaseInstance,
  active: ActiveDatabase,
  { settings, databases }: AssessHomeContext,
): Promise<Failover['former']> {
  const resourceId = production.tags[restoredFromTag];
  const found = (await databases.list(settings.database.identifier)).find((each) => each.resourceId === resourceId);
  if (found === undefined) return undefined;
  const { identifier, address, port, status } = found;
  if (address === undefined || port === undefined)
    throw RegionNotHome(`${identifier} is ${status} and has no endpoint: what it holds alone cannot be kept.`);
  const succeededAt = production.tags[restorePointTag] || active.since;
  return { identifier, resourceId: found.resourceId, address, port, succeededAt };
}

function describe(former: NonNullable<Failover['former']>, guards: readonly GuardRecord[]): string {
  const [guard] = guards;
  const met =
    guard === undefined
      ? 'its guard did not have to act'
      : `its guard fenced it at ${guard.fencedAt}, after ${guard.windowSeconds} s in which it took ${guard.unread ? 'at least ' : ''}${totalOf(guard.rows)} rows`;
  return `${former.identifier} is here, and is kept: ${met}`;
}
