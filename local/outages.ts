/**
 * Regions that go dark, as in a loss of power: calls to them are refused or hang, and nothing in them goes on: what waits
 * waits on when its time has come, what would call out stands still. When they return, both go on from there.
 * And Regions that both live, with the way between them cut: what one calls in the other is refused or hangs, and
 * everybody else reaches both.
 */
import { AwsError, type Clock, type Darkness } from './kernel.ts';

/** How a dark Region treats who calls it: connections are cut at once, or stay open until it returns. */
export type Manner = 'refuse' | 'hang';

/** No answer of a service, because none is there: the wire cuts the connection. Services that call one another see an error worth a retry. */
export class Unreachable extends AwsError {
  override readonly name = 'Unreachable';
  constructor(region: string, why = 'dark') {
    super('ServiceUnavailable', `the Region ${region} is ${why}`);
  }
}

export interface Outages extends Darkness {
  /** Throws Unreachable for who calls a dark Region: at once, or when it returns. */
  refuse(region: string): Promise<never>;
  goDark(region: string, manner: Manner): void;
  comeBack(region: string): void;
  /** Cuts the way between two Regions, in both directions. */
  part(one: string, other: string, manner: Manner): void;
  /** Both reach each other again. */
  join(one: string, other: string): void;
  /** Throws Unreachable for who calls from a Region that is cut off from the other: at once, or when they are joined. */
  refuseParted(from: string, to: string): Promise<never>;
  /** Returns every Region and every way: the cloud ends. */
  end(): void;
  /** A clock whose waits do not end while the Region is dark. */
  clockIn(region: string, clock: Clock): Clock;
}

/** Shared with the threads of functions, which connect to ports by themselves. */
export interface Ways {
  /** By name; at most 16. */
  readonly regions: readonly string[];
  /** Port → 1 + index of the Region in which it is; 0: in none. */
  readonly ports: Uint8Array<SharedArrayBuffer>;
  /** Index of a Region → a bit for each that it is cut off from. */
  readonly cuts: Uint16Array<SharedArrayBuffer>;
}

interface Outage {
  readonly manner: Manner;
  readonly over: Promise<void>;
  readonly end: () => void;
}

export function createOutages(regions: readonly string[] = []): Outages {
  const dark = new Map<string, Outage>();
  const parted = new Map<string, Outage>();
  const ways: Ways = {
    regions,
    ports: new Uint8Array(new SharedArrayBuffer(65_536)),
    cuts: new Uint16Array(new SharedArrayBuffer(2 * Math.max(1, regions.length))),
  };
  const wayOf = (one: string, other: string) => [one, other].sort().join(' ');
  const mark = (one: string, other: string, isCut: boolean) => {
    const [a, b] = [regions.indexOf(one), regions.indexOf(other)];
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const cuts = ways.cuts[from] ?? 0;
      ways.cuts[from] = isCut ? cuts | (1 << to) : cuts & ~(1 << to);
    }
  };
  const join = (one: string, other: string) => {
    const outage = parted.get(wayOf(one, other));
    parted.delete(wayOf(one, other));
    mark(one, other, false);
    outage?.end();
  };
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
    isParted: (one, other) => parted.size > 0 && parted.has(wayOf(one, other)),
    part(one, other, manner) {
      if (one === other || !regions.includes(one) || !regions.includes(other))
        throw new Error(`there is no way between ${one} and ${other}`);
      if (parted.has(wayOf(one, other))) throw new Error(`${one} and ${other} are parted already`);
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      parted.set(wayOf(one, other), { manner, over, end });
      mark(one, other, true);
    },
    join,
    async refuseParted(from, to) {
      const outage = parted.get(wayOf(from, to));
      if (outage?.manner === 'hang') await outage.over;
      throw new Unreachable(to, `cut off from ${from}`);
    },
    locatePort(port, region) {
      ways.ports[port] = regions.indexOf(region) + 1;
    },
    ways,
    end() {
      for (const region of dark.keys()) comeBack(region);
      for (const way of parted.keys()) {
        const [one = '', other = ''] = way.split(' ');
        join(one, other);
      }
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
