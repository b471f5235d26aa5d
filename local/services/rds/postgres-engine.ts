/** Real PostgreSQL behind the DatabaseEngine port. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createCertificateAuthority } from '../../certificates.ts';
import { admit } from '../../postgres/account.ts';
import { Archiver } from '../../postgres/archiver.ts';
import { type Binaries, findBinaries } from '../../postgres/binaries.ts';
import { masterSql } from '../../postgres/bootstrap.ts';
import { Cluster, findFreePort, type ServerSettings } from '../../postgres/cluster.ts';
import { copyArchiveFiles, copyBackupFiles } from '../../postgres/copy.ts';
import { prepareReplica, prepareRestore } from '../../postgres/restore.ts';
import { cloudSettings, type Settings } from '../../postgres/settings.ts';
import { findTemplate, type ParameterRow, type Template } from '../../postgres/template.ts';
import type { Archive, Backup, Configuration, Database, DatabaseEngine, ParameterDescription } from './engine.ts';
import { type DatabaseHome, Directory, Leadership, PostgresBackup, PostgresDatabase } from './postgres-database.ts';

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

class PostgresEngine implements DatabaseEngine, DatabaseHome {
  readonly version: string;
  readonly #dataDirectory: string;
  readonly #directory: string;
  readonly #binaries: Binaries;
  readonly #template: Template;
  readonly #archiver = new Archiver();
  /** Those that are being made too: closing ends every process. */
  readonly #clusters = new Set<Cluster>();
  #count = 0;
  #closed = false;

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

  async copyBackup(original: Backup): Promise<Backup> {
    const path = this.#makeDirectory('b');
    try {
      await copyBackupFiles((original as PostgresBackup).path, path);
      return new PostgresBackup(path, original.bytes);
    } catch (error) {
      await rm(path, { recursive: true, force: true });
      throw error;
    }
  }

  async copyArchive(original: Archive, copy: Archive): Promise<void> {
    await copyArchiveFiles((original as Directory).path, (copy as Directory).path);
  }

  async replicate(configuration: Configuration, source: Database): Promise<Database> {
    const leader = source as PostgresDatabase;
    const cluster = this.#makeCluster(configuration);
    const slot = `replica_${randomBytes(6).toString('hex')}`;
    const following = new Leadership(leader, slot);
    return this.#open(
      cluster,
      configuration,
      async () => {
        // The slot comes first: it keeps what is written after the backup until the replica is there.
        await leader.admitReplica(slot);
        const backup = (await leader.backup('standalone')) as PostgresBackup;
        await prepareReplica(this.#binaries, backup.path, cluster.data).finally(() => backup.delete());
        return this.#startOnFreePort(cluster, configuration, {}, following.settings);
      },
      following,
    ).catch(async (error) => {
      await leader.dismissReplica(slot);
      throw error;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
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
    if (this.#closed) throw new Error('The engine was closed.');
    const dataDirectory = this.#dataDirectory;
    const directory = join(this.#directory, `c${++this.#count}`);
    const cluster = new Cluster({ binaries: this.#binaries, dataDirectory, directory, certificate });
    this.#clusters.add(cluster);
    return cluster;
  }

  async #open(
    cluster: Cluster,
    configuration: Configuration,
    fill: () => Promise<number>,
    following?: Leadership,
  ): Promise<Database> {
    try {
      const port = await fill();
      const database = new PostgresDatabase(this, cluster, this.#archiver, port, following);
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
  async #startOnFreePort(
    cluster: Cluster,
    configuration: Configuration,
    recovery: Settings,
    following: Settings = {},
  ): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = await findFreePort();
      try {
        await cluster.start(this.settingsOf(configuration, port, following), recovery);
        return port;
      } catch (error) {
        if (attempt === 3 || !/could not create any TCP\/IP sockets/.test((error as Error).message)) throw error;
      }
    }
  }

  settingsOf({ parameters, requireTls }: Configuration, port: number, following: Settings = {}): ServerSettings {
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
        ...following,
      },
    };
  }
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
