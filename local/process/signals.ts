/** Ends a cloud when its process is asked to end. */

/** Runs `stop` at SIGINT or SIGTERM, then lets the signal end the process as it would have. Returns what takes this away. */
export function stopOnSignals(stop: () => Promise<void>): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const end = (signal: NodeJS.Signals) => {
    stop().finally(() => process.kill(process.pid, signal));
  };
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}
