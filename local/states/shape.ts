/** The graph of a definition that may not be valid: for lint, which must not trust what it reads. */
import { isObject } from './json.ts';

export type Members = Readonly<Record<string, unknown>>;

/** A way out of a state, with the variables assigned on it. */
export interface Edge {
  readonly next: string;
  readonly assigned: readonly string[];
}

export function statesOf(flow: Members): ReadonlyMap<string, Members> {
  const states = isObject(flow.States) ? Object.entries(flow.States) : [];
  return new Map(states.filter((entry): entry is [string, Members] => isObject(entry[1])));
}

export function handlersOf(state: Members, field: string): readonly Members[] {
  const list = state[field];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Where a state can go: its rules and its handlers with their own Assign, Next and Default with the state's. */
export function successors(state: Members): readonly Edge[] {
  const edge = (holder: Members, next: unknown): Edge[] =>
    typeof next === 'string' ? [{ next, assigned: isObject(holder.Assign) ? Object.keys(holder.Assign) : [] }] : [];
  return [
    ...edge(state, state.Next),
    ...edge(state, state.Default),
    ...handlersOf(state, 'Choices').flatMap((rule) => edge(rule, rule.Next)),
    ...handlersOf(state, 'Catch').flatMap((catcher) => edge(catcher, catcher.Next)),
  ];
}

/** The sequences of states within a state, each with its place. */
export function innerFlows(state: Members): readonly (readonly [Members, string])[] {
  const branches = handlersOf(state, 'Branches').map((branch, index) => [branch, `Branches[${index}]`] as const);
  return isObject(state.ItemProcessor) ? [...branches, [state.ItemProcessor, 'ItemProcessor']] : branches;
}
