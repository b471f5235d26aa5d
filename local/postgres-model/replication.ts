/**
 * How a modelled replica follows its source: what that commits reaches it a little later, while both run and nothing cuts
 * the way. What had not reached it when its source died is the source's alone. Nothing wakes up for it: whoever looks at
 * the replica finds what has arrived by then.
 */
import type { Clock } from '../kernel.ts';
import type { Entry } from './content.ts';
import type { ModelledServer } from './server.ts';

export class Replication {
  readonly leader: ModelledServer;
  /** Milliseconds from a commit until it is replayed. */
  lagMs: number;
  readonly #follower: ModelledServer;
  readonly #clock: Clock;
  #isCut = false;
  #isReplaying = false;

  constructor(leader: ModelledServer, follower: ModelledServer, clock: Clock, lagMs: number) {
    this.leader = leader;
    this.lagMs = lagMs;
    this.#follower = follower;
    this.#clock = clock;
    leader.followers.add(this);
  }

  get isStreaming(): boolean {
    return !this.#isCut && this.leader.running && this.#follower.running;
  }

  /** Replays what has arrived; everything where the source says goodbye, for it waits until its replicas have it. */
  replay(everything = false): void {
    if (this.#isReplaying || !this.isStreaming) return;
    this.#isReplaying = true;
    this.leader.following?.replay();
    const arrived = everything ? Number.POSITIVE_INFINITY : (this.#clock.now() - this.lagMs) * 1000;
    for (;;) {
      const entry = this.leader.entryAt(this.#follower.position);
      if (entry === undefined || entry.at > arrived) break;
      this.#follower.replay(entry);
    }
    this.#isReplaying = false;
  }

  cut(isCut: boolean): void {
    this.replay();
    this.#isCut = isCut;
  }

  /** It follows no more. */
  end(): void {
    this.replay();
    this.leader.followers.delete(this);
  }
}

/** Entries that a replica may still ask for, by their position in the log. */
export class Retained {
  #entries: Entry[] = [];
  #from = 0;

  add(position: number, entry: Entry): void {
    if (this.#entries.length === 0) this.#from = position;
    this.#entries.push(entry);
  }

  at(position: number): Entry | undefined {
    return this.#entries[position - this.#from];
  }

  clear(): void {
    this.#entries = [];
  }
}

const [origin, bytesOfEntry] = [0x1000000, 256];

/** A position in the log as PostgreSQL writes it: `0/1000100`. */
export const lsnOf = (position: number): string => {
  const at = origin + position * bytesOfEntry;
  return `${Math.floor(at / 2 ** 32).toString(16)}/${(at % 2 ** 32).toString(16)}`.toUpperCase();
};

/** Its bytes since the beginning. */
export function bytesOf(lsn: string): number {
  const [high = '', low = ''] = lsn.split('/');
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}
