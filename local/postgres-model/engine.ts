/**
 * A modelled PostgreSQL behind the port that the real one implements: it answers what it was asked in the order in which
 * it was asked, takes as long as it is told, and costs next to nothing. One contract test runs on both.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../kernel.ts';
import type {
  Archive,
  Backup,
  Configuration,
  Database,
  DatabaseEngine,
  Master,
  ParameterDescription,
  RestoreSource,
} from '../services/rds/engine.ts';
import { Content, microsecondsOf, momentOf, SqlError } from './content.ts';
import { recorded } from './question.ts';
import { Replication } from './replication.ts';
import { Log, ModelledServer, type StreamNetwork } from './server.ts';

export type EngineOperation = 'create' | 'restore' | 'replicate' | 'promote' | 'start' | 'stop' | 'backup' | 'mark';

export interface ModelOptions {
  readonly clock: Clock;
  readonly network: StreamNetwork;
  /** Milliseconds of the clock that an operation takes. */
  readonly durations: (operation: EngineOperation) => number;
  /** Milliseconds by which a new replica is behind its source; without, none. */
  readonly lagMs?: () => number;
  /** Told of every server that is made, before anybody can reach it. */
  readonly onServer?: (server: ModelledServer) => void;
}

export function openModelledEngine(options: ModelOptions): DatabaseEngine {
  return new ModelledEngine(options);
}

/** What PostgreSQL said of its parameters, read once. */
let parameters: readonly ParameterDescription[] | undefined;

class ModelledBackup implements Backup {
  readonly bytes = 100_000_000;
  readonly content: Content;
  /** Entries of the archive's log that the content holds already. */
  readonly position: number;
  constructor(content: Content, position: number) {
    this.content = content;
    this.position = position;
  }
  async delete(): Promise<void> {}
}

class ModelledArchive extends Log implements Archive {
  async delete(): Promise<void> {}
}

class ModelledEngine implements DatabaseEngine {
  readonly version = '18.4';
  readonly #options: ModelOptions;
  readonly #databases = new Set<ModelledDatabase>();

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  async describeParameters(): Promise<readonly ParameterDescription[]> {
    parameters ??= JSON.parse(readFileSync(join(import.meta.dirname, 'parameters.json'), 'utf8'));
    return parameters ?? [];
  }

  async create(_configuration: Configuration, master: Master): Promise<Database> {
    await this.#takes('create');
    const content = new Content(recorded().rows['stocker.stock_movement'] ?? 0);
    content.roles.set(master.user, { login: true, password: master.password, superuser: false });
    return this.#open(this.#server(content));
  }

  async restore(_configuration: Configuration, source: RestoreSource): Promise<Database> {
    await this.#takes('restore');
    const backup = source.backup as ModelledBackup;
    const content = backup.content.copy();
    if ('archive' in source && source.time !== undefined)
      replay(content, source.archive as ModelledArchive, backup.position, microsecondsOf(source.time));
    const server = this.#server(content);
    server.restoredTo = 'time' in source ? (source.time ?? 'backup') : 'backup';
    return this.#open(server);
  }

  /** A base backup of the source, and from then on what it commits. */
  async replicate(_configuration: Configuration, source: Database): Promise<Database> {
    const leader = (source as ModelledDatabase).server;
    const server = this.#server(soundCopy(leader));
    server.position = leader.position;
    server.following = new Replication(leader, server, this.#options.clock, this.#options.lagMs?.() ?? 0);
    await this.#takes('replicate');
    if (!leader.running) {
      server.following.end();
      throw new SqlError('57P01', 'the source ended while it was copied');
    }
    return this.#open(server);
  }

  async createArchive(): Promise<Archive> {
    return new ModelledArchive();
  }

  /** Nobody changes a backup: its copy takes as long, and holds the same. */
  async copyBackup(original: Backup): Promise<Backup> {
    await this.#takes('backup');
    return original;
  }

  async copyArchive(original: Archive, copy: Archive): Promise<void> {
    const [from, to] = [original as ModelledArchive, copy as ModelledArchive];
    to.entries.push(...from.entries.slice(to.entries.length));
    to.upTo = from.upTo;
    to.gapAt = from.gapAt;
  }

  async close(): Promise<void> {
    for (const database of this.#databases) database.server.stop();
  }

  #server(content: Content): ModelledServer {
    return new ModelledServer(this.#options.clock, this.#options.network, content);
  }

  #open(server: ModelledServer): Database {
    this.#options.onServer?.(server);
    const database = new ModelledDatabase(server, (operation) => this.#takes(operation), this.#options.clock);
    this.#databases.add(database);
    server.start();
    return database;
  }

  #takes(operation: EngineOperation): Promise<void> {
    return this.#options.clock.limit(this.#options.durations(operation));
  }
}

/** Up to the target, and nowhere else: what the log does not reach is refused (postgres-facts: FATAL F0000). */
function replay(content: Content, log: Log, position: number, target: number): void {
  if (target > log.upTo || (log.gapAt !== undefined && target >= log.gapAt))
    throw new SqlError('F0000', 'recovery ended before configured recovery target was reached');
  for (const entry of log.entries.slice(position)) {
    if (entry.at > target) return;
    entry.apply(content, entry.at);
  }
}

/** A base backup reads every page, and so finds one that is damaged. */
function soundCopy(server: ModelledServer): Content {
  if (!server.running) throw new SqlError('57P03', 'the database system is not running');
  const copy = server.content.copy();
  const damaged = [...copy.pages].find(([, kind]) => kind !== 'zeroed')?.[0];
  if (damaged !== undefined) throw new SqlError('XX001', `checksum verification failed in "${damaged}"`);
  return copy;
}

/** As long as a real replica waits for a mark of its source. */
const markLimitMs = 30_000;

class ModelledDatabase implements Database {
  readonly server: ModelledServer;
  readonly port: number;
  readonly #takes: (operation: EngineOperation) => Promise<void>;
  readonly #clock: Clock;
  #onFailure: () => void = () => {};
  /** Made apart: see decisions/0023. */
  readonly #fail = () => this.#onFailure();
  #destroyed = false;

