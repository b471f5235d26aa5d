/** Which sandbox the code that runs now belongs to: files that all share find there what is a cloud's own. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Dispatch } from '../wire/server.ts';
import type { VirtualClock } from './clock.ts';
import type { VirtualNetwork } from './network.ts';

/** What a sandbox leans on now; another cloud gives it another. */
export interface Surroundings {
  readonly clock: VirtualClock;
  /** Epoch milliseconds, as the Region's clock has it. */
  readonly now: () => number;
  /** As it is seen from here. */
  readonly network: Pick<VirtualNetwork, 'ask' | 'connect' | 'askName'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly variables: Record<string, string>;
  /** Milliseconds that a request takes before it arrives. */
  readonly latency: () => number;
  /** The short way to the cloud; without, every call takes the long one. */
  readonly dispatch: Dispatch | undefined;
  readonly newToken: () => string;
  readonly onOutput: (text: string) => void;
}

/** A sandbox, as what runs in it sees it. */
export interface Place {
  /** Undefined once it was cut off: what it still asks is never answered. */
  readonly around: Surroundings | undefined;
  /** False once a call failed in a way that clients remember: it serves no other cloud. */
  reusable: boolean;
  /** In [0, 1). */
  random(): number;
  /** `end` is called when the sandbox is cut off; the answer takes it back. */
  onLeave(end: () => void): () => void;
}

const running = new AsyncLocalStorage<Place>();

/** Where files are evaluated that all share: nobody's, so nothing that one environment has alone goes into them. */
const nowhere: Place = { around: undefined, reusable: true, random: () => 0.5, onLeave: () => () => {} };

export const here = (): Place => running.getStore() ?? nowhere;

/** Runs code of a sandbox there, with all that it begins. */
export const runIn = <T>(place: Place, work: () => T): T => running.run(place, work);

/** Runs code that belongs to no sandbox. */
export const runNowhere = <T>(work: () => T): T => running.run(nowhere, work);
