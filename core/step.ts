/** What every step of a recovery returns: the next state's input, one line for people, and facts for the report. */
export interface StepResult<O> {
  readonly output: O;
  readonly summary: string;
  /** No secrets: they end in the timeline and the report. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** The state goes on after the function has answered: it waits for a person. */
  readonly waits?: true;
}
