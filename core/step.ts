/** What every step of a recovery returns: the next state's input, one line for people, and facts for the report. */
export interface StepResult<O> {
  readonly output: O;
  readonly summary: string;
  /** No secrets: they end in the timeline and the report. */
  readonly facts?: Readonly<Record<string, unknown>>;
}
