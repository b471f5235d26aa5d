/** What the database area needs from outside: RDS as it is, sessions, secrets, parameters, workloads. */
import type { Baseline, DatabaseProfile, LookRecord } from './contracts.ts';

/** The facts of an instance that matter to a recovery. Times are ISO text. */
export interface DatabaseInstance {
  readonly identifier: string;
  readonly arn: string;
  readonly resourceId: string;
  readonly region: string;
  readonly status: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly address: string | undefined;
  readonly port: number | undefined;
  readonly masterUsername: string;
  readonly databaseName: string | undefined;
  readonly createdAt: string | undefined;
  readonly latestRestorableTime: string | undefined;
  readonly deletionProtection: boolean;
  readonly replicaOf: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Everything that parity compares, flat: instance class, storage, Multi-AZ, groups, retention, monitoring … */
  readonly settings: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Of its parameter group: `in-sync`, `applying`, `pending-reboot`, `failed-to-apply` … */
  readonly parameterStatus: string;
  /** Names of modifications that are not applied yet. */
  readonly pending: readonly string[];
}

export interface RestoreWindow {
  readonly earliest: string;
  readonly latest: string;
}

export interface DatabaseSnapshot {
  readonly identifier: string;
  readonly arn: string;
  readonly instanceIdentifier: string;
  readonly instanceResourceId: string | undefined;
  readonly status: string;
  readonly createdAt: string | undefined;
  readonly encrypted: boolean;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An instance to resemble. */
export type Like = Pick<DatabaseInstance, 'settings'>;

/** How a restored instance must be made: nothing is left to RDS's defaults (aws-facts: restores default to Single-AZ, default groups …). */
export interface RestoreSpecification {
  readonly targetIdentifier: string;
  readonly from:
    | {
        readonly kind: 'time';
        /** Absent where the instance is gone: its automated backups outlive it under the resource id. */
        readonly sourceIdentifier: string | undefined;
        readonly sourceResourceId: string;
        /** Backups that were replicated from another Region are found by their ARN alone. */
        readonly backupsArn?: string | undefined;
        readonly at: string | 'latest';
      }
    | { readonly kind: 'snapshot'; readonly snapshotIdentifier: string }
    /** Nothing: a new instance with an empty database, which a dump then fills. */
    | {
        readonly kind: 'nothing';
        readonly engine: string;
        readonly engineVersion: string;
        readonly databaseName: string;
        readonly master: Credentials;
      };
  readonly like: Like;
  readonly subnetGroup: string;
  readonly parameterGroup: string;
  readonly securityGroupIds: readonly string[];
  readonly multiAz: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** RDS of one Region. */
export interface Databases {
  /** undefined: no such instance. */
  find(identifier: string): Promise<DatabaseInstance | undefined>;
  /** Those whose identifier begins like this. */
  list(prefix: string): Promise<DatabaseInstance[]>;
  /** What RDS tells of the instance's failures in the last hour, oldest first. */
  failures(identifier: string): Promise<readonly string[]>;
  restoreWindow(instance: Pick<DatabaseInstance, 'resourceId'>): Promise<RestoreWindow | undefined>;
  /** Its automated backups in this Region: its own, or those that are replicated here. */
  backupsOf(
    instance: Pick<DatabaseInstance, 'resourceId'>,
  ): Promise<{ readonly arn: string; readonly window: RestoreWindow | undefined } | undefined>;
  findSnapshot(identifier: string): Promise<DatabaseSnapshot | undefined>;
  /** Every snapshot of this very instance in the Region, automated ones too. */
  snapshotsOf(instance: Pick<DatabaseInstance, 'resourceId'>): Promise<DatabaseSnapshot[]>;
  /** Starts the restore; returns 'started', or 'exists' where an instance of that identifier is there already. */
  restore(specification: RestoreSpecification): Promise<'started' | 'exists'>;
  /** Sets what a restore cannot (monitoring, windows, CA …) and the master's password. */
  configure(identifier: string, like: Like, masterPassword: string): Promise<void>;
  /** Puts it into these security groups, and no others. */
  admit(identifier: string, securityGroupIds: readonly string[]): Promise<void>;
  /** Makes it as safe as `like`: Multi-AZ, deletion protection, security groups, backups and windows. */
  protect(identifier: string, like: Like): Promise<void>;
  /** Starts a snapshot; 'exists' where there is one of that name. */
  createSnapshot(specification: {
    readonly identifier: string;
    readonly instanceIdentifier: string;
    readonly tags: Readonly<Record<string, string>>;
  }): Promise<'started' | 'exists' | 'no-instance'>;
  /** Deletes without a final snapshot and with its automated backups; 'gone' where there is none. */
  delete(identifier: string): Promise<'deleting' | 'gone'>;
  /** Whether automated backups of an instance of that name are kept, even after it is gone. */
  hasAutomatedBackup(identifier: string): Promise<boolean>;
  parameters(parameterGroup: string): Promise<Readonly<Record<string, string>>>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface Secrets {
  credentials(secretName: string): Promise<Credentials>;
}

export interface Parameters {
  read(name: string): Promise<string | undefined>;
  write(name: string, value: string): Promise<void>;
}

export interface DatabaseAddress {
  readonly address: string;
  readonly port: number;
  readonly database: string;
}

/** One session: verify-full TLS. Values are text or null, as PostgreSQL sent them (nothing is lost in conversion). */
export interface Session {
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Readonly<Record<string, string | null>>[]>;
  /** Cancels the statement and closes. */
  close(): Promise<void>;
}

export interface SqlFailure extends Error {
  /** SQLSTATE, e.g. 28000 (refused login), 57014 (cancelled), XX001 (corrupted). */
  readonly code: string | undefined;
}

/** A session that streams rows as COPY moves them; never all of them are in memory. */
export interface CopySession extends Session {
  /** What `copy … to stdout` yields, as it comes: a slow reader slows the server down. */
  copyOut(sql: string): AsyncIterable<Uint8Array>;
  /** Feeds `copy … from stdin`; the number of rows, once PostgreSQL has them all. */
  copyIn(sql: string, rows: AsyncIterable<Uint8Array>): Promise<number>;
}

export interface CopySessions {
  /** As `Sessions.open`. `statementTimeoutMs` bounds a COPY, too. */
  open(
    address: DatabaseAddress,
    credentials: Credentials,
    options: { statementTimeoutMs: number; connectTimeoutMs?: number; applicationName: string },
  ): Promise<CopySession>;
}

export interface Sessions {
  /** `statementTimeoutMs` is set in the session; connecting itself is bounded by `connectTimeoutMs`. */
  open(
    address: DatabaseAddress,
    credentials: Credentials,
    options: { statementTimeoutMs: number; connectTimeoutMs?: number; applicationName: string },
  ): Promise<Session>;
}

export interface Deployment {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

export interface RolloutStatus {
  readonly generation: number;
  readonly observedGeneration: number;
  readonly desired: number;
  /** Pods of any revision. */
  readonly total: number;
  /** Pods of the newest revision. */
  readonly updated: number;
  readonly available: number;
}

export interface Workloads {
  /** Restarts a deployment the rolling way; returns the generation to wait for. `at` makes the restart a new one. */
  restart(deployment: Deployment, at: string): Promise<number>;
  /** undefined: no such deployment. */
  status(deployment: Deployment): Promise<RolloutStatus | undefined>;
}

export interface Metrics {
  put(
    metrics: readonly {
      name: string;
      value: number;
      unit: 'Count' | 'Seconds' | 'Milliseconds' | 'None' | 'Percent';
      dimensions?: Readonly<Record<string, string>>;
    }[],
  ): Promise<void>;
}

/** The sentinel's looks of the last days, in the incident table of the Region. */
export interface Looks {
  latest(): Promise<LookRecord | undefined>;
  record(look: LookRecord): Promise<void>;
}

/** The last sound profile of each instance that was the active database. */
export interface Profiles {
  read(resourceId: string): Promise<DatabaseProfile | undefined>;
  record(profile: DatabaseProfile): Promise<void>;
}

/**
 * The sentinel's looks that found nothing wrong, in the incident table of the Region. With `resourceId`, those of one
 * instance: what was seen of its predecessor after the restore point is not true of it. What earlier versions of this
 * product recorded names none, and counts as any's.
 */
export interface Baselines {
  latest(resourceId?: string): Promise<Baseline | undefined>;
  /** The newest one taken at that moment or before it. */
  atOrBefore(moment: string, resourceId?: string): Promise<Baseline | undefined>;
  record(baseline: Baseline): Promise<void>;
}
