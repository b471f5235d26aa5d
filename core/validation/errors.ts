/** Errors of the validation area. */
import { defineError } from '../errors.ts';

export const ValidationFailed = defineError({
  name: 'ValidationFailed',
  retryable: false,
  next: 'Read the failed checks in the report: the restored copy is damaged or incomplete. Restore to an earlier point, or, where you know better, retry the incident with a waiver that names the checks (dr retry --waive).',
});
export const ValidationUnknown = defineError({
  name: 'ValidationUnknown',
  retryable: false,
  next: 'Read which checks gave no answer: give them more time (validation.pieceSeconds, gateSeconds) or a baseline, or retry the incident with a waiver that names them (dr retry --waive).',
});
export const CheckInterrupted = defineError({
  name: 'CheckInterrupted',
  retryable: true,
  next: 'Nothing: the check runs again. If it gives up, see whether the restored instance restarts or refuses connections.',
});
export const ApplicationNotReady = defineError({
  name: 'ApplicationNotReady',
  retryable: true,
  next: 'Nothing: the application is asked again. If it gives up, read its log and the drill endpoint’s parameter.',
});
export const ApplicationFailed = defineError({
  name: 'ApplicationFailed',
  retryable: false,
  next: 'Read what the application answered; it runs, and does not do its job on the restored database.',
});
export const PerformanceRefused = defineError({
  name: 'PerformanceRefused',
  retryable: false,
  next: 'Compare instance class, storage and lazy loading with the last green drill; correct the limit if it is wrong.',
});
