/** Retry and Catch of a Task, Map or Parallel. */
import type { Fallible, Retrier } from './definition.ts';
import { StatesError } from './errors.ts';
import type { Outcome, Visit } from './visit.ts';

/** Runs `attempt` until it succeeds, no retrier allows another try, and no catcher takes the failure. */
export async function withRetryAndCatch(
  state: Fallible,
  visit: Visit,
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  // Each retrier counts its own attempts for the whole visit, whatever fails in between.
  const attempts = new Map<Retrier, number>();
  for (;;) {
    try {
      return await attempt();
    } catch (thrown) {
      if (visit.frame.signal.aborted) throw thrown;
      const failure = asStatesError(thrown);
      const retrier = state.Retry?.find((candidate) => matches(candidate.ErrorEquals, failure.error));
      const made = retrier ? (attempts.get(retrier) ?? 0) : 0;
      if (retrier && made < (retrier.MaxAttempts ?? 3)) {
        attempts.set(retrier, made + 1);
        const { clock, random } = visit.frame.run.ports;
        await clock.sleep(retryDelaySeconds(retrier, made, random) * 1000, visit.frame.signal);
        visit.retryCount++;
        continue;
      }
      return await handOver(state, visit, failure);
    }
  }
}

async function handOver(state: Fallible, visit: Visit, failure: StatesError): Promise<Outcome> {
  const index = state.Catch?.findIndex((candidate) => matches(candidate.ErrorEquals, failure.error)) ?? -1;
  const catcher = state.Catch?.[index];
  if (!catcher) throw failure;
  const errorOutput = { Error: failure.error, Cause: failure.cause };
  return visit.complete(catcher, catcher.Next, errorOutput, { errorOutput }, `Catch[${index}]/`);
}

/** Seconds before the attempt that follows `made` retries. `random` draws the FULL jitter. */
export function retryDelaySeconds(retrier: Retrier, made: number, random: () => number): number {
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy } = retrier;
  const delay = Math.min(IntervalSeconds * BackoffRate ** made, MaxDelaySeconds);
  return JitterStrategy === 'FULL' ? delay * random() : delay;
}

/**
 * Whether one of `names` takes `error`. States.Runtime is never retried or caught. The wildcards States.ALL and
 * States.TaskFailed leave out States.DataLimitExceeded, which is terminal unless named. States.TaskFailed leaves out
 * States.Timeout; States.Timeout also takes a missed heartbeat, as its definition says.
 */
export function matches(names: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  return names.some((name) => {
    if (name === error) return true;
    if (name === 'States.Timeout') return error === 'States.HeartbeatTimeout';
    if (error === 'States.DataLimitExceeded') return false;
    return name === 'States.ALL' || (name === 'States.TaskFailed' && error !== 'States.Timeout');
  });
}

/** Whatever the interpreter did not foresee is what AWS calls a runtime error. */
export function asStatesError(thrown: unknown): StatesError {
  return thrown instanceof StatesError ? thrown : new StatesError('States.Runtime', String(thrown));
}
