/** What the command line exits with; documented in the README. */
export const exitCodes = {
  /** Everything that was checked passed. */
  passed: 0,
  /** The recovery failed, was declined or refused, a check did not pass, an objective was missed, or something is not known to be ready. */
  failed: 1,
  /** The command was given something it cannot use, or an incident that is not there; nothing was started. */
  usage: 2,
  /** The cloud could not be made or reached, the synth or the workload not be made: nothing is known about the recovery. */
  broken: 3,
  /** Stopped by Ctrl-C or a signal; what ran here is cleaned up, what runs in a cloud goes on. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Bad input of a person: the message names the option, the value and the fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
