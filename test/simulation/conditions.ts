/** What a plan's troubles change about the world: ways between Regions that are cut or slow, promotions that stall. */

import type { VirtualClock } from '../../local/virtual/clock.ts';
import { connectionError } from '../../local/virtual/message.ts';
import type { VirtualNetwork } from '../../local/virtual/network.ts';
import type { Signal } from './region-plan.ts';

type Seen = Pick<VirtualNetwork, 'ask' | 'connect' | 'askName'>;

/** How a function finds a port: not at all, or so many milliseconds later. */
export type Way = 'cut' | number | undefined;

/** So long after a signal answers again it may still count as silent: looks are a minute apart, and three in a row are judged. */
const memoryMs = 5 * 60_000;

export class Conditions {
  /** What a function meets on its way to a port; undefined: nothing. */
  way: (functionName: string, port: number) => Way = () => undefined;
  /** Signals of the primary that got no answer, and when: what there was to see of it from outside. */
  readonly silences: { readonly signals: readonly Signal[]; readonly from: number; until?: number }[] = [];
  /** The Regions live, and do not reach each other. */
  isParted = false;
  /** Milliseconds of a promotion, instead of what is drawn. */
  promotionMs: number | undefined;

  /** From now on these signals get no answer; what is answered ends that. */
  silence(signals: readonly Signal[], now: () => number): () => void {
    const silence: Conditions['silences'][number] = { signals, from: now() };
    this.silences.push(silence);
    return () => {
      silence.until = now();
    };
  }

  /** Signals that were silent of late. */
  silentAt(now: number): ReadonlySet<Signal> {
    return new Set(
      this.silences.filter(({ until = now }) => until + memoryMs >= now).flatMap(({ signals }) => signals),
    );
  }

  /** The network as a function sees it. */
  seenBy(functionName: string, network: VirtualNetwork, clock: VirtualClock): Seen {
    const pass = (port: number): number => {
      const way = this.way(functionName, port);
      if (way === 'cut') throw connectionError('ECONNREFUSED', `connect ECONNREFUSED 127.0.0.1:${port}`);
      return way ?? 0;
    };
    return {
      async ask(port, question) {
        const ms = pass(port);
        if (ms > 0) await clock.sleep(ms);
        return network.ask(port, question);
      },
      connect(port, client) {
        pass(port);
        network.connect(port, client);
      },
      askName: (...asked) => network.askName(...asked),
    };
  }
}
