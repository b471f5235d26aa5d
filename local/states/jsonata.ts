/**
 * JSONata as Step Functions has it: each expression compiled once, $eval removed, six functions added, and time and
 * chance taken from the host. AWS implements JSONata 2.0.6; the npm library of the same line evaluates here.
 */
import { createHash } from 'node:crypto';
import jsonata from 'jsonata';

/** What an expression may ask of the world outside its data. */
export interface Host {
  /** Epoch milliseconds. */
  now(): number;
  /** 0 ≤ n < 1. */
  random(): number;
  /** A version 4 UUID. */
  uuid(): string;
}

/** The source within `{% … %}`, or undefined where the string is literal. */
export function expressionOf(text: string): string | undefined {
  return text.startsWith('{%') && text.endsWith('%}') && text.length >= 4 ? text.slice(2, -2) : undefined;
}

/** Throws the parser's error (code, position) when `source` is not JSONata. */
export function compile(source: string): jsonata.Expression {
  const known = compiled.get(source);
  if (known) return known;
  const expression = jsonata(source);
  for (const [name, implementation, signature] of functions)
    expression.registerFunction(name, implementation, signature);
  compiled.set(source, expression);
  return expression;
}

/** Evaluates with `bindings` as variables; undefined when the expression selects nothing. */
export async function evaluate(
  source: string,
  bindings: Readonly<Record<string, unknown>>,
  host: Host,
): Promise<unknown> {
  const lent: Lent = { host };
  try {
    return await compile(source).evaluate(undefined, { ...bindings, [hostBinding]: lent });
  } finally {
    // The library's functions of this evaluation live on for a while, and would keep the host (decisions/0023).
    lent.host = undefined;
  }
}

interface Lent {
  host: Host | undefined;
}

const compiled = new Map<string, jsonata.Expression>();
/** No expression can name a variable that starts with a blank. */
const hostBinding = ' host';

type Implementation = Parameters<jsonata.Expression['registerFunction']>[1];

const hostOf = (focus: jsonata.Focus): Host => (focus.environment.lookup(hostBinding) as Lent).host as Host;

const functions: readonly (readonly [string, Implementation, string?])[] = [
  [
    'eval',
    () => {
      throw new Error('$eval is not available in Step Functions; use $parse for JSON');
    },
  ],
  ['partition', partition, '<an:a>'],
  ['range', range, '<nnn:a>'],
  ['hash', hash, '<ss:s>'],
  ['parse', (text?: string) => (text === undefined ? undefined : JSON.parse(text)), '<s:x>'],
  [
    'random',
    function (seed?: number) {
      return seed === undefined ? hostOf(this).random() : seeded(seed);
    },
    '<n?:n>',
  ],
  [
    'uuid',
    function () {
      return hostOf(this).uuid();
    },
    '<:s>',
  ],
  [
    'millis',
    function () {
      return hostOf(this).now();
    },
    '<:n>',
  ],
  [
    'now',
    function (picture?: string, timezone?: string) {
      const format = this.environment.lookup('fromMillis').implementation;
      return format.call(this, hostOf(this).now(), picture, timezone);
    },
    '<s?s?:s>',
  ],
  ['shuffle', shuffle, '<a:a>'],
];

function partition(items: readonly unknown[] | undefined, size: number): unknown[][] | undefined {
  if (items === undefined) return undefined;
  if (!(Number.isInteger(size) && size > 0)) throw new Error('$partition needs a positive whole chunk size');
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/** Inclusive of `end`; at most 1,000 items, as AWS documents. */
function range(start: number, end: number, step: number): number[] {
  if (![start, end, step].every(Number.isInteger) || step === 0)
    throw new Error('$range needs three whole numbers, the step not 0');
  const length = Math.max(0, Math.floor((end - start) / step) + 1);
  if (length > 1000) throw new Error('$range makes at most 1000 items');
  return Array.from({ length }, (_, at) => start + at * step);
}

const algorithms = ['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];

function hash(data: string | undefined, algorithm: string): string | undefined {
  if (data === undefined) return undefined;
  if (!algorithms.includes(algorithm)) throw new Error(`$hash knows ${algorithms.join(', ')}, not ${algorithm}`);
  return createHash(algorithm.replace('-', '')).update(data).digest('hex');
}

/** One draw of mulberry32: the same seed gives the same number, as AWS documents (its generator is not published). */
function seeded(seed: number): number {
  let t = (seed + 0x6d2b79f5) | 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function shuffle(this: jsonata.Focus, items?: readonly unknown[]): unknown[] | undefined {
  if (items === undefined) return undefined;
  const out = [...items];
  const { random } = hostOf(this);
  for (let last = out.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [out[last], out[other]] = [out[other], out[last]];
  }
  return out;
}
