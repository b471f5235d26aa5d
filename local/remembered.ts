/** What follows from a text alone, and is asked for again and again: worked out once for all clouds of a process. */

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
