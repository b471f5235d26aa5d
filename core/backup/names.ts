/** What a backup is called and tagged: everything that decides whether a snapshot is ours rests on these. */
import { environmentTag } from '../incident/identifiers.ts';
import { isRealMoment } from '../incident/moments.ts';
import type { BackupRun } from './contracts.ts';

export const backupPrefix = 'dr-backup-';

export const backupTag = 'stocker-dr:backup';
/** The resource id of the instance that it was taken of. */
export const resourceTag = 'stocker-dr:resource';

/** `dr-backup-stocker-pro-production-20261128-020000`: a repeated step finds what the first one made, in both Regions. */
export const snapshotIdentifier = (instanceIdentifier: string, startedAt: string): string =>
  `${backupPrefix}${instanceIdentifier}-${startedAt.slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;

/**
 * When the backup was begun, by its name: a copy's SnapshotCreateTime is when it was copied (RDS API: DBSnapshot).
 * Undefined where this is no name of ours.
 */
export function momentOfSnapshot(identifier: string): string | undefined {
  const [, year, month, day, hour, minute, second] =
    /^dr-backup-.+-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(identifier) ?? [];
  const moment = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  return isRealMoment(moment) ? moment : undefined;
}

export const runId = (startedAt: string): string => `backup-${startedAt.slice(0, 19).replace(/[-:]/g, '')}Z`;

export const tagsOf = (
  run: Pick<BackupRun, 'id' | 'source'>,
  environment: string,
): Readonly<Record<string, string>> => ({
  [environmentTag]: environment,
  [backupTag]: run.id,
  [resourceTag]: run.source.resourceId,
});
