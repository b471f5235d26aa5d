/**
 * What RDS needs of a database engine. Real PostgreSQL implements it (postgres-engine.ts); statuses, names, tags and
 * permissions live above it. Times of the database are text with its microseconds, because Date drops them.
 */
import type { Certificate } from '../../kernel.ts';

/** A parameter that the engine knows. */
export interface ParameterDescription {
  readonly name: string;
  readonly description: string;
  readonly dataType: 'boolean' | 'integer' | 'float' | 'list' | 'string';
  readonly allowedValues?: string;
  readonly defaultValue?: string;
  /** A static parameter takes effect at a restart. */
  readonly applyType: 'static' | 'dynamic';
  readonly modifiable: boolean;
}

export interface Configuration {
  readonly certificate: Certificate;
  /** By name; what is absent has the engine's default. */
  readonly parameters: Readonly<Record<string, string>>;
  /** rds.force_ssl */
  readonly requireTls: boolean;
}

export interface Master {
  readonly user: string;
  readonly password: string;
}

/** A finished backup. */
export interface Backup {
  readonly bytes: number;
  /** Removes it from disk. */
  delete(): Promise<void>;
}

/** The write-ahead log of one database, kept apart from it: it survives the database. */
export interface Archive {
  delete(): Promise<void>;
}

export type RestoreSource =
  /** A backup that stands alone. */
  | { readonly backup: Backup }
  /** A backup that was taken beside an archive, recovered to a time, or only until it is consistent. */
  | { readonly backup: Backup; readonly archive: Archive; readonly time?: string };

export interface Measurement {
  readonly connections: number;
  readonly usedBytes: number;
  /** Of both the server and its backends, since the last measurement; undefined where the platform does not tell. */
  readonly cpuSeconds?: number;
  /** Of a replica. */
  readonly following?: Following;
}

/** How a replica follows its source. */
export interface Following {
  /** Whether it receives what its source writes. */
  readonly streaming: boolean;
  /** Since the newest transaction that it replayed was committed, so it grows beside an idle source; undefined before the first. */
  readonly lagSeconds?: number;
}

/** Where a database is on this machine. */
export interface Location {
  /** Its data directory. */
  readonly directory: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Directory of its archived write-ahead log; undefined where it has no backups. */
  readonly archive: string | undefined;
}

export interface Database {
  /** On 127.0.0.1; stays the same for its life. */
  readonly port: number;
  /** For faults that tests inject. */
  readonly location: Location;
  /** Calls back when it ends without having been told to. */
  onFailure(callback: () => void): void;
  /** Calls back with every line of its log. */
  onLog(callback: (line: string) => void): void;
  start(configuration: Configuration): Promise<void>;
  /** Ends every process at once, as a failing host does; `start` recovers what was acknowledged. Not a failure. */
  crash(): Promise<void>;
  /** Ends sessions and stops; everything that was acknowledged is in the archive. */
  stop(): Promise<void>;
  /** Applies the dynamic parameters of a configuration. */
  reload(configuration: Configuration): Promise<void>;
  setPassword(master: Master): Promise<void>;
  /** From now on, and after every start, all write-ahead log goes to this archive; undefined ends it. */
  archiveTo(archive: Archive | undefined): Promise<void>;
  /** Writes a mark and returns its time (ISO 8601, UTC, with microseconds) once the archive holds it: the database can be restored to every time before. */
  mark(): Promise<string>;
  /** One that stands alone, or one that needs the archive. */
  backup(kind: 'standalone' | 'archived'): Promise<Backup>;
  measure(): Promise<Measurement>;
  /** Of a replica: follows no more and takes writes, with or without its source. */
  promote?(): Promise<void>;
  /** Of a replica, a fault: cuts the stream from its source, or lets it flow again. */
  cut?(isCut: boolean, configuration: Configuration): Promise<void>;
  /** Ends it at once and removes it from disk. */
  destroy(): Promise<void>;
}

export interface DatabaseEngine {
  /** As RDS names it: major and minor, e.g. `18.4`. */
  readonly version: string;
  describeParameters(): Promise<readonly ParameterDescription[]>;
  create(configuration: Configuration, master: Master, databaseName: string | undefined): Promise<Database>;
  /** Rejects when the time cannot be reached: a restore never ends anywhere else. */
  restore(configuration: Configuration, source: RestoreSource): Promise<Database>;
  createArchive(): Promise<Archive>;
  /** What spans Regions, each of which has an engine of its own: originals are another engine's of the same kind, and copies survive them. */
  copyBackup?(original: Backup): Promise<Backup>;
  /** Brings `copy` up to all that `original` holds now. */
  copyArchive?(original: Archive, copy: Archive): Promise<void>;
  /** A database that follows `source`, itself perhaps a replica, answers reads, and goes on with what it has when its source is gone. */
  replicate?(configuration: Configuration, source: Database): Promise<Database>;
  /** Ends every database. */
  close(): Promise<void>;
}
