/** Decides what a drill restores, from what is known now. Pure. */
import type { ActiveDatabase, Incident, RestoreTo } from '../incident/contracts.ts';
import { candidateIdentifier } from '../incident/identifiers.ts';
import { isBefore, secondsBetween } from '../incident/moments.ts';
import type { Settings } from '../settings.ts';
import type { Restore, RestorePlan } from './contracts.ts';
import { momentOfDump } from './dump/names.ts';
import type { DumpFile } from './dump/ports.ts';
import type { DatabaseInstance, DatabaseSnapshot, RestoreWindow } from './ports.ts';

/** A heartbeat is written every minute: until the next is due, the database may still have taken writes. */
export const heartbeatSeconds = 60;

export interface RestoreFacts {
  readonly settings: Settings;
  readonly incident: Incident;
  readonly active: ActiveDatabase;
  readonly source: DatabaseInstance;
  readonly window: RestoreWindow | undefined;
  /** The snapshot that was asked for, where one was. */
  readonly snapshot: DatabaseSnapshot | undefined;
  /** The dump that was asked for, where one was. */
  readonly dump: DumpFile | undefined;
  /** Newest heartbeat of the source; undefined where the source does not answer. */
  readonly newestHeartbeat: string | undefined;
  readonly now: string;
}

export type PlanDecision = { readonly plan: RestorePlan } | { readonly refused: string };

/**
 * The restore point: what was asked for if it can be had, else the newest there is. The loss that this would mean is
 * counted from the restore point to the last moment at which the source can have taken a write.
 */
export function planRestore(facts: RestoreFacts): PlanDecision {
  const { settings, incident, active, source, window, now } = facts;
  const choice = chooseRestorePoint(incident.restoreTo, facts);
  if ('refused' in choice) return choice;
  return {
    plan: {
      source: { identifier: source.identifier, resourceId: source.resourceId },
      candidate: candidateIdentifier(settings, active.identifier, incident.id),
      ...choice,
      ...(window === undefined ? {} : { window }),
      estimatedLossSeconds: Math.max(
        0,
        secondsBetween(choice.restorePoint, lastPossibleWrite(facts.newestHeartbeat, now)),
      ),
      epoch: active.epoch,
      approval: 'none', // production is not touched
    },
  };
}

export function lastPossibleWrite(newestHeartbeat: string | undefined, now: string): string {
  if (newestHeartbeat === undefined) return now;
  const due = new Date(Date.parse(newestHeartbeat) + heartbeatSeconds * 1000).toISOString();
  return isBefore(due, now) ? due : now;
}

export type Choice = { readonly restore: Restore; readonly restorePoint: string } | { readonly refused: string };

/** What was asked for, if it can be had. */
export function chooseRestorePoint(
  restoreTo: RestoreTo,
  {
    source,
    window,
    snapshot,
    dump,
  }: Pick<RestoreFacts, 'window' | 'snapshot' | 'dump'> & {
    source: Pick<DatabaseInstance, 'identifier' | 'resourceId'>;
  },
): Choice {
  if (typeof restoreTo === 'object')
    return 'dump' in restoreTo
      ? chooseDump(restoreTo.dump, dump)
      : chooseSnapshot(restoreTo.snapshot, source, snapshot);
  if (window === undefined)
    return { refused: `${source.identifier} has no restore window: are automated backups enabled?` };
  if (restoreTo === 'latest') return { restore: { kind: 'time', at: 'latest' }, restorePoint: window.latest };
  // RDS: RestoreTime must lie before LatestRestorableTime.
  if (isBefore(restoreTo, window.earliest) || !isBefore(restoreTo, window.latest))
    return { refused: `restoreTo ${restoreTo} is outside the restore window ${window.earliest} … ${window.latest}` };
  return { restore: { kind: 'time', at: restoreTo }, restorePoint: restoreTo };
}

function chooseSnapshot(
  asked: string,
  source: Pick<DatabaseInstance, 'identifier' | 'resourceId'>,
  snapshot: DatabaseSnapshot | undefined,
): Choice {
  if (snapshot === undefined) return { refused: `there is no snapshot ${asked}` };
  if (snapshot.instanceResourceId !== source.resourceId)
    return { refused: `snapshot ${asked} is of ${snapshot.instanceIdentifier}, not of ${source.identifier}` };
  if (snapshot.status !== 'available' || snapshot.createdAt === undefined)
    return { refused: `snapshot ${asked} is ${snapshot.status}, not available` };
  return { restore: { kind: 'snapshot', snapshot: asked }, restorePoint: snapshot.createdAt };
}

/** That it is a dump of this database nobody can tell from outside; validation tells from within. */
function chooseDump(asked: string, dump: DumpFile | undefined): Choice {
  const restorePoint = momentOfDump(asked);
  if (restorePoint === undefined) return { refused: `${asked} is no name of a dump` };
  if (dump === undefined) return { refused: `there is no dump ${asked}` };
  if (dump.bytes === 0) return { refused: `${dump.location} is empty` };
  return { restore: { kind: 'dump', dump: asked }, restorePoint };
}
