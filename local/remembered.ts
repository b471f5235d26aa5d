/** What follows from a text or a template alone, and is asked for again and again: worked out once for all clouds of a process. */

/** At most so many answers are kept; then it begins anew. */
const most = 10_000;

/** The result of `find` for each text; what it throws is thrown anew each time. */
export function remembered<T>(find: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      found = find(text);
      if (known.size >= most) known.clear();
      known.set(text, found);
    }
    return found;
  };
}

/**
 * The same for what a template gives: it is frozen, every cloud of a process is given the very same object, and `rest` is the
 * same for it. What can still change is read anew each time.
 */
export function rememberedOf<K extends object, R extends readonly unknown[], T>(
  find: (given: K, ...rest: R) => T,
): (given: K, ...rest: R) => T {
  const known = new WeakMap<K, T>();
  return (given, ...rest) => {
    let found = known.get(given);
    if (found === undefined) {
      found = find(given, ...rest);
      if (Object.isFrozen(given)) known.set(given, found);
    }
    return found;
  };
}
