/**
 * dynalite reads every expression anew, character by character. Callers send the same few: what one was read as is kept,
 * with its values left open.
 */

type Values = Readonly<Record<string, object>>;

/** What dynalite's parsers are given, and what they take out of it: names and values that an expression uses. */
interface Context {
  readonly attrNames?: Readonly<Record<string, string>>;
  readonly attrVals?: Values;
  readonly unusedAttrNames: Record<string, true>;
  readonly unusedAttrVals: Record<string, true>;
  readonly isKeyCondition?: boolean;
}
interface Parser {
  parse(expression: string, options: { context: Context }): unknown;
}

interface Reading {
  /** The same expression with other values of the same types. */
  readonly instantiate: (values: Values) => unknown;
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** More would be expressions with values written into them. */
const most = 2000;

/** Whether an expression is valid may depend on these functions' values, not only on their types. */
const judgesValues = /between|attribute_type/i;

/** Replaces a parser's `parse` with one that reads each expression once. Expressions that it refuses are read each time. */
export function remember(parser: Parser): void {
  const parse = parser.parse.bind(parser);
  const readings = new Map<string, Reading>();
  parser.parse = (expression, options) => {
    const { context } = options;
    const values = context.attrVals ?? {};
    if (judgesValues.test(expression)) return parse(expression, options);
    const key = keyOf(expression, context);
    let reading = readings.get(key);
    if (reading === undefined) {
      reading = read(parse, expression, context);
      if (readings.size < most) readings.set(key, reading);
    }
    for (const name of reading.names) delete context.unusedAttrNames[name];
    for (const name of reading.values) delete context.unusedAttrVals[name];
    return reading.instantiate(values);
  };
}

/** Everything but the values themselves. */
function keyOf(expression: string, { attrNames, attrVals = {}, isKeyCondition = false }: Context): string {
  const types = Object.entries(attrVals).map(([name, value]) => [name, Object.keys(value)]);
  return JSON.stringify([expression, attrNames, types, isKeyCondition]);
}

function read(parse: Parser['parse'], expression: string, context: Context): Reading {
  const unused = { unusedAttrNames: { ...context.unusedAttrNames }, unusedAttrVals: { ...context.unusedAttrVals } };
  const tree = parse(expression, { context: { ...context, ...unused } });
  const used = (before: object, after: object) => Object.keys(before).filter((name) => !(name in after));
  const names = new Map(Object.entries(context.attrVals ?? {}).map(([name, value]) => [value, name]));
  return {
    instantiate: openingOf(tree, names),
    names: used(context.unusedAttrNames, unused.unusedAttrNames),
    values: used(context.unusedAttrVals, unused.unusedAttrVals),
  };
}

/** Copies a tree, which actions write into, with the values of another request in the places of this one's. */
function openingOf(tree: unknown, names: ReadonlyMap<unknown, string>): (values: Values) => unknown {
  if (typeof tree !== 'object' || tree === null) return () => tree;
  const name = names.get(tree);
  if (name !== undefined) return (values) => values[name];
  if (Array.isArray(tree)) {
    const each = tree.map((element) => openingOf(element, names));
    return (values) => each.map((open) => open(values));
  }
  const members = Object.entries(tree).map(([key, member]) => [key, openingOf(member, names)] as const);
  const isBare = Object.getPrototypeOf(tree) === null;
  return (values) => {
    const copy: Record<string, unknown> = isBare ? Object.create(null) : {};
    for (const [key, open] of members) copy[key] = open(values);
    return copy;
  };
}
