/** What a person can restore to instead of the plan's restore point. Pure. */
import { incidentTag } from '../incident/identifiers.ts';
import { isBefore } from '../incident/moments.ts';
import type { Baseline, OtherPoint } from './contracts.ts';
import type { DatabaseSnapshot, RestoreWindow } from './ports.ts';

/** Enough to choose from; RDS lists all of them. */
const snapshotsOffered = 2;

export interface KnownPoints {
  readonly source: { readonly resourceId: string };
  /** Only what lies before it is another point; undefined: there is none yet. */
  readonly restorePoint: string | undefined;
  readonly window: RestoreWindow | undefined;
  /** The newest sound look before the restore point. */
  readonly soundBefore: Baseline | undefined;
  readonly snapshots: readonly DatabaseSnapshot[];
}

/**
 * The last sound look, because everything in it was counted and whole; and the newest snapshots, because what no look sees
 * may have rotted since. Not what a recovery itself kept: its snapshot holds the damage.
 */
export function otherPoints({ source, restorePoint, window, soundBefore, snapshots }: KnownPoints): OtherPoint[] {
  const isEarlier = (at: string) => restorePoint === undefined || isBefore(at, restorePoint);
  const look =
    soundBefore !== undefined &&
    (soundBefore.resourceId ?? source.resourceId) === source.resourceId &&
    window !== undefined &&
    isEarlier(soundBefore.at) &&
    !isBefore(soundBefore.at, window.earliest) &&
    isBefore(soundBefore.at, window.latest)
      ? [{ restoreTo: soundBefore.at, at: soundBefore.at, what: 'the sentinel found everything sound' }]
      : [];
  const kept = snapshots
    .flatMap(({ identifier, instanceResourceId, status, createdAt, tags }) =>
      createdAt !== undefined &&
      status === 'available' &&
      instanceResourceId === source.resourceId &&
      tags?.[incidentTag] === undefined &&
      isEarlier(createdAt)
        ? [{ restoreTo: { snapshot: identifier }, at: createdAt, what: 'snapshot' }]
        : [],
    )
    .sort((a, b) => (isBefore(a.at, b.at) ? 1 : -1));
  return [...look, ...kept.slice(0, snapshotsOffered)];
}
