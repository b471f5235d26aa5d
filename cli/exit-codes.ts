/** What the command line exits with; documented in the README. */
export const exitCodes = {
  /** Everything that was checked passed. */
  passed: 0,
  /** The recovery failed, a check did not pass, or an objective was missed. */
  failed: 1,
  /** The command was given something it cannot use; nothing was started. */
  usage: 2,
  /** The embedded cloud, the synth or the workload could not be made: nothing is known about the recovery. */
  broken: 3,
  /** Stopped by Ctrl-C or a signal, everything cleaned up. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Bad input of a person: the message names the option, the value and the fix. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
