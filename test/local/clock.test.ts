import { describe, expect, it } from 'vitest';
import { realClock, scaledClock } from '../../local/clock.ts';

describe('a clock', () => {
  it('divides what AWS owns by its factor, and no time limit', async () => {
    const clock = scaledClock(5000);
    const began = performance.now();
    await clock.sleep(100_000);
    const slept = performance.now() - began;
    expect(slept).toBeGreaterThanOrEqual(19);
    expect(slept).toBeLessThan(50_000);
    await clock.limit(30);
    expect(performance.now() - began - slept).toBeGreaterThanOrEqual(29);
  });

  it('rejects a wait with the reason of its abortion', async () => {
    const reason = new Error('stopped');
    const stopping = new AbortController();
    const wait = realClock().sleep(60_000, stopping.signal);
    stopping.abort(reason);
    await expect(wait).rejects.toBe(reason);
    await expect(realClock().limit(1, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('waits longer than a timer can', async () => {
    const stopping = new AbortController();
    let ended = false;
    const wait = realClock()
      .sleep(40 * 86_400_000, stopping.signal)
      .finally(() => {
        ended = true;
      });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).toBe(false);
    stopping.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
  });

  it.each([0, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the factor %d', (factor) => {
    expect(() => scaledClock(factor)).toThrow(RangeError);
  });
});
