/** One PostgreSQL server: its directory, its process, its log. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import type { Certificate } from '../kernel.ts';
import { endChild, spawnChild } from '../process/children.ts';
import { admit, makeOwnedDirectory, writeOwnedFile } from './account.ts';
import type { Binaries } from './binaries.ts';
import { LogTail } from './log.ts';
import { cloudSettings, formatSettings, type Settings } from './settings.ts';
import { releaseSharedMemory } from './shared-memory.ts';

/** The bootstrap superuser, by the name it has on RDS. It is reachable through the private socket only. */
export const superuser = 'rdsadmin';

export interface ClusterOptions {
  readonly binaries: Binaries;
  /** The service's data directory: every directory from here to `directory` may be opened to PostgreSQL's account. */
  readonly dataDirectory: string;
  /** The cluster's own: `data/`, the private socket, the server certificate. Short, because a socket's path is. */
  readonly directory: string;
  readonly certificate: Certificate;
}

export interface ServerSettings {
  readonly port: number;
  /** Beside `cloudSettings`, which they override. */
  readonly settings: Settings;
  /** Refuses connections without TLS (rds.force_ssl). */
  readonly requireTls: boolean;
}

/** PostgreSQL ended, or refused to start: `sqlState` is that of its last FATAL or PANIC line, `message` all that its log says went wrong. */
export class ServerEnded extends Error {
  override readonly name = 'ServerEnded';
  readonly sqlState: string | undefined;
  constructor(log: LogTail) {
    const line = log.recent.findLast(({ severity }) => severity === 'FATAL' || severity === 'PANIC');
    // What is wrong with a configuration file is said before the FATAL line, as LOG.
    const reasons = log.recent.filter(({ sqlState }) => sqlState !== undefined && sqlState !== '00000');
    const message = reasons.map((reason) => reason.message).join('; ');
    super(message || `PostgreSQL ended: ${log.recent.map(({ text }) => text).join('\n')}`);
    this.sqlState = line?.sqlState;
  }
}

export class Cluster {
  readonly log = new LogTail();
  readonly directory: string;
  readonly data: string;
  readonly #options: ClusterOptions;
  #server: ServerSettings | undefined;
  #child: ChildProcess | undefined;
  #destroyed = false;
  #exit: (() => void) | undefined;

  /** Makes the directory; the data directory is the caller's to fill (template, backup). */
  constructor(options: ClusterOptions) {
    const { directory, dataDirectory, binaries, certificate } = options;
    this.#options = options;
    this.directory = directory;
    this.data = join(directory, 'data');
    mkdirSync(directory, { recursive: true });
    // 107 bytes is Linux's limit for a socket's path, 103 that of macOS.
    if (join(this.#socketDirectory, '.s.PGSQL.65535').length > 103) {
      throw new Error(`The path is too long for PostgreSQL's socket; use a shorter data directory: ${directory}`);
    }
    makeOwnedDirectory(this.#socketDirectory, binaries.account);
    makeOwnedDirectory(this.data, binaries.account);
    admit(dataDirectory, directory, binaries.account);
    writeOwnedFile(join(directory, 'server.key'), certificate.key, binaries.account);
    writeOwnedFile(join(directory, 'server.crt'), certificate.certificate, binaries.account);
  }

  get #socketDirectory(): string {
    return join(this.directory, 's');
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Calls back when the server ends without having been told to. */
  onExit(callback: () => void): void {
    this.#exit = callback;
  }

  /**
   * Starts the server and waits until it accepts connections: for a recovery this is after its promotion, because
   * recoveries run without hot standby; a replica accepts reads only. Rejects with ServerEnded.
   */
  async start(server: ServerSettings, recovery: Settings = {}): Promise<void> {
    if (this.#destroyed) throw new Error('The cluster was destroyed.');
    const { binaries, dataDirectory } = this.#options;
    this.#configure(server, recovery);
    this.log.clear();
    const child = spawnChild(dataDirectory, binaries.postgres, ['-D', this.data], {
      ...binaries.spawn,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    if (child.stderr !== null) this.log.follow(child.stderr);
    await new Promise<void>((resolve, reject) => {
      const ready = this.log.listen(({ message }) => {
        // What every start says first, that after a crash of one process too, when it has its shared memory.
        if (/^database system (shutdown )?was /.test(message)) releaseSharedMemory(this.data);
        if (/^database system is ready to accept (read-only )?connections$/.test(message)) resolve();
      });
      child.once('error', reject);
      // `close` and not `exit`: the log is read to its end by then.
      child.once('close', () => {
        ready();
        reject(new ServerEnded(this.log));
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#exit?.();
      });
    });
    // What recovery needed must not stay for the next start.
    this.#configure(server, {});
  }

  /** Changes settings; those that need a restart wait for it. */
  async reload(server: ServerSettings): Promise<void> {
    this.#configure(server, {});
    this.#child?.kill('SIGHUP');
  }

  /** Fast shutdown: sessions end, WAL is sent to the archive, nothing is lost. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** What a failing host does: every process of the server is gone at once. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops hard and removes everything. It starts no more: what was filling its directory may be about to. */
  async destroy(): Promise<void> {
    this.#destroyed = true;
    await this.#end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** A connection of the cloud's own. The caller ends it. */
  async connect(database = 'postgres'): Promise<pg.Client> {
    const client = new pg.Client({ ...this.address, user: superuser, database });
    client.on('error', () => {}); // the server may end at any time; the next query says so
    await client.connect();
    return client;
  }

  /** Where the superuser connects. */
  get address(): { readonly host: string; readonly port: number } {
    if (this.#server === undefined) throw new Error('The server was never started.');
    return { host: this.#socketDirectory, port: this.#server.port };
  }

  /** Runs statements as the superuser and returns the last one's rows. */
  async query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]> {
    const client = await this.connect();
    try {
      const result: pg.QueryResult<R> | pg.QueryResult<R>[] = await client.query<R>(text, values);
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    } finally {
      await client.end().catch(() => {});
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined; // this end was wanted
    // `close` and not `exit`: each of its processes has the log open, and where one still dies with the server's memory, no
    // server starts ("pre-existing shared memory block is still in use").
    const closed = new Promise((resolve) => child.once('close', resolve));
    await endChild(child, signal);
    await closed;
  }

  #configure(server: ServerSettings, recovery: Settings): void {
    this.#server = server;
    const { account } = this.#options.binaries;
    const write = (name: string, content: string) => writeOwnedFile(join(this.data, name), content, account);
    const own: Settings = {
      port: server.port,
      unix_socket_directories: this.#socketDirectory,
      ssl: true,
      ssl_cert_file: join(this.directory, 'server.crt'),
      ssl_key_file: join(this.directory, 'server.key'),
    };
    write('postgresql.conf', formatSettings({ ...cloudSettings, ...server.settings, ...own, ...recovery }));
    // A restored directory brings its source's: nothing in it may survive.
    write('postgresql.auto.conf', '');
    // The private socket lies in a directory that only PostgreSQL's account enters.
    write(
      'pg_hba.conf',
      `local all,replication ${superuser} trust
host all ${superuser} all reject
${server.requireTls ? 'hostssl' : 'host'} all all 127.0.0.1/32 scram-sha-256
`,
    );
  }
}

/** A port that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()));
    });
  });
}
