/** Checks a definition before a machine exists: what is not supported, or not States Language, is an error here. */
import type { Definition } from './definition.ts';
import { InvalidDefinition, type Problem } from './errors.ts';
import {
  branchFields,
  catcherFields,
  type Fields,
  jsonPathFields,
  machineFields,
  processorFields,
  retrierFields,
  ruleFields,
  stateFields,
} from './fields.ts';
import { isObject } from './json.ts';
import { parseResource } from './resource.ts';

type Members = Readonly<Record<string, unknown>>;

/** The definition of `text`. Throws InvalidDefinition with every problem found. */
export function parseDefinition(text: string): Definition {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new InvalidDefinition([{ location: '/', message: `The definition is no JSON: ${(error as Error).message}` }]);
  }
  const problems = problemsOf(parsed);
  if (problems.length > 0) throw new InvalidDefinition(problems);
  return parsed as Definition;
}

/** Every problem of a definition; none means that the interpreter runs it. Does not change it. */
export function problemsOf(definition: unknown): readonly Problem[] {
  const validator = new Validator();
  if (!isObject(definition)) return [{ location: '/', message: 'The definition must be an object' }];
  validator.fields(definition, machineFields, '');
  validator.flow(definition, '', new Set());
  return validator.problems;
}

class Validator {
  readonly problems: Problem[] = [];
  readonly #names = new Set<string>();

  #report(location: string, message: string): void {
    this.problems.push({ location: location || '/', message });
  }

  fields(given: Members, { required, optional }: Fields, location: string): void {
    for (const name of Object.keys(required))
      if (given[name] === undefined) this.#report(location, `The field '${name}' is missing`);
    for (const [name, value] of Object.entries(given)) {
      const check = required[name] ?? optional[name];
      const problem = check
        ? check(value)
        : jsonPathFields.has(name)
          ? 'belongs to JSONPath: only JSONata is supported'
          : 'is not supported here';
      if (problem) this.#report(`${location}/${name}`, `The field '${name}' ${problem}`);
    }
  }

  /** `outer` are the variables that enclosing scopes assign. */
  flow(flow: Members, location: string, outer: ReadonlySet<string>): void {
    if (!isObject(flow.States)) return;
    const states = Object.entries(flow.States).filter((entry): entry is [string, Members] => isObject(entry[1]));
    const names = new Set(Object.keys(flow.States));
    const target = (name: unknown, at: string) => {
      if (typeof name === 'string' && !names.has(name)) this.#report(at, `There is no state '${name}' in this scope`);
    };
    target(flow.StartAt, `${location}/StartAt`);
    const own = new Set(states.flatMap(([, state]) => assignedNames(state)));
    for (const name of own)
      if (outer.has(name)) this.#report(location, `An inner scope cannot assign the outer scope's variable '${name}'`);
    const visible = new Set([...outer, ...own]);
    for (const [name, state] of states) {
      const at = `${location}/States/${name}`;
      if (this.#names.has(name)) this.#report(at, `The name '${name}' is used for another state of this machine`);
      if (name.length > 80) this.#report(at, 'The name of a state has at most 80 characters');
      this.#names.add(name);
      this.#state(state, at, visible, target);
    }
  }

  #state(state: Members, at: string, visible: ReadonlySet<string>, target: (name: unknown, at: string) => void): void {
    const type = String(state.Type);
    const fields = stateFields[type];
    if (!fields) {
      this.#report(at, `The type '${type}' is not supported`);
      return;
    }
    this.fields(state, fields, at);
    target(state.Next, `${at}/Next`);
    target(state.Default, `${at}/Default`);
    if ('Next' in fields.optional && (typeof state.Next === 'string') === (state.End === true))
      this.#report(at, 'A state has either Next or "End": true');
    for (const [rule, where] of elements(state, 'Choices', at)) {
      this.fields(rule, ruleFields, where);
      target(rule.Next, `${where}/Next`);
    }
    this.#failures(state, at, target);
    for (const [branch, where] of elements(state, 'Branches', at)) {
      this.fields(branch, branchFields, where);
      this.flow(branch, where, visible);
    }
    if (isObject(state.ItemProcessor)) {
      this.fields(state.ItemProcessor, processorFields, `${at}/ItemProcessor`);
      this.flow(state.ItemProcessor, `${at}/ItemProcessor`, visible);
    }
    if (type === 'Wait' && (state.Seconds === undefined) === (state.Timestamp === undefined))
      this.#report(at, 'A Wait has either Seconds or Timestamp');
    if (type === 'Task') this.#task(state, at);
  }

  #failures(state: Members, at: string, target: (name: unknown, at: string) => void): void {
    for (const field of ['Retry', 'Catch'] as const) {
      const handlers = elements(state, field, at);
      for (const [index, [handler, where]] of handlers.entries()) {
        this.fields(handler, field === 'Retry' ? retrierFields : catcherFields, where);
        target(handler.Next, `${where}/Next`);
        this.#errorEquals(handler.ErrorEquals, where, index === handlers.length - 1);
      }
    }
  }

  #errorEquals(names: unknown, where: string, last: boolean): void {
    if (!Array.isArray(names)) return;
    if (!names.every((name) => typeof name === 'string')) this.#report(where, 'ErrorEquals must hold strings');
    if (names.includes('States.ALL') && (names.length > 1 || !last))
      this.#report(where, 'States.ALL must stand alone, in the last element');
  }

  #task({ Resource, TimeoutSeconds, HeartbeatSeconds }: Members, at: string): void {
    if (HeartbeatSeconds === undefined) return;
    const resource = typeof Resource === 'string' ? parseResource(Resource) : '';
    if (typeof resource === 'object' && resource.pattern !== 'waitForTaskToken')
      this.#report(`${at}/HeartbeatSeconds`, 'HeartbeatSeconds is supported with .waitForTaskToken only');
    if (
      typeof HeartbeatSeconds === 'number' &&
      typeof TimeoutSeconds === 'number' &&
      HeartbeatSeconds >= TimeoutSeconds
    )
      this.#report(`${at}/HeartbeatSeconds`, 'HeartbeatSeconds must be smaller than TimeoutSeconds');
  }
}

/** The objects of a list field, each with its place. */
function elements(state: Members, field: string, at: string): readonly (readonly [Members, string])[] {
  const list = state[field];
  if (!Array.isArray(list)) return [];
  return list.map((item, index) => [isObject(item) ? item : {}, `${at}/${field}[${index}]`] as const);
}

function assignedNames(state: Members): string[] {
  const holders = [state, ...elements(state, 'Choices', ''), ...elements(state, 'Catch', '')];
  return holders
    .map((holder) => (Array.isArray(holder) ? holder[0] : holder).Assign)
    .flatMap((assign) => (isObject(assign) ? Object.keys(assign) : []));
}
