/** Abort signals in a tree: an execution, its branches, one attempt of a task. */

/** A controller that aborts with its parent; `release` ends the link, or the parent would keep every child. */
export function fork(parent: AbortSignal): { readonly controller: AbortController; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener('abort', abort, { once: true });
  return { controller, release: () => parent.removeEventListener('abort', abort) };
}

/** Rejects with the signal's reason as soon as it aborts. Never resolves. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** The first of `promises` to settle; what the losers do later is nobody's concern. */
export function first<T>(promises: readonly Promise<T>[]): Promise<T> {
  for (const promise of promises) promise.catch(() => undefined);
  return Promise.race(promises);
}
