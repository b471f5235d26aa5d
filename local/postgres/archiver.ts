/** Backups and WAL archives of the clusters of one cloud, written by a thread of their own. */
import { Worker } from 'node:worker_threads';
import type { BackupOptions, BackupResult } from './base-backup.ts';
import type { ReplicationAddress } from './replication.ts';

export type ArchiveRequest =
  | ({ readonly kind: 'backup' } & BackupOptions)
  | { readonly kind: 'receive'; readonly directory: string; readonly address: ReplicationAddress }
  | { readonly kind: 'wait'; readonly directory: string; readonly lsn: string }
  | { readonly kind: 'stop'; readonly directory: string };

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: Error;
}

const wasClosed = () => new Error('The archiver was closed.');

export class Archiver {
  #worker: Worker | undefined;
  #count = 0;
  #closed = false;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  /** Takes a base backup; rejects with PostgreSQL's error. */
  takeBackup(options: BackupOptions): Promise<BackupResult> {
    return this.#ask({ kind: 'backup', ...options }) as Promise<BackupResult>;
  }

  /** Streams a server's WAL into `directory` until the server or `stop` ends it; again after every start of the server. */
  async receive(directory: string, address: ReplicationAddress): Promise<void> {
    await this.#ask({ kind: 'receive', directory, address });
  }

  /** Resolves when the archive holds everything before `lsn`; rejects when the stream ended before. */
  async waitFor(directory: string, lsn: string): Promise<void> {
    await this.#ask({ kind: 'wait', directory, lsn });
  }

  async stop(directory: string): Promise<void> {
    await this.#ask({ kind: 'stop', directory });
  }

  /** Ends the thread, for good: what is asked later is refused, or would be waited for forever. What it wrote stays. */
  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#fail(wasClosed());
  }

  async #ask(request: ArchiveRequest): Promise<unknown> {
    if (this.#closed) throw wasClosed();
    this.#worker ??= this.#start();
    const id = this.#count++;
    this.#worker.postMessage({ id, request });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./archive-worker.ts', import.meta.url));
    worker.unref(); // a cloud that is being left must not be held by its archive
    worker.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error !== undefined) waiting?.reject(error);
      else waiting?.resolve(value);
    });
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      this.#fail(error);
    });
    return worker;
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
