/** Plain JSON ↔ DynamoDB attributes. Only what our records hold: no sets, no binary. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/** One value; undefined members of objects are left out, as JSON does. */
export function toAttribute(value: unknown): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number' && Number.isFinite(value)) return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.map((each) => toAttribute(each ?? null)) };
  if (typeof value === 'object') return { M: toItem(value) };
  throw new TypeError(`A DynamoDB item of ours cannot hold ${String(value)}`);
}

export function toItem(record: object): Item {
  const defined = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(defined.map(([name, value]) => [name, toAttribute(value)]));
}

export function fromAttribute(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.L !== undefined) return value.L.map(fromAttribute);
  if (value.M !== undefined)
    return Object.fromEntries(Object.entries(value.M).map(([name, each]) => [name, fromAttribute(each)]));
  if (value.NULL !== undefined) return null;
  throw new TypeError(`An item holds an attribute type that no record of ours has: ${Object.keys(value).join()}`);
}

/** The record of an item: what is left without its keys (pk, sk, ttl). */
export function fromItem(item: Item): Record<string, unknown> {
  const fields = Object.entries(item).filter(([name]) => name !== 'pk' && name !== 'sk' && name !== 'ttl');
  return Object.fromEntries(fields.map(([name, value]) => [name, fromAttribute(value)]));
}
