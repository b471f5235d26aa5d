/** Concurrent sequences of states: the branches of a Parallel, the iterations of a Map. */
import type { Json } from './json.ts';
import { fork } from './signals.ts';

/** Why a branch ended early: another one failed. Never escapes the Map or Parallel. */
class SiblingFailed extends Error {
  override readonly name = 'SiblingFailed';
}

/**
 * Runs `jobs`, `concurrency` at a time, and answers their outputs in order. The first failure stops the others;
 * it is thrown once all have stopped, so that no branch outlives its state.
 */
export async function fanOut(
  jobs: readonly ((signal: AbortSignal) => Promise<Json>)[],
  concurrency: number,
  signal: AbortSignal,
): Promise<readonly Json[]> {
  const { controller, release } = fork(signal);
  const outputs: Json[] = [];
  const pending = jobs.entries();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const [index, job] of pending) {
      if (controller.signal.aborted) return;
      try {
        outputs[index] = await job(controller.signal);
      } catch (failure) {
        failures.push(failure);
        controller.abort(new SiblingFailed());
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, worker));
  } finally {
    release();
  }
  if (signal.aborted) throw signal.reason;
  if (failures.length > 0) throw failures[0];
  return outputs;
}
