/** Wait: for a number of seconds, or until a time. An AWS-owned wait, so the clock may shorten it. */
import type { WaitState } from './definition.ts';
import type { Outcome, Visit } from './visit.ts';

export async function wait(state: WaitState, visit: Visit): Promise<Outcome> {
  const { clock } = visit.frame.run.ports;
  await clock.sleep(await milliseconds(state, visit, clock.now()), visit.frame.signal);
  return visit.complete(state, state.Next, visit.input);
}

async function milliseconds(state: WaitState, visit: Visit, now: number): Promise<number> {
  if (state.Seconds !== undefined) return (await visit.number(state.Seconds, 'Seconds', 0)) * 1000;
  const until = await visit.evaluate(state.Timestamp ?? '', 'Timestamp');
  if (typeof until !== 'string' || !isTimestamp(until)) throw visit.refuse('Timestamp', 'an RFC 3339 timestamp', until);
  return Math.max(0, Date.parse(until) - now);
}

/** RFC 3339 with the letters T and Z in upper case, as States Language demands. */
export const isTimestamp = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));
