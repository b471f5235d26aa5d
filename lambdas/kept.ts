/**
 * What an execution environment keeps from one call to the next. Nothing else keeps anything: then all other files can be
 * evaluated once for many environments of one thread, which the simulation and the tests do (ADR 0023, ADR 0036).
 */

/*! @per-environment: what it keeps */
const kept = new Map<unknown, unknown>();

/** What `make` made when this key was first asked for in this execution environment. What throws is made anew. */
export function keep<T>(key: unknown, make: () => T): T {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key) as T;
}
