/** Choice: the first rule whose condition holds; Default, with the state's own Assign and Output, where none does. */
import type { ChoiceState } from './definition.ts';
import { StatesError } from './errors.ts';
import type { Outcome, Visit } from './visit.ts';

export async function choice(state: ChoiceState, visit: Visit): Promise<Outcome> {
  for (const [index, rule] of state.Choices.entries()) {
    const holds = await visit.evaluate(rule.Condition, `Choices[${index}]/Condition`);
    if (typeof holds !== 'boolean') throw visit.refuse(`Choices[${index}]/Condition`, 'a boolean', holds);
    if (holds) return visit.complete(rule, rule.Next, visit.input, {}, `Choices[${index}]/`);
  }
  if (state.Default !== undefined) return visit.complete(state, state.Default, visit.input);
  throw new StatesError(
    'States.NoChoiceMatched',
    `Failed to transition out of the state '${visit.name}'. The state does not point to a next state.`,
  );
}
