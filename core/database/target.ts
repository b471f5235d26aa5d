/** Which deployment of the application a recovery moves: production's, or in a drill its canary. */
import type { Incident } from '../incident/contracts.ts';
import type { ApplicationTarget, Settings } from '../settings.ts';

export const targetOf = ({ mode }: Pick<Incident, 'mode'>, settings: Settings): ApplicationTarget =>
  mode === 'recovery' ? settings.application : settings.canary;
