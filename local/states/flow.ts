/** Walks a sequence of states: enter, run by type, assign, leave. */

import { choice } from './choice.ts';
import type { Fallible, Flow, State } from './definition.ts';
import { StatesError } from './errors.ts';
import type { Details } from './history.ts';
import { encode, type Json } from './json.ts';
import { map } from './map.ts';
import { parallel } from './parallel.ts';
import { pass } from './pass.ts';
import { asStatesError, withRetryAndCatch } from './retry-catch.ts';
import { fail, succeed } from './succeed-fail.ts';
import { task } from './task.ts';
import { type Frame, type Outcome, Visit } from './visit.ts';
import { wait } from './wait.ts';

/** The output of the last state. Rejects with StatesError, or with the signal's reason when it aborts. */
export async function runFlow(flow: Flow, input: Json, frame: Frame): Promise<Json> {
  let name = flow.StartAt;
  let data = input;
  for (;;) {
    if (frame.signal.aborted) throw frame.signal.reason;
    const state = flow.States[name];
    if (!state) throw new StatesError('States.Runtime', `The state '${name}' does not exist.`);
    const { output, next } = await runState(name, state, data, frame);
    if (next === undefined) return output;
    data = output;
    name = next;
  }
}

async function runState(name: string, state: State, input: Json, frame: Frame): Promise<Outcome> {
  const { history } = frame.run;
  const visit = new Visit(
    name,
    input,
    frame,
    history.add(frame.cursor, `${state.Type}StateEntered`, entered(name, input)),
  );
  try {
    const outcome = await dispatch(state, visit);
    const details = exited(name, outcome);
    Object.assign(frame.variables, outcome.assigned);
    history.add(frame.cursor, `${state.Type as Exclude<State['Type'], 'Fail'>}StateExited`, details);
    return outcome;
  } catch (thrown) {
    if (!frame.signal.aborted) throw asStatesError(thrown);
    if (state.Type === 'Task' || state.Type === 'Wait' || state.Type === 'Map' || state.Type === 'Parallel')
      history.add(frame.cursor, `${state.Type}StateAborted`);
    throw frame.signal.reason;
  }
}

function dispatch(state: State, visit: Visit): Promise<Outcome> {
  switch (state.Type) {
    case 'Task':
      return fallible(state, visit, () => task(state, visit));
    case 'Map':
      return fallible(state, visit, () => map(state, visit, runFlow));
    case 'Parallel':
      return fallible(state, visit, () => parallel(state, visit, runFlow));
    case 'Choice':
      return choice(state, visit);
    case 'Wait':
      return wait(state, visit);
    case 'Pass':
      return pass(state, visit);
    case 'Succeed':
      return succeed(state, visit);
    case 'Fail':
      return fail(state, visit);
  }
}

/** An attempt includes Assign and Output: an expression that fails there can be retried and caught too. */
function fallible(state: Fallible, visit: Visit, work: () => Promise<Json>): Promise<Outcome> {
  return withRetryAndCatch(state, visit, async () => {
    const result = await work();
    return visit.complete(state, state.Next, result, { result });
  });
}

function entered(name: string, input: Json): Details {
  return { stateEnteredEventDetails: { name, input: JSON.stringify(input), inputDetails: { truncated: false } } };
}

function exited(name: string, { output, assigned }: Outcome): Details {
  const text = encode(output, `The output of the state '${name}'`);
  const variables = assigned && {
    assignedVariables: Object.fromEntries(
      Object.entries(assigned).map(([variable, value]) => [variable, encode(value, `The variable '${variable}'`)]),
    ),
    assignedVariablesDetails: { truncated: false },
  };
  return { stateExitedEventDetails: { name, output: text, outputDetails: { truncated: false }, ...variables } };
}
