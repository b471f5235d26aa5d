/** An UpdateExpression from plain values; every name is an alias, because DynamoDB reserves words such as `status`. */
import { toAttribute } from './item.ts';

interface Extras {
  /** Set only where the item does not have them yet. */
  readonly first?: Readonly<Record<string, unknown>>;
  /** Added to the number that is there. */
  readonly add?: Readonly<Record<string, number>>;
  /** Removed, unless they are set. */
  readonly remove?: readonly string[];
}

export function updateOf(set: Readonly<Record<string, unknown>>, { first = {}, add = {}, remove = [] }: Extras = {}) {
  const defined = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).filter(([, value]) => value !== undefined);
  const sets = defined(set).map(([name]) => `#${name} = :${name}`);
  const firsts = defined(first).map(([name]) => `#${name} = if_not_exists(#${name}, :${name})`);
  const adds = Object.keys(add).map((name) => `#${name} :${name}`);
  const removed = remove.filter((name) => set[name] === undefined);
  const values = [...defined(set), ...defined(first), ...defined(add)];
  const clauses = [
    ['SET', [...sets, ...firsts]],
    ['ADD', adds],
    ['REMOVE', removed.map((name) => `#${name}`)],
  ] as const;
  return {
    UpdateExpression: clauses
      .filter(([, parts]) => parts.length > 0)
      .map(([clause, parts]) => `${clause} ${parts.join(', ')}`)
      .join(' '),
    ExpressionAttributeNames: Object.fromEntries(
      [...values.map(([name]) => name), ...removed].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: Object.fromEntries(values.map(([name, value]) => [`:${name}`, toAttribute(value)])),
  };
}
