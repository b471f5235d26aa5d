/** Errors of the database area. Those that say `retryable` are what the machine waits on. */
import { defineError } from '../errors.ts';

export const DatabaseNotFound = defineError({
  name: 'DatabaseNotFound',
  retryable: false,
  next: 'Compare the active-database record with the instances of the Region; register the right one.',
});
export const RestorePointUnavailable = defineError({
  name: 'RestorePointUnavailable',
  retryable: false,
  next: 'Start again with a time inside the window that the message names, or with one of the database’s snapshots.',
});
export const RestorePointUnknown = defineError({
  name: 'RestorePointUnknown',
  retryable: false,
  next: 'Nothing says when the damage began: choose a time or a snapshot, and give it as restoreTo with the approval or with a new start.',
});
export const DumpUnusable = defineError({
  name: 'DumpUnusable',
  retryable: false,
  next: 'Nothing of production was changed. Choose another dump, a snapshot or a time, and give it as restoreTo; keep this dump for an inquiry.',
});
export const CandidateNotOurs = defineError({
  name: 'CandidateNotOurs',
  retryable: false,
  next: 'Find out who made the instance that the message names; nothing of it was touched.',
});
export const RestoreFailed = defineError({
  name: 'RestoreFailed',
  retryable: false,
  next: 'Correct what RDS names and start again; all its events are in the console of RDS.',
});
export const DatabaseNotReady = defineError({
  name: 'DatabaseNotReady',
  retryable: true,
  next: 'Nothing: RDS is still at work. If it gives up, do what the message says, or read the instance’s events in RDS.',
});
export const ConnectionsExhausted = defineError({
  name: 'ConnectionsExhausted',
  retryable: true,
  next: 'The database is alive, and has no connection left for its master. End sessions there, idle ones first, then `npm run dr -- retry <incident>`.',
});
export const PromotionUndecided = defineError({
  name: 'PromotionUndecided',
  retryable: true,
  next: 'Nothing: a promotion was asked for, and nothing shows of it yet. If nothing ever does, the replica goes on following, and production is opened again.',
});
export const RoleUnusable = defineError({
  name: 'RoleUnusable',
  retryable: false,
  next: 'Correct the role or its secret as the message says (prepare-database makes the product’s own roles), then start again.',
});
export const FenceFailed = defineError({
  name: 'FenceFailed',
  retryable: false,
  next: 'Treat the database as open to writes. Close it by hand as the runbook says, then start again.',
});
export const SnapshotNotReady = defineError({
  name: 'SnapshotNotReady',
  retryable: true,
  next: 'Nothing: RDS is taking the safety snapshot. If it gives up, read the events of the snapshot in RDS.',
});
export const ParityViolated = defineError({
  name: 'ParityViolated',
  retryable: false,
  next: 'Read the differences; correct the source of the wrong setting (Terraform, settings, parameter group) and start again.',
});
export const ScopeRefused = defineError({
  name: 'ScopeRefused',
  retryable: false,
  next: 'Nothing was changed. Correct scope.tables as the message says and start again, or leave it out to recover the whole database.',
});
export const RepairRefused = defineError({
  name: 'RepairRefused',
  retryable: false,
  next: 'Nothing was changed. Name the tables that the message shows as well, choose another restore point, or recover the whole database.',
});
export const TablesLocked = defineError({
  name: 'TablesLocked',
  retryable: false,
  next: 'Nothing was changed. End or wait for the sessions that the message names, then `npm run dr -- retry <incident>`.',
});
export const LeaseLost = defineError({
  name: 'LeaseLost',
  retryable: false,
  next: 'Another recovery is at work or production has moved. Follow that one; this one cleans up after itself.',
});
export const LoginRefused = defineError({
  name: 'LoginRefused',
  retryable: false,
  next: 'Compare the application’s secret with its role in the database, then start again.',
});
export const WorkloadNotReady = defineError({
  name: 'WorkloadNotReady',
  retryable: true,
  next: 'Nothing: the deployment is rolling out. If it gives up, describe its pods.',
});
export const WorkloadNotFound = defineError({
  name: 'WorkloadNotFound',
  retryable: false,
  next: 'Compare the deployment in the settings with the cluster, and the function’s access entry.',
});
export const DeletionRefused = defineError({
  name: 'DeletionRefused',
  retryable: false,
  next: 'Look at the instance that the message names: it bears the drill’s name and is not the drill’s. Delete nothing before you know why.',
});
export const StillDeleting = defineError({
  name: 'StillDeleting',
  retryable: true,
  next: 'Nothing: RDS is deleting the drill’s instance. If it gives up, delete it and its automated backups by hand.',
});
export const HeartbeatFailed = defineError({
  name: 'HeartbeatFailed',
  retryable: false,
  next: 'See whether the active database takes connections and writes; if the table is missing, run prepare-database.',
});
export const AlreadyRegistered = defineError({
  name: 'AlreadyRegistered',
  retryable: false,
  next: 'Nothing: an active database is on record. Only a cut-over changes it.',
});
