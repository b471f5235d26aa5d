/** What an expression mentions, read from its syntax tree: for validation and lint, without evaluating. */
import { compile, expressionOf } from './jsonata.ts';

export interface Mentions {
  /** Free variables without the dollar; `states` and names that the expression binds itself are left out. */
  readonly variables: ReadonlySet<string>;
  /** First step after `$states`: `input`, `result`, …, or `` where the whole of it is used. */
  readonly states: ReadonlySet<string>;
  /** `Token` where `$states.context.Task.Token` is used. */
  readonly taskToken: boolean;
}

interface Node {
  readonly type?: string;
  readonly value?: unknown;
  readonly steps?: readonly Node[];
  readonly [member: string]: unknown;
}

/** Throws the parser's error when `source` is not JSONata. A name bound anywhere in the expression counts as bound in all of it. */
export function mentionsOf(source: string): Mentions {
  const variables = new Set<string>();
  const bound = new Set<string>();
  const states = new Set<string>();
  let taskToken = false;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { type, value, steps } = node as Node;
    if (type === 'path' && steps?.[0]?.type === 'variable' && steps[0].value === 'states') {
      const names = steps.slice(1).map((step) => String(step.value));
      states.add(names[0] ?? '');
      taskToken ||= names.slice(0, 3).join('.') === 'context.Task.Token';
      visit(steps[0].predicate);
      visit(steps.slice(1));
      return;
    }
    if (type === 'variable' && value === 'states') states.add('');
    else if (type === 'variable' && value !== '' && value !== '$') variables.add(String(value));
    for (const name of boundBy(node as Node)) bound.add(name);
    for (const member of Object.values(node)) visit(member);
  };
  visit(compile(source).ast());
  for (const name of bound) variables.delete(name);
  return { variables, states, taskToken };
}

function boundBy({ type, lhs, arguments: parameters, focus, index }: Node): string[] {
  const names: unknown[] = [focus, index];
  if (type === 'bind') names.push((lhs as Node).value);
  if (type === 'lambda') names.push(...(parameters as readonly Node[]).map((parameter) => parameter.value));
  return names.filter((name) => typeof name === 'string');
}

/** Every expression within a field's value, with its place. */
export function* expressionsIn(value: unknown, location: string): Generator<{ source: string; location: string }> {
  if (typeof value === 'string') {
    const source = expressionOf(value);
    if (source !== undefined) yield { source, location };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* expressionsIn(item, `${location}[${index}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) yield* expressionsIn(member, `${location}/${name}`);
  }
}
