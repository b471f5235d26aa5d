/** Condition operators (IAM User Guide: reference_policies_elements_condition_operators and …_condition-multi-value). */
import { BlockList, isIPv6 } from 'node:net';
import { AwsError, type PolicyStatement } from '../kernel.ts';
import { type Context, matchesArn, matchesText, resolveText } from './patterns.ts';

/** Compares one value of the request with one of the policy. */
type Compare = (value: string, policy: string, context: Context) => boolean;

const numeric =
  (compare: (a: number, b: number) => boolean): Compare =>
  (value, policy) =>
    compare(Number(value), Number(policy));
const date =
  (compare: (a: number, b: number) => boolean): Compare =>
  (value, policy) =>
    compare(instant(value), instant(policy));
/** ISO 8601, or epoch seconds. */
const instant = (text: string) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text));

const string: Compare = (value, policy, context) => resolveText(policy, context) === value;
const ignoreCase: Compare = (value, policy, context) =>
  resolveText(policy, context)?.toLowerCase() === value.toLowerCase();
const like: Compare = (value, policy, context) => matchesText(policy, value, context);
const arn: Compare = (value, policy, context) => matchesArn(policy, value, context);
const equal = (a: number, b: number) => a === b;

const operators: Readonly<Record<string, Compare>> = {
  StringEquals: string,
  StringEqualsIgnoreCase: ignoreCase,
  StringLike: like,
  ArnEquals: arn,
  ArnLike: arn,
  NumericEquals: numeric(equal),
  NumericLessThan: numeric((a, b) => a < b),
  NumericLessThanEquals: numeric((a, b) => a <= b),
  NumericGreaterThan: numeric((a, b) => a > b),
  NumericGreaterThanEquals: numeric((a, b) => a >= b),
  DateEquals: date(equal),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
  Bool: (value, policy) => value.toLowerCase() === policy.toLowerCase(),
  BinaryEquals: (value, policy) => value === policy,
  IpAddress: inRange,
};
/** A negated operator is true where its positive one is false for every value, and where the key is absent. */
const negated: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
  NotIpAddress: 'IpAddress',
};

interface ConditionOperator {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly name: string;
  readonly negate: boolean;
  readonly ifExists: boolean;
}

/** Reads an operator's name. Throws AwsError MalformedPolicyDocument for one that IAM does not know. */
export function parseOperator(text: string): ConditionOperator {
  const [, set, given = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(text) ?? [];
  const name = negated[given] ?? given;
  const known = Object.hasOwn(operators, name) || (name === 'Null' && !set && !ifExists);
  if (!known) throw new AwsError('MalformedPolicyDocument', `Invalid Condition type : ${text}.`);
  return {
    set: set as ConditionOperator['set'],
    name,
    negate: Object.hasOwn(negated, given),
    ifExists: ifExists !== undefined,
  };
}

/** A statement's conditions, read once: whether every one of them holds for a request. */
export function compileConditions(conditions: PolicyStatement['Condition']): (context: Context) => boolean {
  const all = Object.entries(conditions ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => ({
      operator: parseOperator(operator),
      key: key.toLowerCase(),
      values: [values].flat().map(String),
    })),
  );
  return (context) => all.every(({ operator, key, values }) => holds(operator, context.get(key), values, context));
}

function holds(
  { set, name, negate, ifExists }: ConditionOperator,
  actual: readonly string[] | undefined,
  policy: readonly string[],
  context: Context,
): boolean {
  if (name === 'Null') return policy.some((wanted) => (wanted.toLowerCase() === 'true') === (actual === undefined));
  const compare = operators[name];
  const matches = (value: string) => policy.some((wanted) => compare?.(value, wanted, context) === true);
  const values = actual ?? [];
  if (set === 'ForAllValues') return values.every((value) => matches(value) !== negate);
  if (set === 'ForAnyValue') return values.some((value) => matches(value) !== negate);
  if (values.length === 0) return negate || ifExists;
  return values.some(matches) !== negate;
}

function inRange(value: string, policy: string): boolean {
  const [address = '', prefix] = policy.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const range = new BlockList();
  range.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  return range.check(value, isIPv6(value) ? 'ipv6' : 'ipv4');
}
