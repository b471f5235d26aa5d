/** What RDS remembers in one Region. */
import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError, type Home, type Service } from '../../kernel.ts';
import { Unreachable } from '../../outages.ts';
import type { Archive, Backup, Database, DatabaseEngine } from './engine.ts';
import { EventLog } from './events.ts';

export type Tags = Map<string, string>;

/** The settings of an instance as Describe shows them; what PendingModifiedValues may hold too. */
export interface Settings {
  DBInstanceClass: string;
  AllocatedStorage: number;
  StorageType: string;
  Iops?: number;
  StorageThroughput?: number;
  MaxAllocatedStorage?: number;
  MultiAZ: boolean;
  AvailabilityZone: string;
  PubliclyAccessible: boolean;
  AutoMinorVersionUpgrade: boolean;
  LicenseModel: string;
  NetworkType: string;
  StorageEncrypted: boolean;
  KmsKeyId?: string;
  CACertificateIdentifier: string;
  CopyTagsToSnapshot: boolean;
  DeletionProtection: boolean;
  MonitoringInterval: number;
  MonitoringRoleArn?: string;
  IAMDatabaseAuthenticationEnabled: boolean;
  DatabaseInsightsMode: 'standard' | 'advanced';
  PerformanceInsightsEnabled: boolean;
  PerformanceInsightsKMSKeyId?: string;
  PerformanceInsightsRetentionPeriod?: number;
  BackupRetentionPeriod: number;
  PreferredBackupWindow: string;
  PreferredMaintenanceWindow: string;
  /** The port asked for. Each instance listens on a free port of 127.0.0.1, which Endpoint shows. */
  DbInstancePort: number;
}

export type Pending = Partial<Settings> & { DBInstanceIdentifier?: string; MasterUserPassword?: string };

export interface Instance {
  identifier: string;
  readonly resourceId: string;
  readonly createdAt: number;
  readonly master: string;
  readonly databaseName: string | undefined;
  status: string;
  settings: Settings;
  pending: Pending;
  subnetGroup: string;
  securityGroups: readonly string[];
  parameterGroup: string;
  parameterStatus: 'in-sync' | 'pending-reboot';
  /** The parameters that the engine runs with or reads at its next start. */
  parameters: Readonly<Record<string, string>>;
  logExports: ReadonlySet<string>;
  readonly tags: Tags;
  database?: Database;
  backups?: AutomatedBackups;
  automaticRestart?: number;
  /** Of a read replica. */
  following?: Following;
}

/** Whom a read replica follows, and how that goes. */
export interface Following {
  /** Where its source is. */
  readonly region: Region;
  readonly source: Instance;
  status: 'replicating' | 'error' | 'terminated';
  isPromoted: boolean;
}

/** The automated backups of one instance: they belong to its resource id and may outlive it. */
export interface AutomatedBackups {
  /** The instance they were made of; its settings and tags are what a restore starts from. */
  readonly instance: Instance;
  readonly archive: Archive;
  status: 'creating' | 'active' | 'retained' | 'pending' | 'replicating';
  /** Newest last; each with the earliest time that it restores to, epoch milliseconds. */
  readonly backups: { readonly backup: Backup; readonly from: number }[];
  /** The latest time that the archive holds, as PostgreSQL writes it. */
  latest?: string;
  /** Of those that are, or were, copied from another Region. */
  replication?: Replication;
}

/** How automated backups come from another Region. */
export interface Replication {
  readonly from: Region;
  readonly retentionDays: number;
  /** This Region's; undefined where the source is not encrypted. */
  readonly kmsKeyId?: string;
  isStopped: boolean;
}

export interface Snapshot {
  readonly identifier: string;
  readonly type: 'manual' | 'automated';
  status: 'creating' | 'available' | 'failed';
  /** The instance as it was. */
  readonly source: Instance;
  readonly instanceIdentifier: string;
  readonly settings: Readonly<Settings>;
  createdAt?: number;
  readonly tags: Tags;
  backup?: Backup;
  /** Of an automated snapshot and its copies, which do not stand alone. */
  archive?: Archive;
  /** Of a copy. */
  readonly copyOf?: { readonly arn: string; readonly region: string; readonly originalCreatedAt: number | undefined };
}

export interface ParameterGroup {
  readonly name: string;
  readonly family: string;
  readonly description: string;
  readonly tags: Tags;
  readonly values: Map<string, string>;
}

