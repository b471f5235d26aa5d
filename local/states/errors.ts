/** How a state fails, how an execution is interrupted, and why a definition is refused. */

/** A failure with the name that Retry and Catch match and the cause that people read. */
export class StatesError extends Error {
  override readonly name = 'StatesError';
  readonly error: string;
  override readonly cause: string;
  /** The field whose JSONata failed (`Output/total`): the history records an EvaluationFailed event for it. */
  readonly location: string | undefined;
  constructor(error: string, cause = '', location?: string) {
    super(`${error}: ${cause}`);
    this.error = error;
    this.cause = cause;
    this.location = location;
  }
}

/**
 * The end of a whole execution from outside its states: stopped, over the machine's TimeoutSeconds, or over the
 * history's limit. No Retry or Catch sees it.
 */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly status: 'ABORTED' | 'TIMED_OUT' | 'FAILED';
  readonly error: string | undefined;
  override readonly cause: string | undefined;
  constructor(status: Interruption['status'], error?: string, cause?: string) {
    super(`${status} ${error ?? ''}`);
    this.status = status;
    this.error = error;
    this.cause = cause;
  }
}

/** Why a machine is not created: every problem with the place where it lies. */
export class InvalidDefinition extends Error {
  override readonly name = 'InvalidDefinition';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => `${problem.message} at ${problem.location}`).join('; '));
    this.problems = problems;
  }
}

export interface Problem {
  /** JSON path without the dollar: `/States/Restore/Retry[0]`. */
  readonly location: string;
  readonly message: string;
}
