/** node:net and node:tls as a sandbox sees them: streams to what accepts them in the cloud's virtual network. */
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import type { Sandbox } from './sandbox.ts';

/** Only `Socket` is replaced, for clients that connect by port. */
export function netModule(sandbox: Sandbox): object {
  class Socket extends Duplex {
    #peer: Duplex | undefined;
    readonly #forget: () => void;
    constructor() {
      super();
      this.#forget = sandbox.onLeave(() => this.destroy());
    }
    connect(port: number): this {
      queueMicrotask(() => {
        if (this.destroyed || sandbox.around === undefined) return;
        try {
          this.#peer = sandbox.around.network.open(port);
        } catch (error) {
          this.destroy(error as Error);
          return;
        }
        this.#peer.on('data', (chunk) => this.push(chunk));
        this.#peer.on('end', () => this.push(null));
        this.#peer.on('close', () => this.destroy());
        this.#peer.on('error', (error) => this.destroy(error));
        this.emit('connect');
      });
      return this;
    }
    setNoDelay(): this {
      return this;
    }
    setKeepAlive(): this {
      return this;
    }
    setTimeout(): this {
      return this;
    }
    ref(): this {
      return this;
    }
    unref(): this {
      return this;
    }
    override _read(): void {}
    override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
      if (this.#peer === undefined || this.#peer.destroyed) done();
      else this.#peer.write(chunk, encoding, done);
    }
    override _final(done: () => void): void {
      this.#peer?.end();
      done();
    }
    override _destroy(error: Error | null, done: (error: Error | null) => void): void {
      this.#forget();
      this.#peer?.destroy();
      done(error);
    }
  }
  return { ...net, Socket };
}

/** What would be encrypted stays in the process: the stream goes on as it is. */
export const tlsModule = {
  connect({ socket }: { socket: Duplex }): Duplex {
    queueMicrotask(() => socket.emit('secureConnect'));
    return socket;
  },
};