  constructor(server: ModelledServer, takes: (operation: EngineOperation) => Promise<void>, clock: Clock) {
    this.#clock = clock;
    this.server = server;
    this.port = server.port;
    this.#takes = takes;
    server.onCrash = this.#fail;
  }

  get location() {
    return { directory: '', pid: this.server.running ? 1 : undefined, archive: undefined };
  }

  onFailure(callback: () => void): void {
    this.#onFailure = callback;
  }

  onLog(): void {}

  async start(): Promise<void> {
    await this.#takes('start');
    if (!this.#destroyed && !this.server.lost) this.server.start();
  }

  async crash(): Promise<void> {
    this.server.stop();
  }

  async stop(): Promise<void> {
    await this.#takes('stop');
    for (const follower of this.server.followers) follower.replay(true);
    this.server.stop();
  }

  async promote(): Promise<void> {
    await this.#takes('promote');
    this.#requireRunning();
    this.server.promote();
  }

  async cut(isCut: boolean): Promise<void> {
    this.server.following?.cut(isCut);
  }

  async reload(): Promise<void> {}

  async setPassword({ user, password }: Master): Promise<void> {
    this.#requireRunning();
    this.server.commit((content) => {
      const role = content.roles.get(user);
      content.roles.set(user, { login: true, superuser: false, ...role, password });
    });
  }

  async archiveTo(archive: Archive | undefined): Promise<void> {
    this.server.log = archive as ModelledArchive | undefined;
  }

  async mark(): Promise<string> {
    await this.#takes('mark');
    this.#requireRunning();
    const { following } = this.server;
    if (following === undefined) return momentOf(this.server.commit(() => {}));
    // A replica writes none: it waits until it replayed its source's.
    if (!following.leader.running) throw new SqlError('57P03', 'the source is not running');
    const at = following.leader.commit(() => {});
    const until = this.#clock.now() + markLimitMs;
    while (this.server.content && (this.server.replayedAt ?? 0) < at) {
      if (this.#clock.now() >= until) throw new SqlError('57014', 'canceling statement due to statement timeout');
      await this.#clock.limit(Math.max(1, Math.min(following.lagMs, until - this.#clock.now())));
    }
    return momentOf(at);
  }

  async backup(): Promise<Backup> {
    const copy = soundCopy(this.server);
    const position = this.server.log?.entries.length ?? 0;
    await this.#takes('backup');
    this.#requireRunning();
    return new ModelledBackup(copy, position);
  }

  async measure() {
    const { following, content: _caughtUp, replayedAt } = this.server;
    const lag =
      replayedAt === undefined ? {} : { lagSeconds: Math.max(0, this.#clock.now() - replayedAt / 1000) / 1000 };
    return {
      connections: this.server.sessions,
      usedBytes: 100_000_000,
      ...(following && { following: { streaming: following.isStreaming, ...lag } }),
    };
  }

  async destroy(): Promise<void> {
    this.#destroyed = true;
    this.server.following?.end();
    this.server.following = undefined;
    this.server.stop();
  }

  #requireRunning(): void {
    if (!this.server.running) throw new SqlError('57P03', 'the database system is not running');
  }
}
