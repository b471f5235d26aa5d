/** A clock that jumps to the next timer once nothing else is left to do, and records what was waited for. */
import type { Clock } from '../../../local/kernel.ts';

export interface TestClock extends Clock {
  readonly waits: readonly { readonly kind: 'sleep' | 'limit'; readonly seconds: number }[];
}

interface Timer {
  readonly at: number;
  fire(): void;
}

export function testClock(start = Date.parse('2026-01-01T00:00:00Z')): TestClock {
  let now = start;
  let timers: Timer[] = [];
  let scheduled = false;
  const waits: { kind: 'sleep' | 'limit'; seconds: number }[] = [];
  const settle = () => {
    if (scheduled || timers.length === 0) return;
    scheduled = true;
    // A few turns of the event loop let every promise that can settle do so.
    let turns = 3;
    const turn = () => {
      if (turns-- > 0) return void setImmediate(turn);
      scheduled = false;
      const [next] = timers.toSorted((a, b) => a.at - b.at);
      if (!next) return;
      timers = timers.filter((timer) => timer !== next);
      now = Math.max(now, next.at);
      next.fire();
      settle();
    };
    setImmediate(turn);
  };
  const wait = (kind: 'sleep' | 'limit') => (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      waits.push({ kind, seconds: ms / 1000 });
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        timers = timers.filter((other) => other !== timer);
        reject(signal?.reason);
      };
      const timer: Timer = {
        at: now + ms,
        fire() {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      timers.push(timer);
      settle();
    });
  return {
    kind: 'virtual',
    factor: 1,
    now: () => now,
    scale: (ms) => ms,
    sleep: wait('sleep'),
    limit: wait('limit'),
    waits,
  };
}
