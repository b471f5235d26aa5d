/** PostgreSQL's streaming replication protocol over the `pg` client, which has no commands for it. */
import pg from 'pg';

/** Where and as whom a replication connection is made. */
export interface ReplicationAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

export type Row = Readonly<Record<string, string | null>>;

/** What `pg` hands to a submitted query; its types do not know copy-both. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  once(event: 'replicationStart', listener: () => void): void;
  stream: { destroy(): void };
}

export interface ReplicationConnection {
  /** Sends a command; `onData` gets the payload of every copy message. Resolves with all result sets. */
  send(command: string, onData?: (payload: Buffer) => void): Promise<readonly (readonly Row[])[]>;
  /** Resolves when START_REPLICATION switched to streaming. Ask before sending it. */
  streaming(): Promise<void>;
  /** Sends a message within a stream. */
  reply(message: Buffer): void;
  close(): void;
}

export async function connectForReplication(address: ReplicationAddress): Promise<ReplicationConnection> {
  const options: pg.ClientConfig & { replication: string } = { ...address, replication: 'true' };
  const client = new pg.Client(options);
  client.on('error', () => {}); // the command that runs rejects
  await client.connect();
  const wire = (client as unknown as { connection: Wire }).connection;
  return {
    send: (command, onData) => {
      const query = new Command(command, onData);
      client.query(query as unknown as pg.Submittable);
      return query.done;
    },
    streaming: () => new Promise((resolve) => wire.once('replicationStart', resolve)),
    reply: (message) => wire.sendCopyFromChunk(message),
    close: () => wire.stream.destroy(),
  };
}

/** A query as the client submits it: simple protocol, any number of result sets, copy-out or copy-both. */
class Command {
  readonly done: Promise<readonly (readonly Row[])[]>;
  readonly #text: string;
  readonly #onData: ((payload: Buffer) => void) | undefined;
  readonly #sets: Row[][] = [];
  #names: string[] = [];
  #error: Error | undefined;
  #resolve: (sets: readonly (readonly Row[])[]) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(text: string, onData?: (payload: Buffer) => void) {
    this.#text = text;
    this.#onData = onData;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(wire: Wire): void {
    wire.query(this.#text);
  }
  handleRowDescription({ fields }: { fields: { name: string }[] }): void {
    this.#names = fields.map(({ name }) => name);
    this.#sets.push([]);
  }
  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#sets.at(-1)?.push(Object.fromEntries(this.#names.map((name, at) => [name, fields[at] ?? null])));
  }
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    this.#onData?.(chunk);
  }
  handleError(error: Error): void {
    this.#error = error;
    this.#reject(error);
  }
  handleReadyForQuery(): void {
    if (this.#error === undefined) this.#resolve(this.#sets);
  }
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
}
