/** Finds what a definition gets wrong although AWS accepts it, or where asl-validator is silent. Changes nothing. */
import { expressionsIn, mentionsOf } from './expressions.ts';
import type { Finding } from './finding.ts';
import { isObject } from './json.ts';
import { undefinedVariables } from './lint-variables.ts';
import { parseResource } from './resource.ts';
import { handlersOf, innerFlows, type Members, statesOf, successors } from './shape.ts';

/**
 * `substitutions`, when given, are the names that DefinitionSubstitutions will replace; any other `${name}`, and without
 * the list every one, is a finding.
 */
export function lintDefinition(definition: object, substitutions: readonly string[] = []): readonly Finding[] {
  // Within an expression a substitution stands for some value: 0 parses wherever one can.
  const filled: Members = JSON.parse(JSON.stringify(definition).replace(/\$\{[A-Za-z0-9_.:-]+\}/g, '0'));
  return [
    ...substitutionsLeft(definition, new Set(substitutions)),
    ...unparsable(filled),
    ...flowFindings(filled, ''),
    ...undefinedVariables(filled),
  ];
}

function* substitutionsLeft(value: unknown, known: ReadonlySet<string>, location = ''): Generator<Finding> {
  if (typeof value === 'string') {
    for (const [whole, name] of value.matchAll(/\$\{([^}]*)\}/g))
      if (!known.has(name ?? ''))
        yield { code: 'unresolved-substitution', location, message: `${whole} is replaced by nothing` };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* substitutionsLeft(item, known, `${location}[${index}]`);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) yield* substitutionsLeft(member, known, `${location}/${name}`);
  }
}

function* unparsable(definition: Members): Generator<Finding> {
  for (const { source, location } of expressionsIn(definition, '')) {
    try {
      mentionsOf(source);
    } catch (error) {
      yield { code: 'invalid-jsonata', location, message: `{%${source}%} does not parse: ${(error as Error).message}` };
    }
  }
}

function* flowFindings(flow: Members, at: string): Generator<Finding> {
  const states = statesOf(flow);
  const reached = reachable(flow, states);
  for (const [name, state] of states) {
    const location = `${at}/States/${name}`;
    if (!reached.has(name))
      yield { code: 'unreachable-state', location, message: `No path from StartAt leads to '${name}'` };
    if (state.Type === 'Task') yield* taskFindings(state, location);
    yield* handlersAfterAll(state, location);
    yield* statesMembers(state, location);
    for (const [inner, place] of innerFlows(state)) yield* flowFindings(inner, `${location}/${place}`);
  }
}

function reachable(flow: Members, states: ReadonlyMap<string, Members>): ReadonlySet<string> {
  const reached = new Set<string>();
  const pending = [String(flow.StartAt)];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const state = states.get(name);
    if (!state || reached.has(name)) continue;
    reached.add(name);
    pending.push(...successors(state).map(({ next }) => next));
  }
  return reached;
}

function* taskFindings(state: Members, location: string): Generator<Finding> {
  const bounded = state.TimeoutSeconds !== undefined;
  if (!bounded)
    yield { code: 'task-without-timeout', location, message: 'A Task without TimeoutSeconds can hang for a year' };
  const resource = typeof state.Resource === 'string' ? parseResource(state.Resource) : '';
  if (typeof resource === 'string' || resource.pattern !== 'waitForTaskToken') return;
  if (!bounded && state.HeartbeatSeconds === undefined)
    yield {
      code: 'callback-without-bound',
      location,
      message: '.waitForTaskToken without TimeoutSeconds or HeartbeatSeconds waits for an answer that may never come',
    };
  if (!safeExpressions(state.Arguments, '').some(({ mentions }) => mentions.taskToken || mentions.states.has('')))
    yield {
      code: 'token-not-passed',
      location,
      message: 'Arguments do not pass $states.context.Task.Token to anybody',
    };
}

function* handlersAfterAll(state: Members, location: string): Generator<Finding> {
  for (const field of ['Retry', 'Catch']) {
    const handlers = handlersOf(state, field);
    const all = handlers.findIndex(
      ({ ErrorEquals }) => Array.isArray(ErrorEquals) && ErrorEquals.includes('States.ALL'),
    );
    for (const index of handlers.keys())
      if (all >= 0 && index > all)
        yield {
          code: 'handler-after-all',
          location: `${location}/${field}[${index}]`,
          message: 'Nothing reaches an element after the one for States.ALL',
        };
  }
}

/** `$states.result` exists once a Task, Map or Parallel has one, `$states.errorOutput` only in a Catch. */
function* statesMembers(state: Members, location: string): Generator<Finding> {
  const hasResult = ['Task', 'Map', 'Parallel'].includes(String(state.Type));
  const { Branches: _, ItemProcessor: __, Assign, Output, Catch, ...before } = state;
  const zones = [
    { value: before, offered: ['input', 'context'], place: '' },
    { value: { Assign, Output }, offered: ['input', 'context', ...(hasResult ? ['result'] : [])], place: '' },
    { value: Catch, offered: ['input', 'context', 'errorOutput'], place: '/Catch' },
  ];
  for (const { value, offered, place } of zones)
    for (const { mentions, location: inner } of safeExpressions(value, `${location}${place}`))
      for (const member of mentions.states)
        if (member !== '' && !offered.includes(member))
          yield { code: 'unset-states-member', location: inner, message: `$states.${member} has no value here` };
}

/** The expressions that parse; the others are findings of their own. */
function safeExpressions(value: unknown, location: string) {
  return [...expressionsIn(value, location)].flatMap((found) => {
    try {
      return [{ location: found.location, mentions: mentionsOf(found.source) }];
    } catch {
      return [];
    }
  });
}
