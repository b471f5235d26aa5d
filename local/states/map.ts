/** Map in inline mode: the processor once per item; the result is the list of the iterations' outputs. */
import type { MapState } from './definition.ts';
import { fanOut } from './fan-out.ts';
import type { Json, JsonObject } from './json.ts';
import type { RunFlow, Visit } from './visit.ts';

/** Inline mode runs at most 40 iterations at a time, whatever MaxConcurrency says (Step Functions quotas). */
const mostConcurrent = 40;

export async function map(state: MapState, visit: Visit, runFlow: RunFlow): Promise<Json> {
  const { frame } = visit;
  const { history } = frame.run;
  const items = state.Items === undefined ? visit.input : await visit.evaluate(state.Items, 'Items');
  if (!Array.isArray(items)) throw visit.refuse('Items', 'an array', items);
  // 0, the default, places no limit.
  const asked = await visit.number(state.MaxConcurrency ?? 0, 'MaxConcurrency', 0);
  const started = history.add(frame.cursor, 'MapStateStarted', {
    mapStateStartedEventDetails: { length: items.length },
  });
  const iterate = async (item: Json, index: number, signal: AbortSignal) => {
    const cursor = { previousEventId: started };
    const iteration: JsonObject = { Item: { Index: index, Value: item } };
    const details = { name: visit.name, index };
    history.add(cursor, 'MapIterationStarted', { mapIterationStartedEventDetails: details });
    try {
      const selector = state.ItemSelector;
      const input = selector === undefined ? item : await visit.evaluate(selector, 'ItemSelector', { map: iteration });
      const inner = { ...frame, variables: { ...frame.variables }, signal, cursor, map: iteration };
      const output = await runFlow(state.ItemProcessor, input, inner);
      history.add(cursor, 'MapIterationSucceeded', { mapIterationSucceededEventDetails: details });
      return output;
    } catch (failure) {
      if (signal.aborted) history.add(cursor, 'MapIterationAborted', { mapIterationAbortedEventDetails: details });
      else history.add(cursor, 'MapIterationFailed', { mapIterationFailedEventDetails: details });
      throw failure;
    } finally {
      frame.cursor.previousEventId = cursor.previousEventId;
    }
  };
  const iterations = items.map((item: Json, index) => (signal: AbortSignal) => iterate(item, index, signal));
  try {
    const result = await fanOut(iterations, Math.min(asked || mostConcurrent, mostConcurrent), frame.signal);
    history.add(frame.cursor, 'MapStateSucceeded');
    return result;
  } catch (failure) {
    if (!frame.signal.aborted) history.add(frame.cursor, 'MapStateFailed');
    throw failure;
  }
}
