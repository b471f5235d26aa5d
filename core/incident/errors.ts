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
export const LeaseContended = defineError({
  name: 'LeaseContended',
  retryable: true,
  next: 'Nothing: the step asks again by itself, and then either takes the lease or names who holds it.',
});
export const DuplicateRequest = defineError({
  name: 'DuplicateRequest',
  retryable: false,
  next: 'Follow the incident that the message names; to run another one, start with a new requestId or none.',
});
export const DrillDeferred = defineError({
  name: 'DrillDeferred',
  retryable: false,
  next: 'Look after the alarm that the message names; start the drill by hand when it is quiet again.',
});
/** The schedules exist in both Regions; the other one's drill does the work. Recorded, and nobody is told. */
export const DrillElsewhere = defineError({
  name: 'DrillElsewhere',
  retryable: false,
  next: 'Nothing: the schedule of the Region that the message names runs this drill.',
});
/** Raised by the state machine, when the time for an answer is up. */
export const ApprovalTimedOut = defineError({
  name: 'ApprovalTimedOut',
  retryable: false,
  next: 'Nothing was changed. If the database must be recovered, `npm run dr -- retry <incident>` asks again.',
});
/** Raised by the state machine, with who declined and why. */
export const ApprovalDeclined = defineError({
  name: 'ApprovalDeclined',
  retryable: false,
  next: 'Nothing was changed. To decide anew, perhaps with another restore point: `npm run dr -- retry <incident>`.',
});
export const CompensationFailed = defineError({
  name: 'CompensationFailed',
  retryable: false,
  next: 'Undo by hand what the message names. A fence on production ends, as its master, with ALTER ROLE <application role> LOGIN.',
});
export const ActiveDatabaseUnknown = defineError({
  name: 'ActiveDatabaseUnknown',
  retryable: false,
  next: 'Invoke the function database/register-database once in this environment, then start again.',
});
export const IncidentUnknown = defineError({
  name: 'IncidentUnknown',
  retryable: false,
  next: 'Look at the execution’s history in the Step Functions console: its incident was never opened, or its record is gone.',
});
export const ServiceUnavailable = defineError({
  name: 'ServiceUnavailable',
  retryable: true,
  next: 'Nothing: the step tries again by itself. If it gives up, look at the AWS Health Dashboard for that service.',
});
