/** The customer's clients: they write through the application all the time, and note what was acknowledged. */
import type { Site } from './site.ts';

export interface Acknowledged {
  readonly id: number;
  /** Epoch milliseconds: when it was sent. */
  readonly sentAt: number;
}

const pauseMs = 20_000;

export class Load {
  readonly ledger: Acknowledged[] = [];
  refused = 0;
  #stopped = false;
  readonly #site: Site;
  readonly #find: () => number | undefined;

  /** `find` says where the application is now; undefined: nobody knows. */
  constructor(site: Site, find: () => number | undefined) {
    this.#site = site;
    this.#find = find;
    void this.#write();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #write(): Promise<void> {
    const { world } = this.#site;
    const body = Buffer.from(JSON.stringify({ productId: 1, warehouseId: 1, quantity: 1, reason: 'sold' }));
    while (!this.#stopped) {
      const sentAt = world.clock.now();
      const question = { method: 'POST', path: '/stock/movements', headers: {}, body };
      const port = this.#find();
      const answer = port === undefined ? undefined : await world.network.ask(port, question).catch(() => undefined);
      if (answer?.status === 201) this.ledger.push({ id: JSON.parse(answer.body.toString()).id, sentAt });
      else this.refused++;
      await world.clock.sleep(pauseMs);
    }
  }
}
