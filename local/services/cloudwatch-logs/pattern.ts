/**
 * Filter patterns of CloudWatch Logs: terms, quoted phrases, `-exclusions`, `?alternatives`, and JSON conditions
 * `{ $.level = "ERROR" && $.code >= 500 }`. Space-delimited patterns and regular expressions are refused.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
import { AwsError } from '../../kernel.ts';
import { notImplemented } from '../declare.ts';

export type Matches = (message: string) => boolean;

/** Throws InvalidParameterException for what is no pattern, NotImplemented for what is not supported here. */
export function compilePattern(pattern: string): Matches {
  const text = pattern.trim();
  if (text.startsWith('[')) throw notImplemented(`the space-delimited filter pattern ${text}`);
  if (text.includes('%')) throw notImplemented(`the regular expression in the filter pattern ${text}`);
  return text.startsWith('{') ? jsonPattern(text) : termPattern(text);
}

function termPattern(text: string): Matches {
  const terms = [...text.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(([, sign = '', phrase, word]) => ({
    sign,
    text: phrase?.replace(/\\(.)/g, '$1') ?? word ?? '',
  }));
  const of = (sign: string) => terms.filter((term) => term.sign === sign).map((term) => term.text);
  const [required, excluded, optional] = [of(''), of('-'), of('?')];
  return (message) =>
    required.every((term) => message.includes(term)) &&
    !excluded.some((term) => message.includes(term)) &&
    // Beside required terms, alternatives decide nothing.
    (optional.length === 0 || required.length > 0 || optional.some((term) => message.includes(term)));
}

type Condition = (document: unknown) => boolean;

const token = /\s*(\(|\)|&&|\|\||!=|>=|<=|=|>|<|"(?:[^"\\]|\\.)*"|[^\s()&|=!<>"]+)/y;

function jsonPattern(text: string): Matches {
  const body = /^\{(.*)\}$/s.exec(text)?.[1];
  if (body === undefined) throw invalid(text);
  const tokens = tokenize(body, text);
  let at = 0;
  const take = () => tokens[at++];
  const chain = (
    operator: string,
    operand: () => Condition,
    holds: (all: Condition[], document: unknown) => boolean,
  ) => {
    const operands = [operand()];
    while (tokens[at] === operator) {
      at++;
      operands.push(operand());
    }
    return (document: unknown) => holds(operands, document);
  };
  const any = (): Condition => chain('||', every, (all, document) => all.some((each) => each(document)));
  const every = (): Condition => chain('&&', single, (all, document) => all.every((each) => each(document)));
  const single = (): Condition => {
    if (tokens[at] !== '(') return comparison(take(), take(), take(), text, take);
    at++;
    const inner = any();
    if (take() !== ')') throw invalid(text);
    return inner;
  };
  const condition = any();
  if (at !== tokens.length) throw invalid(text);
  return (message) => {
    const document = parseJson(message);
    return document !== undefined && condition(document);
  };
}

function tokenize(body: string, pattern: string): readonly string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  const end = body.trimEnd().length;
  while (token.lastIndex < end) {
    const found = token.exec(body)?.[1];
    if (found === undefined) throw invalid(pattern);
    tokens.push(found);
  }
  return tokens;
}

function comparison(
  selector: string | undefined,
  operator: string | undefined,
  operand: string | undefined,
  pattern: string,
  take: () => string | undefined,
): Condition {
  if (!selector?.startsWith('$.') || operator === undefined || operand === undefined) throw invalid(pattern);
  const value = (document: unknown) => select(document, selector);
  if (operator === 'IS') return is(operand, value, pattern);
  if (operator === 'NOT' && operand === 'EXISTS') return (document) => value(document) === undefined;
  if (operator === '=' || operator === '!=') {
    const equals = equalTo(operand);
    return (document) => equals(value(document)) === (operator === '=');
  }
  const number = Number(operand);
  const compare = { '>': gt, '>=': ge, '<': lt, '<=': le }[operator];
  if (compare === undefined || Number.isNaN(number)) throw invalid(`${pattern}${take() ?? ''}`);
  return (document) => {
    const found = value(document);
    return typeof found === 'number' && compare(found, number);
  };
}

function is(operand: string, value: (document: unknown) => unknown, pattern: string): Condition {
  const wanted = { TRUE: true, FALSE: false, NULL: null }[operand];
  if (wanted === undefined) throw invalid(pattern);
  return (document) => value(document) === wanted;
}

/** Strings may hold `*`; a bare number equals a number. */
function equalTo(operand: string): (value: unknown) => boolean {
  const quoted = operand.startsWith('"');
  const text = quoted ? operand.slice(1, -1).replace(/\\(.)/g, '$1') : operand;
  const glob = new RegExp(
    `^${text
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  return (value) =>
    (typeof value === 'string' && glob.test(value)) || (!quoted && typeof value === 'number' && value === Number(text));
}

function select(document: unknown, selector: string): unknown {
  const path = selector
    .slice(2)
    .split(/[.[\]]+/)
    .filter((step) => step !== '');
  return path.reduce<unknown>((value, step) => (value as Record<string, unknown> | null | undefined)?.[step], document);
}

function parseJson(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

const gt = (a: number, b: number) => a > b;
const ge = (a: number, b: number) => a >= b;
const lt = (a: number, b: number) => a < b;
const le = (a: number, b: number) => a <= b;

function invalid(pattern: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid filter pattern ${pattern}`);
}

/** The number that a metric filter's MetricValue takes from a message: a literal, or a JSON selector. */
export function metricValue(expression: string, message: string): number | undefined {
  const value = expression.startsWith('$.') ? select(parseJson(message), expression) : expression;
  const number = typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}

/** A JSON selector's value as text, for a metric filter's dimensions. */
export function dimensionValue(selector: string, message: string): string | undefined {
  const value = select(parseJson(message), selector);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
