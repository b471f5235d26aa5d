/** Errors of the incident area. */
import { defineError } from '../errors.ts';

export const InvalidRequest = defineError({
  name: 'InvalidRequest',
  retryable: false,
  next: 'Correct the field that the message names and start again. Nothing was touched.',
});
export const InvalidEvent = defineError({
  name: 'InvalidEvent',
  retryable: false,
  next: 'Start the state machine, not the function; if the state machine did this, deploy one version of everything again.',
});
export const RecoveryInProgress = defineError({
  name: 'RecoveryInProgress',
  retryable: false,
  next: 'Follow the running recovery that the message names; start again when it has ended.',
});
export const ServiceUnavailable = defineError({
  name: 'ServiceUnavailable',
  retryable: true,
  next: 'Nothing: the step tries again by itself. If it gives up, look at the AWS Health Dashboard for that service.',
});
