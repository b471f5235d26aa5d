/** Parallel: every branch with the same input; the result is the list of their outputs. */
import type { ParallelState } from './definition.ts';
import { fanOut } from './fan-out.ts';
import type { Json } from './json.ts';
import type { RunFlow, Visit } from './visit.ts';

export async function parallel(state: ParallelState, visit: Visit, runFlow: RunFlow): Promise<Json> {
  const { frame } = visit;
  const { history } = frame.run;
  const input = state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
  const started = history.add(frame.cursor, 'ParallelStateStarted');
  const branches = state.Branches.map((branch) => async (signal: AbortSignal) => {
    const cursor = { previousEventId: started };
    try {
      return await runFlow(branch, input, { ...frame, variables: { ...frame.variables }, signal, cursor });
    } finally {
      frame.cursor.previousEventId = cursor.previousEventId;
    }
  });
  try {
    const result = await fanOut(branches, Number.POSITIVE_INFINITY, frame.signal);
    history.add(frame.cursor, 'ParallelStateSucceeded');
    return result;
  } catch (failure) {
    if (!frame.signal.aborted) history.add(frame.cursor, 'ParallelStateFailed');
    throw failure;
  }
}
