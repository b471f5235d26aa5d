/** Follows variables through a definition: which may be assigned when a state is entered. */
import { expressionsIn, mentionsOf } from './expressions.ts';
import type { Finding } from './finding.ts';
import { innerFlows, type Members, statesOf, successors } from './shape.ts';

type Names = ReadonlySet<string>;

/** A finding for each use of a variable that no path to the state assigns. */
export function* undefinedVariables(flow: Members, at = '', outer: Names = builtins): Generator<Finding> {
  const states = statesOf(flow);
  const assigned = assignedOnEntry(flow, states, outer);
  for (const [name, state] of states) {
    const known = assigned.get(name);
    // An unreachable state is a finding of its own.
    if (!known) continue;
    const location = `${at}/States/${name}`;
    const { Branches: _, ItemProcessor: __, ...own } = state;
    for (const { source, location: place } of expressionsIn(own, location))
      for (const variable of variablesOf(source))
        if (!known.has(variable))
          yield {
            code: 'undefined-variable',
            location: place,
            message: `$${variable} is assigned on no path that leads here`,
          };
    for (const [inner, place] of innerFlows(state)) yield* undefinedVariables(inner, `${location}/${place}`, known);
  }
}

/** The union over all paths, to a fixed point. A scope's own variables end with it. */
function assignedOnEntry(
  flow: Members,
  states: ReadonlyMap<string, Members>,
  outer: Names,
): ReadonlyMap<string, Names> {
  const entry = new Map<string, Names>([[String(flow.StartAt), outer]]);
  const pending = [String(flow.StartAt)];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const state = states.get(name);
    for (const { next, assigned } of state ? successors(state) : []) {
      const before = entry.get(next);
      const after = new Set([...(before ?? []), ...(entry.get(name) ?? []), ...assigned]);
      if (before?.size === after.size) continue;
      entry.set(next, after);
      pending.push(next);
    }
  }
  return entry;
}

function variablesOf(source: string): Names {
  try {
    return mentionsOf(source).variables;
  } catch {
    return new Set();
  }
}

/** JSONata 2.0's functions and the ones Step Functions adds; $eval is not among them. */
const builtins: Names = new Set(
  `string length substring substringBefore substringAfter uppercase lowercase trim pad contains split join match replace
  base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl number abs floor ceil round power
  sqrt random formatNumber formatBase formatInteger parseInteger sum max min average boolean not exists count append
  sort reverse shuffle distinct zip keys lookup spread merge sift each error assert type now millis fromMillis toMillis
  map filter single reduce clone partition range hash uuid parse`.split(/\s+/),
);
