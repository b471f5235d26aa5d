/** Real PostgreSQL behind the DatabaseEngine port. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createCertificateAuthority } from '../../certificates.ts';
import { admit } from '../../postgres/account.ts';
import { Archiver } from '../../postgres/archiver.ts';
import { type Binaries, findBinaries } from '../../postgres/binaries.ts';
import { masterSql } from '../../postgres/bootstrap.ts';
import { Cluster, findFreePort, type ServerSettings, superuser } from '../../postgres/cluster.ts';
import { prepareRestore } from '../../postgres/restore.ts';
import { cloudSettings, type Settings } from '../../postgres/settings.ts';
import { findTemplate, type ParameterRow, type Template } from '../../postgres/template.ts';
import { archiveSlot } from '../../postgres/wal-receiver.ts';
import type { Archive, Backup, Configuration, Database, DatabaseEngine, ParameterDescription } from './engine.ts';

/** Parameters that RDS keeps to itself, beside those that the cloud sets. */
const reserved =
  /^(archive_|restore_|recovery_|primary_|ssl|krb_|unix_socket|bonjour|data_|hba_|ident_|config_|external_pid|port$|allow_alter_system$|extension_control_path$|dynamic_library_path$|log_directory$|log_filename$|syslog|event_source|cluster_name$)/;

/** `dataDirectory` is the cloud's, where processes are recorded; `name` sets this engine's files apart from others'. */
export async function openPostgresEngine(dataDirectory: string, name: string): Promise<DatabaseEngine> {
  const binaries = await findBinaries();
  const certificate = await (await createCertificateAuthority()).issue(['localhost'], ['127.0.0.1']);
  const template = await findTemplate(binaries, certificate);
  return new PostgresEngine(dataDirectory, join(dataDirectory, name), binaries, template);
}

class Directory {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }
  async delete(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

class PostgresBackup extends Directory implements Backup {
  readonly bytes: number;
  constructor(path: string, bytes: number) {
    super(path);
    this.bytes = bytes;
  }
}

class PostgresEngine implements DatabaseEngine {
  readonly version: string;
  readonly #dataDirectory: string;
  readonly #directory: string;
  readonly #binaries: Binaries;
  readonly #template: Template;
  readonly #archiver = new Archiver();
  /** Those that are being made too: closing ends every process. */
  readonly #clusters = new Set<Cluster>();
  #count = 0;

  constructor(dataDirectory: string, directory: string, binaries: Binaries, template: Template) {
    this.#dataDirectory = dataDirectory;
    this.#directory = directory;
    this.#binaries = binaries;
    this.#template = template;
    this.version = binaries.version.split('.').slice(0, 2).join('.');
  }

  async describeParameters(): Promise<readonly ParameterDescription[]> {
    return this.#template.parameters.filter(({ context }) => context !== 'internal').map(describe);
  }

  async create(configuration: Configuration, master: { user: string; password: string }, databaseName?: string) {
    const cluster = this.#makeCluster(configuration);
    return this.#open(cluster, configuration, async () => {
      await this.#template.copyTo(cluster.data);
      const port = await this.#startOnFreePort(cluster, configuration, {});
      for (const statement of masterSql(master.user, master.password, databaseName)) await cluster.query(statement);
      return port;
    });
  }

  async restore(configuration: Configuration, source: { backup: Backup; archive?: Archive; time?: string }) {
    const cluster = this.#makeCluster(configuration);
    return this.#open(cluster, configuration, async () => {
      const recovery = await prepareRestore(
        this.#binaries,
        (source.backup as PostgresBackup).path,
        cluster.data,
        source.time === undefined ? 'immediate' : { time: source.time },
        (source.archive as Directory | undefined)?.path,
      );
      return this.#startOnFreePort(cluster, configuration, recovery);
    });
  }

  async createArchive(): Promise<Archive> {
    return new Directory(this.#makeDirectory('w'));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clusters].map((cluster) => cluster.destroy()));
    await this.#archiver.close();
  }

  makeBackupDirectory(): string {
    return this.#makeDirectory('b');
  }

  #makeDirectory(kind: string): string {
    const path = join(this.#directory, `${kind}${++this.#count}`);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    admit(this.#dataDirectory, path, this.#binaries.account);
    return path;
  }

  #makeCluster({ certificate }: Configuration): Cluster {
    const dataDirectory = this.#dataDirectory;
    const directory = join(this.#directory, `c${++this.#count}`);
    const cluster = new Cluster({ binaries: this.#binaries, dataDirectory, directory, certificate });
    this.#clusters.add(cluster);
    return cluster;
  }

  async #open(cluster: Cluster, configuration: Configuration, fill: () => Promise<number>): Promise<Database> {
    try {
      const port = await fill();
      const database = new PostgresDatabase(this, cluster, this.#archiver, port);
      await database.reload(configuration);
      return database;
    } catch (error) {
      await this.destroy(cluster);
      throw error;
    }
  }

  async destroy(cluster: Cluster): Promise<void> {
    await cluster.destroy();
    this.#clusters.delete(cluster);
  }

  /** A port that was free may be taken by the time the server binds it. */
  async #startOnFreePort(cluster: Cluster, configuration: Configuration, recovery: Settings): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = await findFreePort();
      try {
        await cluster.start(this.settingsOf(configuration, port), recovery);
        return port;
      } catch (error) {
        if (attempt === 3 || !/could not create any TCP\/IP sockets/.test((error as Error).message)) throw error;
      }
    }
  }

  settingsOf({ parameters, requireTls }: Configuration, port: number): ServerSettings {
    const { 'rds.force_ssl': _tls, shared_preload_libraries: libraries, ...settings } = parameters;
    return {
      port,
      requireTls,
      settings: {
        ...settings,
        // RDS preloads it by default, so that the extension needs no reboot.
        shared_preload_libraries: [...new Set(['pg_stat_statements', ...(libraries?.split(',') ?? [])])].join(','),
        extension_control_path: `${this.#template.extensions}:$system`,
        allow_alter_system: false,
      },
    };
  }
}

