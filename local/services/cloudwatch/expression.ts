/**
 * Metric math: numbers, series by their ids, + - * / ^, comparisons, AND OR, and the functions listed below. A series is
 * one value per period, undefined where there is no data point; a period is missing when an operand is missing.
 */
import { AwsError } from '../../kernel.ts';

export type Series = readonly (number | undefined)[];
/** A scalar, one series, or the several that METRICS() answers. */
type Value = number | Series | readonly Series[];

export interface Inputs {
  /** Series by id, each as long as `periods`. */
  readonly series: Readonly<Record<string, Series>>;
  /** Ids that METRICS() answers: those that are metrics, not expressions. */
  readonly metricIds: readonly string[];
  readonly periods: number;
}

const invalid = (expression: string, reason: string) =>
  new AwsError('ValidationError', `Error in expression '${expression}': ${reason}`);

type Operator = (left: number, right: number) => number | undefined;
const OPERATORS: readonly Readonly<Record<string, Operator>>[] = [
  { OR: (a, b) => Number(a !== 0 || b !== 0), '||': (a, b) => Number(a !== 0 || b !== 0) },
  { AND: (a, b) => Number(a !== 0 && b !== 0), '&&': (a, b) => Number(a !== 0 && b !== 0) },
  {
    '==': (a, b) => Number(a === b),
    '!=': (a, b) => Number(a !== b),
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  // A division by zero is a missing data point.
  { '*': (a, b) => a * b, '/': (a, b) => (b === 0 ? undefined : a / b) },
  { '^': (a, b) => a ** b },
];

/** Evaluates an expression to one series. Throws ValidationError for what it cannot read or does not know. */
export function evaluateExpression(expression: string, inputs: Inputs): Series {
  const value = new Evaluation(expression, inputs).value();
  if (typeof value === 'number') return Array.from({ length: inputs.periods }, () => value);
  if (isMany(value)) throw invalid(expression, 'it answers several time series, not one');
  return value;
}

/** The ids that an expression names, in order. */
export function idsIn(expression: string): string[] {
  return (expression.match(/\b[a-z]\w*\b/g) ?? []).filter((id, index, all) => all.indexOf(id) === index);
}

class Evaluation {
  readonly #expression: string;
  readonly #inputs: Inputs;
  readonly #tokens: string[];

  constructor(expression: string, inputs: Inputs) {
    this.#expression = expression;
    this.#inputs = inputs;
    this.#tokens = expression.match(/\d+(?:\.\d+)?|\w+|"[^"]*"|==|!=|<=|>=|&&|\|\||\S/g) ?? [];
  }

  value(): Value {
    const value = this.#binary(0);
    if (this.#tokens.length > 0) throw this.#invalid(`unexpected ${this.#tokens[0]}`);
    return value;
  }

  #binary(level: number): Value {
    const operators = OPERATORS[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    for (let operator = operators[this.#tokens[0] ?? '']; operator; operator = operators[this.#tokens[0] ?? '']) {
      this.#tokens.shift();
      left = combine(operator, left, this.#binary(level + 1));
    }
    return left;
  }

  #unary(): Value {
    const token = this.#tokens.shift();
    if (token === undefined) throw this.#invalid('it ends too early');
    if (token === '-') return combine((zero, value) => zero - value, 0, this.#unary());
    if (token === '(') {
      const value = this.#binary(0);
      this.#expect(')');
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (this.#tokens[0] === '(') return this.#call(token);
    const series = this.#inputs.series[token];
    if (!series) throw this.#invalid(`unknown id or token ${token}`);
    return series;
  }

  #call(name: string): Value {
    this.#expect('(');
    const values: (Value | string)[] = [];
    while (this.#tokens[0] !== ')') {
      if (values.length > 0) this.#expect(',');
      const word = this.#tokens[0] ?? '';
      values.push(name === 'FILL' && /^(REPEAT|LINEAR)$/.test(word) ? this.#shift() : this.#binary(0));
    }
    this.#expect(')');
    const call = FUNCTIONS[name];
    if (!call) throw this.#invalid(`unknown function ${name}`);
    const result = call(values as Value[], this.#inputs);
    if (result === undefined) throw this.#invalid(`wrong arguments of ${name}`);
    return result;
  }

  #shift(): string {
    return this.#tokens.shift() ?? '';
  }

  #expect(token: string): void {
    if (this.#shift() !== token) throw this.#invalid(`expected ${token}`);
  }

  #invalid(reason: string): AwsError {
    return invalid(this.#expression, reason);
  }
}

/** Several series are reduced period by period over those with a data point; one series to a scalar over its periods. */
const reducer =
  (reduce: (values: readonly number[]) => number) =>
  ([value]: readonly Value[]): Value | undefined => {
    if (value === undefined || typeof value === 'number') return undefined;
    if (!isMany(value)) {
      const present = value.filter(isNumber);
      return present.length > 0 ? reduce(present) : value.map(() => undefined);
    }
    return (value[0] ?? []).map((_, period) => {
      const present = value.map((series) => series[period]).filter(isNumber);
      return present.length > 0 ? reduce(present) : undefined;
    });
  };

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mapping =
  (map: (value: number) => number) =>
  ([value]: readonly Value[]) =>
    value === undefined ? undefined : combine((_zero, number) => map(number), 0, value);

const FUNCTIONS: Readonly<Record<string, (args: readonly Value[], inputs: Inputs) => Value | undefined>> = {
  METRICS: (args, { metricIds, series }) => (args.length > 0 ? undefined : metricIds.map((id) => series[id] ?? [])),
  SUM: reducer(sum),
  AVG: reducer((values) => sum(values) / values.length),
  MIN: reducer((values) => Math.min(...values)),
  MAX: reducer((values) => Math.max(...values)),
  ABS: mapping(Math.abs),
  CEIL: mapping(Math.ceil),
  FLOOR: mapping(Math.floor),
  FILL: ([value, filling]) => {
    if (value === undefined || filling === undefined || typeof value === 'number' || isMany(filling)) return undefined;
    return isMany(value) ? value.map((series) => fill(series, filling)) : fill(value, filling);
  },
  IF: ([condition, then, otherwise], { periods }) => {
    if (
      condition === undefined ||
      then === undefined ||
      [condition, then, otherwise].some((v) => v !== undefined && isMany(v))
    ) {
      return undefined;
    }
    const at = (value: Value | undefined, period: number) =>
      typeof value === 'number' ? value : (value as Series)?.[period];
    if (typeof condition === 'number')
      return condition !== 0 ? then : (otherwise ?? Array.from({ length: periods }, () => undefined));
    return condition.map((holds, period) => {
      if (holds === undefined) return undefined;
      return at(holds !== 0 ? then : otherwise, period);
    });
  },
};

function fill(series: Series, filling: Value | string): Series {
  if (typeof filling === 'number') return series.map((value) => value ?? filling);
  if (filling === 'REPEAT') {
    let last: number | undefined;
    return series.map((value) => (last = value ?? last));
  }
  if (filling === 'LINEAR')
    throw new AwsError('NotImplemented', 'The embedded cloud does not implement FILL(…, LINEAR).');
  return series.map((value, period) => value ?? (filling as Series)[period]);
}

function combine(operator: Operator, left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return operator(left, right) ?? Number.NaN;
  if (typeof left !== 'number' && isMany(left)) return left.map((series) => combine(operator, series, right) as Series);
  if (typeof right !== 'number' && isMany(right))
    return right.map((series) => combine(operator, left, series) as Series);
  const length = typeof left === 'number' ? (right as Series).length : left.length;
  return Array.from({ length }, (_, period) => {
    const a = typeof left === 'number' ? left : left[period];
    const b = typeof right === 'number' ? right : right[period];
    return a === undefined || b === undefined ? undefined : operator(a, b);
  });
}

const isNumber = (value: number | undefined): value is number => value !== undefined;
const isMany = (value: Value | string): value is readonly Series[] => Array.isArray(value) && Array.isArray(value[0]);
