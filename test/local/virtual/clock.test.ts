import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../local/virtual/clock.ts';

const start = Date.UTC(2026, 10, 1);
let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock(start);
});

describe('the virtual clock', () => {
  it('lets a day pass in no time, and stands where the work ended', async () => {
    const begun = performance.now();
    await clock.run(clock.sleep(86_400_000), 1e12);
    expect(clock.now()).toBe(start + 86_400_000);
    expect(performance.now() - begun).toBeLessThan(60_000);
  });

  it('wakes sleepers in the order of their times, and those of one time in the order of their coming', async () => {
    const seen: string[] = [];
    const sleeper = async (name: string, ms: number) => {
      await clock.sleep(ms);
      seen.push(`${name} ${clock.now() - start}`);
    };
    const all = Promise.all([sleeper('c', 30), sleeper('a', 10), sleeper('b1', 20), sleeper('b2', 20)]);
    await clock.run(all, 1000);
    expect(seen).toEqual(['a 10', 'b1 20', 'b2 20', 'c 30']);
  });

  it('does not move while a file is read or an immediate waits', async () => {
    const times: number[] = [];
    const work = async () => {
      await readFile(import.meta.filename);
      times.push(clock.now());
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      times.push(clock.now());
    };
    await clock.run(Promise.all([work(), clock.sleep(1)]), 10);
    expect(times).toEqual([start, start]);
  });

  it('ends a wait with the signal’s reason, and never fires it afterwards', async () => {
    const over = new AbortController();
    const slept = clock.limit(50, over.signal);
    void clock.sleep(10).then(() => over.abort(new Error('enough')));
    await expect(clock.run(slept, 100)).rejects.toThrow('enough');
    expect(clock.now()).toBe(start + 10);
  });

  it('says so when nothing is left to happen', async () => {
    await expect(clock.run(new Promise(() => {}), 1000)).rejects.toThrow('the virtual clock stands still');
  });

  it('gives up on work that outlasts its limit', async () => {
    await expect(clock.run(clock.sleep(2000), 1000)).rejects.toThrow('not over after 1 s');
  });

  it('keeps thousands of timers in order', async () => {
    const seen: number[] = [];
    let value = 1;
    for (let index = 0; index < 5000; index++) {
      value = (value * 48271) % 2147483647;
      const ms = 1 + (value % 1000);
      const cancel = clock.after(ms, () => seen.push(ms));
      if (index % 3 === 0) cancel();
    }
    await clock.pass(1001);
    expect(seen).toHaveLength(5000 - Math.ceil(5000 / 3));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
