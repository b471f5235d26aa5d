/** The event pattern language of EventBridge, which SNS filter policies share. Anything it does not know is an error. */
import { BlockList, isIP } from 'node:net';
import { AwsError } from '../../kernel.ts';

/** Whether a value (undefined: the field is absent) satisfies a pattern. */
export type Matcher = (value: unknown) => boolean;
type Json = Readonly<Record<string, unknown>>;

const invalid = (reason: string) =>
  new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);

/** Compiles a pattern given as JSON text. Throws InvalidEventPatternException naming what is wrong. */
export function parsePattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw invalid('Filter is not valid JSON');
  }
  return compilePattern(pattern);
}

/** Compiles a pattern given as an object. */
export function compilePattern(pattern: unknown): Matcher {
  if (!isObject(pattern)) throw invalid('Filter is not an object');
  return compileObject(pattern);
}

function compileObject(pattern: Json): Matcher {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw invalid('Empty objects are not allowed');
  const fields = entries.map(([key, value]): Matcher => {
    if (key === '$or' && isAlternatives(value)) return compileOr(value);
    const field = compileField(key, value);
    return (event) => field(isObject(event) ? event[key] : undefined);
  });
  // A field inside an array of objects matches when one object satisfies the whole sub-pattern.
  return (event) => candidates(event).some((candidate) => fields.every((field) => field(candidate)));
}

const isAlternatives = (value: unknown): value is readonly Json[] =>
  Array.isArray(value) && value.length > 1 && value.every(isObject);

function compileOr(alternatives: readonly Json[]): Matcher {
  const matchers = alternatives.map(compileObject);
  return (event) => matchers.some((matches) => matches(event));
}

function compileField(key: string, value: unknown): Matcher {
  if (isObject(value)) return compileObject(value);
  if (!Array.isArray(value)) throw invalid(`"${key}" must be an object or an array`);
  if (value.length === 0) throw invalid('Empty arrays are not allowed');
  const matchers = value.map(compileLeaf);
  return (field) => {
    const values = candidates(field).filter((candidate) => !isObject(candidate));
    const present = values.length > 0 ? values : [undefined];
    return matchers.some((matches) => present.some(matches));
  };
}

function compileLeaf(leaf: unknown): Matcher {
  if (!isObject(leaf)) {
    if (Array.isArray(leaf)) throw invalid('Arrays inside arrays are not allowed');
    return (value) => value === leaf;
  }
  const [[name, argument] = ['', undefined], ...more] = Object.entries(leaf);
  if (more.length > 0) throw invalid('Only one key allowed in match expression');
  const make = MATCHERS[name];
  if (!make) throw invalid(`Unrecognized match type ${name}`);
  return make(argument);
}

const MATCHERS: Readonly<Record<string, (argument: unknown) => Matcher>> = {
  prefix: (argument) => affix('prefix', argument, (value, part) => value.startsWith(part)),
  suffix: (argument) => affix('suffix', argument, (value, part) => value.endsWith(part)),
  'equals-ignore-case': (argument) => {
    const wanted = text('equals-ignore-case', argument).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  wildcard: (argument) => {
    const expression = wildcard(text('wildcard', argument));
    return (value) => typeof value === 'string' && expression.test(value);
  },
  exists: (argument) => {
    if (typeof argument !== 'boolean') throw invalid('exists must be a boolean');
    return (value) => (value !== undefined) === argument;
  },
  numeric,
  cidr: (argument) => {
    const list = cidr(text('cidr', argument));
    return (value) => {
      const version = typeof value === 'string' ? isIP(value) : 0;
      return version > 0 && list.check(String(value), version === 6 ? 'ipv6' : 'ipv4');
    };
  },
  'anything-but': anythingBut,
};

function affix(name: string, argument: unknown, holds: (value: string, part: string) => boolean): Matcher {
  if (isObject(argument)) {
    const keys = Object.keys(argument);
    if (keys.length !== 1 || keys[0] !== 'equals-ignore-case') throw invalid(`Unsupported ${name} pattern`);
    const part = text(name, argument['equals-ignore-case']).toLowerCase();
    return (value) => typeof value === 'string' && holds(value.toLowerCase(), part);
  }
  const part = text(name, argument);
  return (value) => typeof value === 'string' && holds(value, part);
}

/** True for a field that is there and that none of the excluded values or nested matchers accepts. */
function anythingBut(argument: unknown): Matcher {
  const excluded = isObject(argument) ? nestedExclusions(argument) : list(argument).map(literal);
  return (value) => value !== undefined && !excluded.some((matches) => matches(value));
}

function nestedExclusions(argument: Json): readonly Matcher[] {
  const [[name, values] = ['', undefined], ...more] = Object.entries(argument);
  const make = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(name) ? MATCHERS[name] : undefined;
  if (!make || more.length > 0) throw invalid(`Unsupported anything-but pattern ${Object.keys(argument).join(', ')}`);
  return list(values).map(make);
}

function literal(excluded: unknown): Matcher {
  if (typeof excluded !== 'string' && typeof excluded !== 'number') {
    throw invalid('Inside anything but list, values must be numbers or strings');
  }
  return (value) => value === excluded;
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(argument: unknown): Matcher {
  if (!Array.isArray(argument) || (argument.length !== 2 && argument.length !== 4)) {
    throw invalid('numeric needs one or two comparisons');
  }
  const comparisons = Array.from({ length: argument.length / 2 }, (_, index) => {
    const [operator, bound] = argument.slice(index * 2, index * 2 + 2);
    const compare = COMPARISONS[String(operator)];
    if (!compare) throw invalid(`Unrecognized numeric range operator: ${operator}`);
    if (typeof bound !== 'number' || Math.abs(bound) > 5e9)
      throw invalid('Value of numeric must be between -5.0E9 and 5.0E9');
    return (value: number) => compare(value, bound);
  });
  return (value) => typeof value === 'number' && comparisons.every((holds) => holds(value));
}

/** `*` stands for any characters; a backslash makes the next `*` or backslash literal. */
function wildcard(pattern: string): RegExp {
  if (/(?<!\\)\*\*/.test(pattern)) throw invalid('Consecutive wildcard characters');
  if (/^(?:[^\\]|\\[*\\])*$/.test(pattern) === false) throw invalid('Invalid escape character');
  const source = pattern.replace(/\\([*\\])|\*|[.+?^${}()|[\]]/g, (token, escaped?: string) =>
    token === '*' ? '.*' : `\\${escaped ?? token}`,
  );
  return new RegExp(`^${source}$`, 's');
}

function cidr(block: string): BlockList {
  const [address = '', bits = ''] = block.split('/');
  const version = isIP(address);
  if (version === 0 || !/^\d+$/.test(bits) || Number(bits) > (version === 6 ? 128 : 32)) {
    throw invalid(`Malformed CIDR, one '/' required: ${block}`);
  }
  const blocks = new BlockList();
  blocks.addSubnet(address, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
  return blocks;
}

function text(name: string, argument: unknown): string {
  if (typeof argument !== 'string' || argument === '') throw invalid(`${name} match pattern must be a string`);
  return argument;
}

function list(argument: unknown): readonly unknown[] {
  if (Array.isArray(argument) && argument.length === 0) throw invalid('Empty arrays are not allowed');
  return Array.isArray(argument) ? argument : [argument];
}

/** What a value offers to match: itself, or the elements of an array. */
const candidates = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
