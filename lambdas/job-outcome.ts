/** What became of a job, as the state machine reads it: the step's output, or the error that a Lambda task would have had. */
import { errorRegistry } from '../core/errors.ts';

export type JobOutcome =
  | { readonly output: unknown }
  | { readonly failure: { readonly Error: string; readonly Cause: string } };

/** A state retries its task; what fails for now inside of a build is tried again there. */
const attempts = 6;
const pauseMs = 10_000;
/** Of an environment variable that has to travel through an API. */
const longestCause = 4_000;

/** Runs a step's handler to its end. Never rejects: whatever is thrown is the outcome. */
export async function outcomeOf(
  handler: (input: unknown) => Promise<unknown>,
  input: unknown,
  pause: (ms: number) => Promise<unknown>,
): Promise<JobOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { output: (await handler(input)) ?? null };
    } catch (cause) {
      const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
      if (attempt === attempts || !errorRegistry.get(name)?.retryable)
        return { failure: { Error: name, Cause: message.slice(0, longestCause) } };
    }
    await pause(pauseMs);
  }
}
