/**
 * Resolves CloudFormation's intrinsic functions. Values resolve inside out, as CloudFormation does:
 * a function's arguments may themselves be functions. What is not supported is an error, never passed through.
 */
import { TemplateError } from './template.ts';

/** What a template's names mean. Every lookup answers undefined for a name that it does not know. */
export interface Scope {
  /** Parameters, pseudo parameters and resources that are created. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): unknown;
  condition(name: string): boolean | undefined;
  mapping(map: string, key: string, secondKey: string): unknown;
  exported(name: string): unknown;
}

/** `AWS::NoValue`: the property that holds it is left out. */
export const noValue: unique symbol = Symbol('AWS::NoValue');

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const intrinsics: Readonly<Record<string, Intrinsic>> = {
  Ref: (name, scope) => found(scope.ref(text(name, 'Ref')), `Ref ${name}`),
  Condition: (name, scope) => found(scope.condition(text(name, 'Condition')), `Condition ${name}`),
  'Fn::GetAtt': getAttribute,
  'Fn::Sub': substitute,
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = pair(argument, 'Fn::Join');
    return texts(resolve(parts, scope), 'Fn::Join').join(text(separator, 'Fn::Join'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, values] = pair(argument, 'Fn::Select');
    return found(list(resolve(values, scope), 'Fn::Select')[Number(resolve(index, scope))], `Fn::Select ${index}`);
  },
  'Fn::Split': (argument, scope) => {
    const [separator, value] = pair(argument, 'Fn::Split');
    return text(resolve(value, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::If': (argument, scope) => {
    const [name, then, otherwise] = list(argument, 'Fn::If');
    const holds = found(scope.condition(text(name, 'Fn::If')), `condition ${name}`);
    return resolve(holds ? then : otherwise, scope);
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = pair(argument, 'Fn::Equals');
    return JSON.stringify(resolve(left, scope)) === JSON.stringify(resolve(right, scope));
  },
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((each) => resolve(each, scope) === true),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((each) => resolve(each, scope) === true),
  'Fn::Not': (argument, scope) => resolve(list(argument, 'Fn::Not')[0], scope) !== true,
  'Fn::Contains': (argument, scope) => {
    const [values, value] = pair(argument, 'Fn::Contains');
    return list(resolve(values, scope), 'Fn::Contains').includes(resolve(value, scope));
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, key, secondKey] = texts(resolve(argument, scope), 'Fn::FindInMap');
    return found(scope.mapping(`${map}`, `${key}`, `${secondKey}`), `Fn::FindInMap ${map}.${key}.${secondKey}`);
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = text(resolve(argument, scope), 'Fn::ImportValue');
    return found(scope.exported(name), `export ${name}: no stack of this Region that is deployed`);
  },
};

/** The value with every intrinsic function in it resolved. Throws TemplateError; the caller says where. */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return withoutDynamicReference(value);
  if (typeof value !== 'object' || value === null || isConstant(value)) return value;
  if (Array.isArray(value)) return value.map((each) => resolve(each, scope)).filter((each) => each !== noValue);
  const call = intrinsicCall(value);
  if (call !== undefined) return call.run(call.argument, scope);
  const resolved: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    const member = resolve(each, scope);
    if (member !== noValue) resolved[key] = member;
  }
  return resolved;
}

/** What was asked of a scope, and what it answered. */
type Asked = readonly [ask: (scope: Scope) => unknown, answer: unknown];

const resolved = new WeakMap<object, { readonly asked: readonly Asked[]; readonly result: unknown }>();

/**
 * As `resolve`, for what one cloud after another resolves: as long as every name means what it meant to the last one, the
 * result is the same. It is frozen: whoever would change it fails.
 */
export function resolveOnce(value: object, scope: Scope): unknown {
  const last = resolved.get(value);
  if (last?.asked.every(([ask, answer]) => ask(scope) === answer)) return last.result;
  const asked: Asked[] = [];
  const noted = <T>(ask: (scope: Scope) => T): T => {
    const answer = ask(scope);
    asked.push([ask, answer]);
    return answer;
  };
  const result = resolve(value, {
    ref: (name) => noted((each) => each.ref(name)),
    attribute: (logicalId, attribute) => noted((each) => each.attribute(logicalId, attribute)),
    condition: (name) => noted((each) => each.condition(name)),
    mapping: (map, key, secondKey) => noted((each) => each.mapping(map, key, secondKey)),
    exported: (name) => noted((each) => each.exported(name)),
  });
  resolved.set(value, { asked, result: frozen(result) });
  return result;
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}

