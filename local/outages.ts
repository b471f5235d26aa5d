/**
 * Regions that go dark, as in a loss of power: calls to them are refused or hang, and nothing in them goes on: what waits
 * waits on when its time has come, what would call out stands still. When they return, both go on from there.
 */
import { AwsError, type Clock, type Darkness } from './kernel.ts';

/** How a dark Region treats who calls it: connections are cut at once, or stay open until it returns. */
export type Manner = 'refuse' | 'hang';

/** No answer of a service, because none is there: the wire cuts the connection. Services that call one another see an error worth a retry. */
export class Unreachable extends AwsError {
  override readonly name = 'Unreachable';
  constructor(region: string) {
    super('ServiceUnavailable', `the Region ${region} is dark`);
  }
}

export interface Outages extends Darkness {
  /** Throws Unreachable for who calls a dark Region: at once, or when it returns. */
  refuse(region: string): Promise<never>;
  goDark(region: string, manner: Manner): void;
  comeBack(region: string): void;
  /** Returns every Region: the cloud ends. */
  end(): void;
  /** A clock whose waits do not end while the Region is dark. */
  clockIn(region: string, clock: Clock): Clock;
}

interface Outage {
  readonly manner: Manner;
  readonly over: Promise<void>;
  readonly end: () => void;
}

export function createOutages(): Outages {
  const dark = new Map<string, Outage>();
  const comeBack = (region: string) => {
    const outage = dark.get(region);
    dark.delete(region);
    outage?.end();
  };
  const light = async (region: string): Promise<void> => {
    for (let outage = dark.get(region); outage !== undefined; outage = dark.get(region)) await outage.over;
  };
  return {
    isDark: (region) => dark.has(region),
    light,
    async refuse(region) {
      if (dark.get(region)?.manner === 'hang') await light(region);
      throw new Unreachable(region);
    },
    goDark(region, manner) {
      if (dark.has(region)) throw new Error(`${region} is dark already`);
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      dark.set(region, { manner, over, end });
    },
    comeBack,
    end() {
      for (const region of dark.keys()) comeBack(region);
    },
    clockIn(region, clock) {
      const holding =
        (wait: Clock['sleep']): Clock['sleep'] =>
        (ms, signal) =>
          wait(ms, signal).then(() => (dark.has(region) ? unlessAborted(light(region), signal) : undefined));
      const { kind, factor, now, scale } = clock;
      return { kind, factor, now, scale, sleep: holding(clock.sleep), limit: holding(clock.limit) };
    },
  };
}

function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve).finally(() => signal.removeEventListener('abort', abort));
  });
}
