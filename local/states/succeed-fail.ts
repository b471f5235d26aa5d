/** Succeed and Fail: the ends of a sequence of states. */
import type { FailState, SucceedState } from './definition.ts';
import { StatesError } from './errors.ts';
import type { Outcome, Visit } from './visit.ts';

export const succeed = (state: SucceedState, visit: Visit): Promise<Outcome> =>
  visit.complete(state, undefined, visit.input);

/** Throws the error that the state names; a Catch of an enclosing Map or Parallel can see it. */
export async function fail(state: FailState, visit: Visit): Promise<never> {
  const text = async (field: 'Error' | 'Cause'): Promise<string> => {
    const value = await visit.evaluate(state[field] ?? '', field);
    if (typeof value !== 'string') throw visit.refuse(field, 'a string', value);
    return value;
  };
  throw new StatesError(await text('Error'), await text('Cause'));
}
