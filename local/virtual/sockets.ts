/** node:net and node:tls as a sandbox sees them: connections to what accepts them in the cloud's virtual network. */
import * as net from 'node:net';
import { here } from './here.ts';
import { End } from './stream.ts';

class Socket extends End {
  readonly #place = here();
  readonly #forget = this.#place.onLeave(() => this.destroy());

  connect(port: number): this {
    queueMicrotask(() => {
      if (this.destroyed || this.#place.around === undefined) return;
      try {
        this.#place.around.network.connect(port, this);
      } catch (error) {
        this.destroy(error as Error);
        return;
      }
      this.emit('connect');
    });
    return this;
  }

  override destroy(error?: Error): this {
    this.#forget();
    return super.destroy(error);
  }
}

/** Only `Socket` is replaced, for clients that connect by port. */
export const netModule = { ...net, Socket };

/** What would be encrypted stays in the process: the connection goes on as it is. */
export const tlsModule = {
  connect({ socket }: { socket: End }): End {
    queueMicrotask(() => socket.emit('secureConnect'));
    return socket;
  },
};