/** Whether nothing in it needs resolving. It is then handed to every stack as it is, frozen: whoever would change it fails. */
function isConstant(value: object): boolean {
  let known = constants.get(value);
  if (known === undefined) {
    const [name = '', ...more] = Object.keys(value);
    const isCall = more.length === 0 && (Object.hasOwn(intrinsics, name) || name.startsWith('Fn::'));
    known = !isCall && Object.values(value).every(isConstantMember);
    if (known) Object.freeze(value);
    constants.set(value, known);
  }
  return known;
}

function isConstantMember(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes(dynamicReference);
  return typeof value !== 'object' || value === null || isConstant(value);
}

const constants = new WeakMap<object, boolean>();
const dynamicReference = '{{resolve:';

/** The names that a value refers to: logical ids, parameters, pseudo parameters. */
export function references(value: unknown): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  let found = referred.get(value);
  if (found === undefined) {
    found = referencesIn(value);
    referred.set(value, found);
  }
  return found;
}

const referred = new WeakMap<object, ReadonlySet<string>>();

function referencesIn(value: object): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': sub } = each as Record<string, unknown>;
    if (typeof ref === 'string') names.add(ref);
    if (attribute !== undefined)
      names.add(String(Array.isArray(attribute) ? attribute[0] : attribute).split('.', 1)[0] ?? '');
    const template = Array.isArray(sub) ? sub[0] : sub;
    if (typeof template === 'string') {
      for (const [, name = ''] of template.matchAll(placeholder)) names.add(name.split('.', 1)[0] ?? '');
    }
    Object.values(each).forEach(visit);
  };
  visit(value);
  return names;
}

function intrinsicCall(value: object): { run: Intrinsic; argument: unknown } | undefined {
  const keys = Object.keys(value);
  const name = keys[0] ?? '';
  // `Condition` is also a property (of policy statements): it calls only where its argument is a name.
  const argument = (value as Record<string, unknown>)[name];
  if (keys.length !== 1 || (name === 'Condition' && typeof argument !== 'string')) return undefined;
  const run = intrinsics[name];
  if (run === undefined && name.startsWith('Fn::'))
    throw new TemplateError(`the intrinsic function ${name} is not supported`);
  return run && { run, argument };
}

function getAttribute(argument: unknown, scope: Scope): unknown {
  const [logicalId = '', ...path] = typeof argument === 'string' ? argument.split('.') : texts(argument, 'Fn::GetAtt');
  const attribute = path.join('.');
  return found(scope.attribute(logicalId, attribute), `Fn::GetAtt ${logicalId}.${attribute}`);
}

const placeholder = /\$\{(?!!)\s*([^}]+?)\s*\}/g;

function substitute(argument: unknown, scope: Scope): string {
  const [template, variables] = Array.isArray(argument) ? argument : [argument, {}];
  const values = resolve(variables, scope) as Record<string, unknown>;
  return text(template, 'Fn::Sub')
    .replace(placeholder, (_, name: string) => {
      if (name in values) return scalar(values[name], `Fn::Sub \${${name}}`);
      const value = name.includes('.') ? getAttribute(name, scope) : found(scope.ref(name), `Fn::Sub \${${name}}`);
      return scalar(value, `Fn::Sub \${${name}}`);
    })
    .replace(/\$\{!/g, '${');
}

function withoutDynamicReference(value: string): string {
  if (value.includes(dynamicReference)) throw new TemplateError(`the dynamic reference ${value} is not supported`);
  return value;
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TemplateError(`${what} is not known here`);
  return value;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TemplateError(`${what} takes a list, not ${JSON.stringify(value)}`);
  return value;
}

function pair(value: unknown, what: string): readonly [unknown, unknown] {
  const values = list(value, what);
  if (values.length !== 2) throw new TemplateError(`${what} takes two arguments, not ${values.length}`);
  return [values[0], values[1]];
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TemplateError(`${what} takes a string, not ${JSON.stringify(value)}`);
  return value;
}

function texts(value: unknown, what: string): readonly string[] {
  return list(value, what).map((each) => scalar(each, what));
}

function scalar(value: unknown, what: string): string {
  if (typeof value === 'object' || value === undefined) {
    throw new TemplateError(`${what} takes text, not ${JSON.stringify(value)}`);
  }
  return String(value);
}