export interface SubnetGroup {
  readonly name: string;
  readonly description: string;
  readonly subnetIds: readonly string[];
  readonly tags: Tags;
}

/** RDS of one Region, as that of another sees it. */
interface RdsOfRegion extends Service {
  readonly region: Region;
}

export class Region {
  readonly home: Home;
  readonly events: EventLog;
  readonly instances = new Map<string, Instance>();
  readonly snapshots = new Map<string, Snapshot>();
  /** By resource id. */
  readonly backups = new Map<string, AutomatedBackups>();
  readonly parameterGroups = new Map<string, ParameterGroup>();
  readonly subnetGroups = new Map<string, SubnetGroup>();
  readonly ended = new AbortController();
  /** Those whose databases a loss of the Region ended. */
  readonly crashed = new Set<Instance>();
  /** A fault: how the next restore ends. */
  nextRestoreEnds: 'storage-full' | 'incompatible-restore' | undefined;
  #engine: Promise<DatabaseEngine> | undefined;
  readonly #openEngine: () => Promise<DatabaseEngine>;
  readonly #working = new Set<Promise<void>>();

  constructor(home: Home, openEngine: () => Promise<DatabaseEngine>) {
    this.home = home;
    this.#openEngine = openEngine;
    this.events = new EventLog(home);
  }

  /** Opened by the first that needs it: a Region without databases costs nothing. */
  get engine(): Promise<DatabaseEngine> {
    this.#engine ??= this.#openEngine();
    return this.#engine;
  }

  get hasEngine(): boolean {
    return this.#engine !== undefined;
  }

  /** Throws where this cloud has no such Region. */
  peer(name: string): Region {
    return name === this.home.region ? this : (this.home.service('rds', name) as RdsOfRegion).region;
  }

  get peers(): readonly Region[] {
    return this.home.regions.filter((name) => name !== this.home.region).map((name) => this.peer(name));
  }

  /** Whom an identifier or ARN of that type names, in whatever Region. */
  locate(type: 'db' | 'snapshot', name: string | undefined): { readonly region: Region; readonly identifier: string } {
    const [, , , home, , , ...rest] = name?.startsWith('arn:') ? name.split(':') : [];
    if (home === undefined) return { region: this, identifier: name?.toLowerCase() ?? '' };
    const region = this.peer(home);
    const identifier = rest.join(':').toLowerCase();
    if (name?.toLowerCase() !== region.arn(type, identifier))
      throw new AwsError('InvalidParameterValue', `Invalid ARN: ${name}`);
    return { region, identifier };
  }

  /** Calls of this Region's RDS to that of another: throws what such a call meets, as when that Region is gone. */
  async reach(other: Region, operation: string, input: object): Promise<void> {
    if (other === this) return;
    const { account, region } = other.home;
    if (this.home.darkness.isDark(region)) throw new Unreachable(region);
    if (this.home.darkness.isParted(this.home.region, region))
      throw new Unreachable(region, `cut off from ${this.home.region}`);
    const principal = { kind: 'service', service: 'rds.amazonaws.com', sourceAccount: account } as const;
    await this.home.faults.before('rds', operation, input, { account, region, principal, requestId: randomUUID() });
  }

  arn(type: 'db' | 'snapshot' | 'pg' | 'og' | 'subgrp' | 'auto-backup', name: string): string {
    return `arn:aws:rds:${this.home.region}:${this.home.account}:${type}:${name}`;
  }

  /** Goes on after the call was answered, as RDS does. `stop` waits for it. */
  background(work: () => Promise<void>): void {
    const running: Promise<void> = work()
      .catch((error: Error) => {
        // What a loss of the Region cuts short is no news.
        if (!this.ended.signal.aborted && this.crashed.size === 0)
          process.emitWarning(`RDS in ${this.home.region}: ${error.stack}`);
      })
      .finally(() => this.#working.delete(running));
    this.#working.add(running);
  }

  async settle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }
}

/** `prefix` and 26 upper-case letters and digits, as RDS writes resource ids (`db-…`, `ab-…`). */
export function resourceId(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(26), (byte) => alphabet[byte % 32]).join('');
}

export const tagList = (tags: Tags) => [...tags].map(([Key, Value]) => ({ Key, Value }));
export const tagMap = (tags: readonly { Key?: string; Value?: string }[] | undefined): Tags =>
  new Map((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
