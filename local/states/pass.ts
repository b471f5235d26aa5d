/** Pass: hands its input on, or what Output makes of it. */
import type { PassState } from './definition.ts';
import type { Outcome, Visit } from './visit.ts';

export const pass = (state: PassState, visit: Visit): Promise<Outcome> =>
  visit.complete(state, state.Next, visit.input);
