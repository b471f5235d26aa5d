/**
 * DynamoDB's expressions as functions of an item: dynalite's parsers read each once, by its text, its names and the types of
 * its values; what it compares with is given anew each time.
 */
import { createRequire } from 'node:module';
import { AwsError } from '../../kernel.ts';

export type Attribute = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, Attribute>>;
export type Values = Readonly<Record<string, Attribute>>;

/** What parsers make of an operand: a path, a value, or a function of operands. */
type Operand = readonly (string | number)[] | Attribute | Call;
interface Call {
  readonly type: string;
  readonly name?: string;
  readonly args: readonly Operand[];
}
interface Section {
  readonly type: 'set' | 'remove' | 'add' | 'delete';
  readonly path: readonly (string | number)[];
  readonly val?: Operand;
  readonly attrType?: string;
}

export interface Request {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Values;
}
export type Condition = (item: Item, values: Values) => boolean;
/** Answers the item as it will be. */
export type Update = (item: Item, values: Values) => Item;

interface Parsed {
  readonly tree: { readonly expression: Call; readonly sections: readonly Section[] };
  readonly names: ReadonlyMap<unknown, string>;
}
interface Parser {
  /** The tree, or what is wrong with the text. */
  parse(text: string, options: { context: object }): Parsed['tree'] | string;
}

// dynalite is CommonJS without types, and its parts have no exports of their own.
const require = createRequire(import.meta.url);
const conditionParser = require('dynalite/db/conditionParser') as Parser;
const updateParser = require('dynalite/db/updateParser') as Parser;
const { compare } = require('dynalite/db') as {
  compare(operator: string, value: Attribute | undefined, others: readonly (Attribute | undefined)[]): boolean;
};

const conditions = new Map<string, Condition>();
const updates = new Map<string, Update>();
const partitions = new Map<string, (hash: string, values: Values) => Attribute | undefined>();

export const conditionOf = (text: string, request: Request): Condition =>
  once(conditions, text, request, () => {
    const { tree, names } = parse(conditionParser, text, request);
    return compileCondition(tree.expression, names);
  });

export const updateOf = (text: string, request: Request): Update =>
  once(updates, text, request, () => {
    const { tree, names } = parse(updateParser, text, request);
    return compileUpdate(tree.sections, names);
  });

/** The value that a key condition wants the partition key to have. */
export const partitionOf = (text: string, request: Request, hash: string): Attribute | undefined =>
  once(partitions, text, request, () => {
    const { tree, names } = parse(conditionParser, text, request);
    return (key, values) => equalTo(key, tree.expression, values, names);
  })(hash, request.ExpressionAttributeValues ?? {});

function once<T>(known: Map<string, T>, text: string, request: Request, make: () => T): T {
  const key = keyOf(text, request);
  let made = known.get(key);
  if (made === undefined) {
    made = make();
    known.set(key, made);
  }
  return made;
}

