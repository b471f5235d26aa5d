/** What the backup area needs from outside; each port of one Region is asked for by the Region's name. */
import type { BackupRecord, Proof } from './contracts.ts';

export interface BackupSnapshot {
  readonly identifier: string;
  readonly arn: string;
  /** As RDS knows it, of a copy too. */
  readonly resourceId: string | undefined;
  readonly status: string;
  readonly encrypted: boolean;
  readonly keyArn: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** Manual snapshots of one Region. */
export interface Snapshots {
  /** Those whose identifier begins like this. */
  list(prefix: string): Promise<BackupSnapshot[]>;
  find(identifier: string): Promise<BackupSnapshot | undefined>;
  take(snapshot: {
    readonly identifier: string;
    readonly instanceIdentifier: string;
    readonly tags: Readonly<Record<string, string>>;
  }): Promise<'started' | 'exists'>;
  /** Called in the Region that receives the copy. */
  copy(copy: {
    readonly identifier: string;
    readonly sourceArn: string;
    readonly keyArn: string;
    readonly tags: Readonly<Record<string, string>>;
  }): Promise<'started' | 'exists'>;
  delete(identifier: string): Promise<'deleting' | 'gone'>;
  /** ARN of the key behind an alias. */
  keyOf(alias: string): Promise<string>;
}

export interface ReplicatedBackup {
  readonly status: string;
  readonly retentionDays: number | undefined;
  readonly window: { readonly earliest: string; readonly latest: string } | undefined;
}

/** Automated backups, as one Region has them. */
export interface AutomatedBackups {
  /** Of an instance of this Region. Takes effect at once, without an interruption, from one number above zero to another. */
  setRetention(instanceIdentifier: string, days: number): Promise<void>;
  /** Those that another Region's instance is replicated by to this one. */
  replicated(resourceId: string): Promise<ReplicatedBackup | undefined>;
  /** Called in the Region that receives them. */
  replicate(replication: {
    readonly sourceArn: string;
    readonly keyArn: string;
    readonly retentionDays: number;
  }): Promise<'started' | 'exists'>;
}

export type InRegion<T> = (region: string) => T;

/** Runs and proofs, in the incident table of the Region that ran. */
export interface Backups {
  record(record: BackupRecord): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<BackupRecord[]>;
  recordProof(proof: Proof): Promise<void>;
  /** Of the newest that many backups that were proven or not, newest first. */
  proofs(limit: number): Promise<Proof[]>;
}

/** A kind of object that lives in namespaces and can be listed. */
export interface NamespacedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
}

export type Manifest = Readonly<Record<string, unknown>>;

/** The Kubernetes API of the Region's cluster. Whoever implements it asks for no secret. */
export interface ClusterState {
  kinds(): Promise<NamespacedKind[]>;
  /** 'forbidden' where the role may not. */
  list(namespace: string, kind: NamespacedKind): Promise<Manifest[] | 'forbidden'>;
}

/** Versioned storage of one Region. */
export interface Archive {
  /** Answers where it is now. */
  put(key: string, body: string, contentType: string): Promise<{ readonly location: string; readonly version: string }>;
}

export interface StoredState {
  readonly version: string | undefined;
  readonly modifiedAt: string;
}

/** What a recovery elsewhere depends on besides data, as one Region has it. */
export interface RegionFacts {
  /** 'absent': no such object; 'unversioned': the bucket keeps no versions. */
  terraformState(bucket: string, key: string): Promise<StoredState | 'absent' | 'unversioned'>;
  /** Which version of a secret is current; undefined where there is no such secret. Never its value. */
  secretVersion(name: string): Promise<string | undefined>;
  hasImage(registry: string, repository: string, digest: string): Promise<boolean>;
}

/** The plan's dumps of one Region. */
export interface DumpFolder {
  list(): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  /** Checks S3's own checksum on the way, where the object has one. */
  read(name: string): AsyncIterable<Uint8Array>;
  location(name: string): string;
}