class PostgresDatabase implements Database {
  readonly port: number;
  readonly #engine: PostgresEngine;
  readonly #cluster: Cluster;
  readonly #archiver: Archiver;
  #archive: Directory | undefined;
  #cpuSeconds: number | undefined;

  constructor(engine: PostgresEngine, cluster: Cluster, archiver: Archiver, port: number) {
    this.#engine = engine;
    this.#cluster = cluster;
    this.#archiver = archiver;
    this.port = port;
  }

  get location() {
    return { directory: this.#cluster.data, pid: this.#cluster.pid, archive: this.#archive?.path };
  }

  get #address() {
    return { ...this.#cluster.address, user: superuser };
  }

  onFailure(callback: () => void): void {
    this.#cluster.onExit(callback);
  }

  onLog(callback: (line: string) => void): void {
    this.#cluster.log.listen(({ text }) => callback(text));
  }

  async start(configuration: Configuration): Promise<void> {
    await this.#cluster.start(this.#engine.settingsOf(configuration, this.port));
    if (this.#archive !== undefined) await this.#archiver.receive(this.#archive.path, this.#address);
  }

  async crash(): Promise<void> {
    await this.#cluster.kill();
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }

  async reload(configuration: Configuration): Promise<void> {
    await this.#cluster.reload(this.#engine.settingsOf(configuration, this.port));
  }

  async setPassword({ user, password }: { user: string; password: string }): Promise<void> {
    await this.#cluster.query(`alter role ${pg.escapeIdentifier(user)} password ${pg.escapeLiteral(password)}`);
  }

  async archiveTo(archive: Archive | undefined): Promise<void> {
    const before = this.#archive;
    this.#archive = archive as Directory | undefined;
    if (before !== undefined) {
      await this.#archiver.stop(before.path);
      // An abandoned slot would keep WAL for ever. The server may take a moment to see that the receiver left.
      await this.#cluster.query(
        `select pg_terminate_backend(active_pid, 5000), pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${archiveSlot}'`,
      );
    }
    if (this.#archive !== undefined) await this.#archiver.receive(this.#archive.path, this.#address);
  }

  async mark(): Promise<string> {
    if (this.#archive === undefined) throw new Error('The database has no archive.');
    // A recovery to a time ends at the first commit after it; the mark is that commit for an idle database.
    const [row] = await this.#cluster.query<{ time: string }>(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
        pg_logical_emit_message(true, 'rds', 'mark')`,
    );
    const [flushed] = await this.#cluster.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    if (row === undefined || flushed === undefined) throw new Error('PostgreSQL returned no mark.');
    await this.#archiver.waitFor(this.#archive.path, flushed.lsn);
    return row.time;
  }

  async backup(kind: 'standalone' | 'archived'): Promise<Backup> {
    const directory = this.#engine.makeBackupDirectory();
    try {
      const includeWal = kind === 'standalone';
      const { endLsn, bytes } = await this.#archiver.takeBackup({ address: this.#address, directory, includeWal });
      if (kind === 'archived' && this.#archive) await this.#archiver.waitFor(this.#archive.path, endLsn);
      return new PostgresBackup(directory, bytes);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async measure() {
    const [row] = await this.#cluster.query<{ connections: number; used: string }>(
      `select (select count(*)::int from pg_stat_activity
          where backend_type = 'client backend' and usename <> '${superuser}') as connections,
        (select sum(pg_database_size(oid)) from pg_database) + (select sum(size) from pg_ls_waldir()) as used`,
    );
    const total = cpuSecondsOf(this.#cluster.pid);
    const before = this.#cpuSeconds;
    this.#cpuSeconds = total;
    return {
      connections: row?.connections ?? 0,
      usedBytes: Number(row?.used ?? 0),
      ...(total !== undefined && before !== undefined && { cpuSeconds: Math.max(0, total - before) }),
    };
  }

  async destroy(): Promise<void> {
    if (this.#archive !== undefined) await this.#archiver.stop(this.#archive.path);
    await this.#engine.destroy(this.#cluster);
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

function describe(row: ParameterRow): ParameterDescription {
  const type = { bool: 'boolean', integer: 'integer', real: 'float', enum: 'string', string: 'string' } as const;
  const allowed = row.vartype === 'bool' ? ['0', '1'] : row.enumvals;
  return {
    name: row.name,
    description: row.short_desc,
    dataType: type[row.vartype as keyof typeof type] ?? 'string',
    ...(allowed !== null && { allowedValues: allowed.join(',') }),
    ...(row.min_val !== null && { allowedValues: `${row.min_val}-${row.max_val}` }),
    ...(row.boot_val !== null && { defaultValue: row.boot_val }),
    applyType: row.context === 'postmaster' ? 'static' : 'dynamic',
    modifiable: !(row.name in cloudSettings) && !reserved.test(row.name),
  };
}