function keyOf(text: string, { ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Request): string {
  let key = text;
  for (const name in names) key += ` ${name}=${names[name]}`;
  for (const name in values) for (const type in values[name]) key += ` ${name}:${type}`;
  return key;
}

function parse(parser: Parser, text: string, request: Request): Parsed {
  const { ExpressionAttributeNames: attrNames, ExpressionAttributeValues: attrVals = {} } = request;
  const context = { attrNames, attrVals, unusedAttrNames: {}, unusedAttrVals: {}, isReserved: () => false, compare };
  let tree: ReturnType<Parser['parse']>;
  try {
    tree = parser.parse(text, { context });
  } catch (error) {
    throw invalid(`Invalid expression ${text}: ${(error as Error).message}`);
  }
  if (typeof tree === 'string') throw invalid(`Invalid expression ${text}: ${tree}`);
  return { tree, names: new Map(Object.entries(attrVals).map(([name, value]) => [value, name])) };
}

const invalid = (message: string) => new AwsError('ValidationException', message);

function compileCondition(call: Call, names: Parsed['names']): Condition {
  if (call.type === 'not') {
    const inner = compileCondition(call.args[0] as Call, names);
    return (item, values) => !inner(item, values);
  }
  if (call.type === 'and' || call.type === 'or') {
    const [one, other] = call.args.map((each) => compileCondition(each as Call, names)) as [Condition, Condition];
    return call.type === 'and'
      ? (item, values) => one(item, values) && other(item, values)
      : (item, values) => one(item, values) || other(item, values);
  }
  const operands = call.args.map((each) => compileOperand(each, names));
  const operator = call.type === 'function' ? String(call.name) : call.type;
  return (item, values) => {
    const [first, ...others] = operands.map((each) => each(item, values));
    return compare(operator, first, others);
  };
}

type Read = (item: Item, values: Values) => Attribute | undefined;

function compileOperand(operand: Operand, names: Parsed['names']): Read {
  if (Array.isArray(operand)) return (item) => at(operand, item);
  const name = names.get(operand);
  if (name !== undefined) return (_item, values) => values[name];
  const call = operand as Call;
  const [one, other] = call.args.map((each) => compileOperand(each, names));
  const value = (read: Read | undefined, item: Item, values: Values) => {
    const found = read?.(item, values);
    if (found === undefined)
      throw invalid('The provided expression refers to an attribute that does not exist in the item');
    return found;
  };
  switch (call.name ?? call.type) {
    case 'size':
      return (item, values) => sizeOf(one?.(item, values));
    case 'if_not_exists':
      return (item, values) => one?.(item, values) ?? value(other, item, values);
    case 'list_append':
      return (item, values) => ({
        L: [...listOf(value(one, item, values)), ...listOf(value(other, item, values))],
      });
    case 'add':
      return (item, values) => sum(value(one, item, values), value(other, item, values), 1);
    case 'subtract':
      return (item, values) => sum(value(one, item, values), value(other, item, values), -1);
    default:
      throw new AwsError('NotImplemented', `the function ${call.name ?? call.type} in an expression`);
  }
}

function at(path: readonly (string | number)[], item: Item): Attribute | undefined {
  let found: Attribute | undefined = item[path[0] ?? ''];
  for (let index = 1; index < path.length; index++) {
    const step = path[index] ?? '';
    const inner = typeof step === 'number' ? found?.L : found?.M;
    found = (inner as Record<string | number, Attribute> | undefined)?.[step];
  }
  return found;
}

function sizeOf(attribute: Attribute | undefined): Attribute | undefined {
  const value = attribute?.S ?? attribute?.SS ?? attribute?.NS ?? attribute?.L ?? attribute?.B;
  const length = value === undefined ? attribute?.M && Object.keys(attribute.M).length : (value as string).length;
  return length === undefined ? undefined : { N: String(length) };
}

const mistyped = () => invalid('An operand in the update expression has an incorrect data type');

function listOf({ L }: Attribute): readonly Attribute[] {
  if (!Array.isArray(L)) throw mistyped();
  return L;
}

/** Within what a number of JavaScript holds; more digits than that have no record of ours. */
function sum(left: Attribute, right: Attribute, sign: 1 | -1): Attribute {
  if (left.N === undefined || right.N === undefined) throw mistyped();
  return { N: String(Number(left.N) + sign * Number(right.N)) };
}

function compileUpdate(sections: readonly Section[], names: Parsed['names']): Update {
  const steps = sections.map(({ type, path, val }) => ({
    type,
    path,
    value: val === undefined ? undefined : compileOperand(val, names),
  }));
  return (item, values) => {
    // Every value is of the item as it was.
    const given = steps.map(({ value }) => value?.(item, values));
    return steps.reduce((changed, { type, path }, index) => {
      const value = given[index];
      if (type === 'remove') return put(changed, path, undefined);
      if (value === undefined) throw invalid('An operand of the update does not exist');
      if (type === 'set') return put(changed, path, value);
      if (type === 'add') return put(changed, path, sum(at(path, changed) ?? { N: '0' }, value, 1));
      throw new AwsError('NotImplemented', 'DELETE in an update expression');
    }, item);
  };
}

/** The item with another value there; undefined takes it away. What it shares with the old one is never written to. */
function put(item: Item, [name = '', ...rest]: readonly (string | number)[], value: Attribute | undefined): Item {
  if (rest.length === 0 && value !== undefined) return { ...item, [name]: value };
  const { [name]: old, ...others } = item;
  if (rest.length === 0) return others;
  if (typeof rest[0] === 'number') throw new AwsError('NotImplemented', 'a list element in an update expression');
  if (old?.M === undefined) throw invalid('The document path provided in the update expression is invalid for update');
  return { ...item, [name]: { M: put(old.M as Item, rest, value) } };
}

function equalTo(hash: string, call: Call, values: Values, names: Parsed['names']): Attribute | undefined {
  if (call.type === 'and')
    return equalTo(hash, call.args[0] as Call, values, names) ?? equalTo(hash, call.args[1] as Call, values, names);
  const [path, value] = call.args;
  const isHash = call.type === '=' && Array.isArray(path) && path.length === 1 && path[0] === hash;
  return isHash ? values[names.get(value) ?? ''] : undefined;
}
