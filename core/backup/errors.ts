/** Errors of the backup area. */
import { defineError } from '../errors.ts';

export const BackupDeferred = defineError({
  name: 'BackupDeferred',
  retryable: true,
  next: 'Nothing: the backup waits until the incident is over. Where it gives up, start the backup machine once the incident is closed.',
});
export const SnapshotUnderWay = defineError({
  name: 'SnapshotUnderWay',
  retryable: true,
  next: 'Nothing: RDS is taking or copying the snapshot. If it gives up, read the events of the snapshot in RDS.',
});
export const SnapshotFailed = defineError({
  name: 'SnapshotFailed',
  retryable: false,
  next: 'Read the events of the snapshot in RDS, correct what they name and start the backup machine again; earlier backups are kept.',
});
export const SnapshotNotOurs = defineError({
  name: 'SnapshotNotOurs',
  retryable: false,
  next: 'Find out who made the snapshot that the message names; nothing of it was touched.',
});
export const SnapshotQuotaReached = defineError({
  name: 'SnapshotQuotaReached',
  retryable: false,
  next: 'Delete manual snapshots of that Region that nobody needs, or raise the quota (100 by default), and start the backup machine again.',
});
export const CopiesInFlight = defineError({
  name: 'CopiesInFlight',
  retryable: true,
  next: 'Nothing: the Region copies as many snapshots as it can. If it gives up, see what else copies snapshots there.',
});
export const AutomatedBackupsOff = defineError({
  name: 'AutomatedBackupsOff',
  retryable: false,
  next: 'Switch automated backups on in Terraform: without them no point in time can be restored. RDS interrupts the database for it, so nothing here does.',
});
export const NoBackup = defineError({
  name: 'NoBackup',
  retryable: false,
  next: 'Make a backup first: start the backup machine with {}.',
});
export const ProofUnderWay = defineError({
  name: 'ProofUnderWay',
  retryable: true,
  next: 'Nothing: the drill that proves the backup runs. If it gives up, follow the drill with `npm run dr -- status`.',
});
/** Raised by the state machine, when a part of a run did not pass. */
export const BackupIncomplete = defineError({
  name: 'BackupIncomplete',
  retryable: false,
  next: 'Read the message or the report: it names each part that failed and what to do. Then start the backup machine again.',
});
