/**
 * A connection inside the process, without what streams do for bytes that come from elsewhere: what is written at one end is
 * heard at the other, in order, once whoever wrote has gone on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';

type Done = (error?: Error | null) => void;

/** One of two ends. Emits `data`, `end`, `close` and `error`, as a socket does. */
export class End extends EventEmitter {
  destroyed = false;
  /** Whether this end may still write. */
  writable = true;
  #peer: End | undefined;
  /** What the other end wrote; undefined is its end. */
  readonly #inbox: (Uint8Array | undefined)[] = [];
  /** Whoever made this end hears at it. */
  readonly #asOwner = AsyncLocalStorage.snapshot();

  /** Joins two ends that are joined to nothing. */
  join(peer: End): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  write(chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean {
    const written = typeof encoding === 'function' ? encoding : done;
    if (this.writable) this.#send(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    if (written !== undefined) queueMicrotask(() => written());
    return true;
  }

  end(): this {
    if (this.writable) this.#send(undefined);
    this.writable = false;
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.end();
    this.destroyed = true;
    this.#inbox.length = 0;
    queueMicrotask(() => {
      if (error !== undefined) this.emit('error', error);
      this.emit('close');
      this.#peer = undefined;
      this.removeAllListeners();
    });
    return this;
  }

  #send(chunk: Uint8Array | undefined): void {
    const peer = this.#peer;
    if (peer === undefined || peer.destroyed) return;
    peer.#inbox.push(chunk);
    if (peer.#inbox.length === 1) queueMicrotask(() => peer.#asOwner(() => peer.#hear()));
  }

  /** What was written in a row is heard as one, as bytes that arrive together are. */
  #hear(): void {
    const chunks = this.#inbox.splice(0);
    const bytes = chunks.filter((chunk) => chunk !== undefined);
    if (bytes.length > 0) this.emit('data', Buffer.concat(bytes));
    if (bytes.length === chunks.length || this.destroyed) return;
    this.emit('end');
    this.destroy();
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
  cork(): void {}
  uncork(): void {}
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
