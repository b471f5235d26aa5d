/** Ends the clouds of a process when it is asked to end. */

const signals = ['SIGINT', 'SIGTERM'] as const;
const stops = new Set<() => Promise<void>>();

/** Lets the signal end the process as it would have, once every cloud has stopped. */
function end(signal: NodeJS.Signals): void {
  void Promise.allSettled([...stops].map((stop) => stop())).then(() => process.kill(process.pid, signal));
}

/** Runs `stop` at the first SIGINT or SIGTERM; a second one ends the process at once. Returns what takes this away. */
export function stopOnSignals(stop: () => Promise<void>): () => void {
  if (stops.size === 0) for (const signal of signals) process.once(signal, end);
  stops.add(stop);
  return () => {
    stops.delete(stop);
    if (stops.size === 0) for (const signal of signals) process.off(signal, end);
  };
}
