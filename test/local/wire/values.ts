/** Seeded random values of a schema, and their normal form for comparison. */
import type { NormalizedSchema } from '@smithy/core/schema';
import { members, requiredMembers } from '../../../local/wire/schema.ts';

/** mulberry32: small, seeded, good enough to vary inputs. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Generator {
  readonly random: () => number;
  /** Top-level members that are left out. */
  readonly without: (name: string) => boolean;
  /** Characters that need escaping; not where the value becomes a path or a header. */
  readonly special: boolean;
}

const MAX_DEPTH = 4;

/** A value with most top-level members set; undefined where only emptiness is left at this depth. */
export function randomValue(shape: NormalizedSchema, g: Generator, name = '', depth = 0): unknown {
  const { random } = g;
  if (shape.isStructSchema()) return randomStructure(shape, g, depth);
  if (shape.isListSchema()) {
    if (depth > MAX_DEPTH) return undefined;
    const items = Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
      randomValue(shape.getValueSchema(), g, name, depth + 1),
    ).filter((item) => item !== undefined);
    return items.length > 0 ? items : undefined;
  }
  if (shape.isMapSchema()) {
    const value = depth > MAX_DEPTH ? undefined : randomValue(shape.getValueSchema(), g, name, depth + 1);
    return value === undefined ? undefined : { [`k${Math.floor(random() * 9)}`]: value };
  }
  if (shape.isBlobSchema()) return new Uint8Array([1, 2, Math.floor(random() * 255)]);
  if (shape.isBooleanSchema()) return random() < 0.5;
  if (shape.isTimestampSchema()) return new Date(1_700_000_000_000 + Math.floor(random() * 1e6) * 1000);
  if (shape.isDocumentSchema()) return { a: 1 };
  if (shape.isNumericSchema()) return Math.floor(random() * 1000);
  if (shape.isStringSchema())
    return `${name}-${Math.floor(random() * 1e4)}${g.special && random() < 0.3 ? ' <&é>"\nx' : ''}`;
  return undefined;
}

function randomStructure(shape: NormalizedSchema, g: Generator, depth: number): Record<string, unknown> | undefined {
  const all = members(shape);
  const value: Record<string, unknown> = {};
  const one = all[Math.floor(g.random() * all.length)];
  const chosen = shape.isUnionSchema() ? (one ? [one] : []) : all;
  const required = new Set(requiredMembers(shape).map(([name]) => name));
  for (const [name, member] of chosen) {
    const traits = member.getMergedTraits();
    if (depth === 0 && g.without(name)) continue;
    if (traits.httpResponseCode) {
      value[name] = 200;
      continue;
    }
    const must = required.has(name) || Boolean(traits.httpPayload) || shape.isUnionSchema();
    if (!must && (depth > MAX_DEPTH - 1 || g.random() > (depth === 0 ? 0.7 : 0.4))) continue;
    const v = randomValue(member, g, name, depth + 1);
    if (v !== undefined) value[name] = v;
  }
  return depth > 0 && Object.keys(value).length === 0 ? undefined : value;
}

/** Blobs, dates and lazily parsed JSON as text, absent members left out, keys in order. */
export function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `date:${value.toISOString()}`;
  if (value instanceof String) return value.toString();
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, v]) => v !== undefined && v !== null && key !== '$metadata')
      .map(([key, v]) => [key, normal(v)])
      .sort(([a], [b]) => String(a).localeCompare(String(b))),
  );
}

/** Where two normal values differ, by path; empty where they do not. */
export function differences(expected: unknown, actual: unknown, path = ''): string[] {
  if (Object.is(expected, actual)) return [];
  if (typeof expected === 'object' && typeof actual === 'object' && expected !== null && actual !== null) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...keys].flatMap((key) =>
      differences((expected as never)[key], (actual as never)[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}
