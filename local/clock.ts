/** The clocks of the embedded cloud: the only file of local/ that reads the time or sets a timer. */
import type { Clock } from './kernel.ts';

/** The wall clock: AWS-owned waits take as long as on AWS. */
export function realClock(): Clock {
  return wallClock('real', 1);
}

/** Real timestamps; waits that AWS services own are divided by `factor` (at least 1). Time limits stay whole: they guard real work. */
export function scaledClock(factor: number): Clock {
  if (!(factor >= 1 && Number.isFinite(factor))) throw new RangeError(`a clock's factor is 1 or more, not ${factor}`);
  return wallClock('scaled', factor);
}

function wallClock(kind: Clock['kind'], factor: number): Clock {
  const scale = (ms: number) => ms / factor;
  return { kind, factor, now: Date.now, scale, sleep: (ms, signal) => wait(scale(ms), signal), limit: wait };
}

/** setTimeout fires at once when asked for more than this (25 days): a monthly schedule waits longer. */
const longestTimer = 2 ** 31 - 1;

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  const until = performance.now() + ms;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    let timer: NodeJS.Timeout;
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const next = () => {
      const left = until - performance.now();
      if (left > 0) {
        timer = setTimeout(next, Math.min(Math.ceil(left), longestTimer));
        return;
      }
      signal?.removeEventListener('abort', abort);
      resolve();
    };
    signal?.addEventListener('abort', abort, { once: true });
    next();
  });
}
