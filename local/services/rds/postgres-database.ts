/** One database on real PostgreSQL, and what is made of it: backups, archives, replicas. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import type { Archiver } from '../../postgres/archiver.ts';
import { type Cluster, type ServerSettings, superuser } from '../../postgres/cluster.ts';
import type { Settings } from '../../postgres/settings.ts';
import { archiveSlot } from '../../postgres/wal-receiver.ts';
import type { Archive, Backup, Configuration, Database } from './engine.ts';

/** What a database needs of the engine that made it. */
export interface DatabaseHome {
  settingsOf(configuration: Configuration, port: number, following?: Settings): ServerSettings;
  makeBackupDirectory(): string;
  destroy(cluster: Cluster): Promise<void>;
}

export class Directory {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  async delete(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export class PostgresBackup extends Directory implements Backup {
  readonly bytes: number;
  constructor(path: string, bytes: number) {
    super(path);
    this.bytes = bytes;
  }
}

/** Whom a replica follows, and the slot that keeps write-ahead log for it there. */
export class Leadership {
  readonly leader: PostgresDatabase;
  readonly slot: string;
  isCut = false;
  constructor(leader: PostgresDatabase, slot: string) {
    this.leader = leader;
    this.slot = slot;
  }
  get settings(): Settings {
    const { host, port } = this.leader.address;
    const directory = host.replace(/['\\]/g, '\\$&');
    return {
      primary_conninfo: this.isCut
        ? ''
        : `host='${directory}' port=${port} user=${superuser} application_name=${this.slot}`,
      primary_slot_name: this.slot,
      hot_standby: true,
    };
  }
}

export class PostgresDatabase implements Database {
  readonly port: number;
  readonly #home: DatabaseHome;
  readonly #cluster: Cluster;
  readonly #archiver: Archiver;
  #archive: Directory | undefined;
  #cpuSeconds: number | undefined;
  #following: Leadership | undefined;
  /** Slots of its replicas. */
  readonly #replicas = new Set<string>();

  constructor(
    home: DatabaseHome,
    cluster: Cluster,
    archiver: Archiver,
    port: number,
    following: Leadership | undefined,
  ) {
    this.#following = following;
    this.#home = home;
    this.#cluster = cluster;
    this.#archiver = archiver;
    this.port = port;
  }

  get location() {
    return { directory: this.#cluster.data, pid: this.#cluster.pid, archive: this.#archive?.path };
  }

  get address() {
    return { ...this.#cluster.address, user: superuser };
  }

  onFailure(callback: () => void): void {
    this.#cluster.onExit(callback);
  }

  onLog(callback: (line: string) => void): void {
    this.#cluster.log.listen(({ text }) => callback(text));
  }

  async start(configuration: Configuration): Promise<void> {
    await this.#cluster.start(this.#settingsOf(configuration));
    const replicas = [...this.#replicas].map((slot) => `'${slot}'`).join();
    await this.#dropSlots(`slot_name like 'replica%' and slot_name <> all (array[${replicas}]::name[])`);
    if (this.#archive !== undefined) await this.#archiver.receive(this.#archive.path, this.address);
  }

  async crash(): Promise<void> {
    await this.#cluster.kill();
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  async reload(configuration: Configuration): Promise<void> {
    await this.#cluster.reload(this.#settingsOf(configuration));
  }

  #settingsOf(configuration: Configuration): ServerSettings {
    return this.#home.settingsOf(configuration, this.port, this.#following?.settings);
  }

  async admitReplica(slot: string): Promise<void> {
    await this.#cluster.query(`select pg_create_physical_replication_slot('${slot}', true)`);
    this.#replicas.add(slot);
  }

  /** A source that is down drops the slot at its next start. */
  async dismissReplica(slot: string): Promise<void> {
    this.#replicas.delete(slot);
    if (this.#cluster.pid !== undefined) await this.#dropSlots(`slot_name = '${slot}'`).catch(() => {});
  }

  async setPassword({ user, password }: { user: string; password: string }): Promise<void> {
    await this.#cluster.query(`alter role ${pg.escapeIdentifier(user)} password ${pg.escapeLiteral(password)}`);
  }

  async archiveTo(archive: Archive | undefined): Promise<void> {
    const before = this.#archive;
    this.#archive = archive as Directory | undefined;
    if (before !== undefined) {
      await this.#archiver.stop(before.path);
      await this.#dropSlots(`slot_name = '${archiveSlot}'`);
    }
    if (this.#archive !== undefined) await this.#archiver.receive(this.#archive.path, this.address);
  }

  /** An abandoned slot would keep WAL for ever. The server may take a moment to see that the receiver left. */
  async #dropSlots(which: string): Promise<void> {
    await this.#cluster.query(
      `select pg_terminate_backend(active_pid, 5000), pg_drop_replication_slot(slot_name) from pg_replication_slots where ${which}`,
    );
  }

  async mark(): Promise<string> {
    if (this.#archive === undefined) throw new Error('The database has no archive.');
    const { time, lsn } = await this.#emitMark();
    await this.#archiver.waitFor(this.#archive.path, lsn);
    return time;
  }

  /** A recovery to a time ends at the first commit after it; the mark is that commit for an idle database. */
  async #emitMark(): Promise<{ readonly time: string; readonly lsn: string }> {
    if (this.#following !== undefined) return this.#receiveMark(this.#following.leader);
    const [row] = await this.#cluster.query<{ time: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
        pg_logical_emit_message(true, 'rds', 'mark')`,
    );
    const [flushed] = await this.#cluster.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    if (row === undefined || flushed === undefined) throw new Error('PostgreSQL returned no mark.');
    return { time: row.time, lsn: flushed.lsn };
  }

  /** A replica writes none: it waits until it replayed its source's. */
  async #receiveMark(leader: PostgresDatabase): Promise<{ readonly time: string; readonly lsn: string }> {
    const mark = await leader.#emitMark();
    await this.#cluster.query(`set statement_timeout = '30s'; do $$ begin
      while pg_last_wal_replay_lsn() < '${mark.lsn}' loop perform pg_sleep(0.01); end loop; end $$`);
    return mark;
  }

  async backup(kind: 'standalone' | 'archived'): Promise<Backup> {
    const directory = this.#home.makeBackupDirectory();
    try {
      const includeWal = kind === 'standalone';
      const { endLsn, bytes } = await this.#archiver.takeBackup({ address: this.address, directory, includeWal });
      if (kind === 'archived' && this.#archive) await this.#archiver.waitFor(this.#archive.path, endLsn);
      return new PostgresBackup(directory, bytes);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async measure() {
    const [row] = await this.#cluster.query<{ connections: number; used: string; streaming: boolean; lag: string }>(
      `select (select count(*)::int from pg_stat_activity
          where backend_type = 'client backend' and usename <> '${superuser}') as connections,
        (select sum(pg_database_size(oid)) from pg_database) + (select sum(size) from pg_ls_waldir()) as used,
        exists (select from pg_stat_wal_receiver where status = 'streaming') as streaming,
        extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) as lag`,
    );
    const total = cpuSecondsOf(this.#cluster.pid);
    const before = this.#cpuSeconds;
    this.#cpuSeconds = total;
    return {
      connections: row?.connections ?? 0,
      usedBytes: Number(row?.used ?? 0),
      ...(total !== undefined && before !== undefined && { cpuSeconds: Math.max(0, total - before) }),
      ...(this.#following && {
        following: {
          streaming: row?.streaming ?? false,
          ...(row?.lag && { lagSeconds: Math.max(0, Number(row.lag)) }),
        },
      }),
    };
  }

  async promote(): Promise<void> {
    const [row] = await this.#cluster.query<{ done: boolean }>('select pg_promote(true, 60) as done');
    if (!row?.done) throw new Error('The replica was not promoted within a minute.');
    await this.#leave();
  }

  /** Cuts the stream from its source, as a network does, or lets it flow again. */
  async cut(isCut: boolean, configuration: Configuration): Promise<void> {
    if (this.#following !== undefined) this.#following.isCut = isCut;
    await this.reload(configuration);
  }

  /** Its settings no longer name whom it followed, who keeps nothing more for it. */
  async #leave(): Promise<void> {
    const following = this.#following;
    this.#following = undefined;
    await following?.leader.dismissReplica(following.slot);
  }

  async destroy(): Promise<void> {
    if (this.#archive !== undefined) await this.#archiver.stop(this.#archive.path);
    await this.#home.destroy(this.#cluster);
    await this.#leave();
  }
}

/** CPU time of a server and its living and reaped backends: Linux counts in ticks of 10 ms. */
function cpuSecondsOf(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined;
  const ticks = (of: string, reaped: boolean): number => {
    try {
      const fields = readFileSync(`/proc/${of}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return fields.slice(11, reaped ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
    } catch {
      return 0; // it ended meanwhile
    }
  };
  const backends = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
    } catch {
      return [];
    }
  });
  return (ticks(String(pid), true) + backends.reduce((sum, backend) => sum + ticks(backend, false), 0)) / 100;
}
