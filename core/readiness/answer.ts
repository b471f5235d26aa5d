/** Answers within answers: a Region that is silent makes only what rests on it unknown. */
import type { Answer } from './facts.ts';

/** A part of what was found; silence stays silence. */
export function within<T, P>(answer: Answer<T>, part: (found: T) => Answer<P>): Answer<P> {
  return 'silent' in answer ? answer : part(answer.found);
}

/** Both, or the silence of either. */
export function both<A, B>(a: Answer<A>, b: Answer<B>): Answer<readonly [A, B]> {
  if ('silent' in a) return a;
  return 'silent' in b ? b : { found: [a.found, b.found] };
}

const messageOf = (cause: unknown) => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause));

/** What asking came to; `whom` names who did not answer. */
export async function ask<T>(whom: string, question: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { found: await question() };
  } catch (cause) {
    return { silent: `${whom} gives no answer: ${messageOf(cause)}` };
  }
}
