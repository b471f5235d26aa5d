/** Values as they come out at the other end of a wire: the members that the model has, bytes as bytes, nothing shared. */
import type { NormalizedSchema } from '@smithy/core/schema';
import { members } from '../wire/schema.ts';

/** `newToken` makes what a caller may leave to the SDK (the trait idempotencyToken). */
type Copy = (value: unknown, newToken: () => string) => unknown;

const compiled = new WeakMap<object, Copy>();

/** A shape's copier, compiled once: `undefined` members are left out, those that the model does not know too. */
export function copierOf(schema: NormalizedSchema): Copy {
  const key = schema.getSchema();
  if (typeof key !== 'object' || key === null || !Array.isArray(key)) return compile(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  // Shapes may contain themselves: whoever asks meanwhile gets what will be there.
  let made: Copy | undefined;
  compiled.set(key, (value, newToken) => made?.(value, newToken));
  made = compile(schema);
  compiled.set(key, made);
  return made;
}

function compile(schema: NormalizedSchema): Copy {
  if (schema.isStructSchema()) return copyStruct(schema);
  if (schema.isListSchema() || schema.isMapSchema()) {
    const copy = copierOf(schema.getValueSchema());
    if (schema.isListSchema())
      return (value, newToken) =>
        value == null ? value : Array.from(value as Iterable<unknown>, (each) => copy(each, newToken));
    return (value, newToken) => {
      if (value == null) return value;
      const copied: Record<string, unknown> = {};
      for (const name of Object.keys(value)) copied[name] = copy((value as Record<string, unknown>)[name], newToken);
      return copied;
    };
  }
  if (schema.isBlobSchema()) return (value) => (typeof value === 'string' ? Buffer.from(value) : value);
  if (schema.isTimestampSchema()) return (value) => (value instanceof Date ? new Date(value) : value);
  return (value) => value;
}

function copyStruct(schema: NormalizedSchema): Copy {
  const copies = new Map(members(schema).map(([name, member]) => [name, copierOf(member)]));
  const tokens = members(schema).flatMap(([name, member]) =>
    member.getMergedTraits().idempotencyToken === undefined ? [] : [name],
  );
  return (value, newToken) => {
    if (typeof value !== 'object' || value === null) return value;
    const copied: Record<string, unknown> = {};
    // A shape has many more members than any value of it.
    for (const name in value) {
      const given = (value as Record<string, unknown>)[name];
      if (given !== undefined && given !== null) {
        const copy = copies.get(name);
        if (copy !== undefined) copied[name] = copy(given, newToken);
      }
    }
    for (const name of tokens) copied[name] ??= newToken();
    return copied;
  };
}
