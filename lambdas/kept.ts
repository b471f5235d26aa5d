/**
 * What an execution environment keeps from one call to the next. Nothing else keeps what is an environment's: so all other
 * files can be evaluated once for many environments of one thread, which the simulation and the tests do (ADR 0023, ADR 0036).
 */

/*! @per-environment: what it keeps */
const kept = new Map<() => unknown, unknown>();

/** What `make` made when it was first asked in this execution environment. */
export function keep<T>(make: () => T): T {
  if (!kept.has(make)) kept.set(make, make());
  return kept.get(make) as T;
}
