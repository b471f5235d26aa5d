/** Errors of the configuration area. */
import { defineError } from '../errors.ts';

export const DebtOpen = defineError({
  name: 'DebtOpen',
  retryable: false,
  next: 'Terraform would undo the cut-over. Give Git the new identifier, then npm run dr -- debt close; only an empty plan closes it. Nothing was changed.',
});
export const ConfigurationUnknown = defineError({
  name: 'ConfigurationUnknown',
  retryable: false,
  next: 'Nothing was changed. Make what the message names answer, then npm run dr -- retry <incident>; or leave it out in your name: --waive unknown-configuration.',
});
export const DatabaseGone = defineError({
  name: 'DatabaseGone',
  retryable: false,
  next: 'Nothing was changed. The database first: npm run dr -- start --mode recovery --confirm <environment> --reason "…". Then npm run dr -- debt close, and what else is missing.',
});
export const DriftRemains = defineError({
  name: 'DriftRemains',
  retryable: false,
  next: 'What was restored stays. Bring back by hand what the message names, or correct Git, then npm run dr -- retry <incident>.',
});
export const DriftMissed = defineError({
  name: 'DriftMissed',
  retryable: false,
  next: 'The drill lost something, and its recovery did not see that: what the message names would be missed in a disaster, too. Read what LookAtResources and FindDrift saw.',
});
export const RecordingGone = defineError({
  name: 'RecordingGone',
  retryable: false,
  next: 'The recording of the zone was deleted since it was looked at: npm run dr -- retry <incident> looks for another one.',
});
export const DebtRemains = defineError({
  name: 'DebtRemains',
  retryable: false,
  next: 'The debt stays open. Correct Git until Terraform’s plan is empty, deploy that commit, then npm run dr -- debt close.',
});
export const ZoneAmbiguous = defineError({
  name: 'ZoneAmbiguous',
  retryable: false,
  next: 'Nothing was changed. Compare their name servers with those that the registrar knows, and delete the hosted zone that nobody is led to, then npm run dr -- retry <incident>.',
});
