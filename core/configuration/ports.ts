/** What the configuration area needs from outside. */
import type { DebtRecord, RecordSetBackup, ZoneRecording } from './contracts.ts';

/** Hosted zones of Route 53, by name. */
export interface Zones {
  /** Every record set; undefined: there is no such zone. */
  read(zone: string): Promise<readonly RecordSetBackup[] | undefined>;
  /** Makes them, or makes them so. */
  put(zone: string, sets: readonly RecordSetBackup[]): Promise<void>;
  /** Deletes them exactly as they are; those that are gone are gone. */
  remove(zone: string, sets: readonly RecordSetBackup[]): Promise<void>;
}

/** Recordings of a zone, in the evidence buckets of both Regions. `of`: the zone’s name, or a drill’s own. */
export interface ZoneRecordings {
  /** Keeps it in both Regions; throws where neither took it. */
  keep(of: string, recording: ZoneRecording): Promise<string>;
  /** The newest one that was made before that moment; undefined: there is none. */
  newest(of: string, before: string): Promise<{ readonly location: string; readonly at: string } | undefined>;
  /** Undefined: it is gone. */
  read(location: string): Promise<ZoneRecording | undefined>;
}

/** `deleting`: in its recovery window · `unreplicated`: there, and not in the other Region. */
export type SecretState = 'there' | 'deleting' | 'unreplicated' | 'absent';

export interface ProtectedSecrets {
  state(name: string): Promise<SecretState>;
  /** Within its recovery window. */
  restore(name: string): Promise<void>;
  /** To the other Region, unless it is there. */
  replicate(name: string): Promise<void>;
}

/** Secrets of drills. */
export interface DrillSecrets {
  make(name: string): Promise<void>;
  /** Into its recovery window, as somebody’s mistake would. */
  schedule(name: string): Promise<void>;
  /** For good; one that is gone is gone. */
  remove(name: string): Promise<void>;
}

export interface ProtectedKey {
  /** What it encrypts. */
  readonly use: string;
  readonly arn: string;
  /** As KMS has it: Enabled, Disabled, PendingDeletion … */
  readonly state: string;
}

export interface ProtectedKeys {
  /** Of the database, of copies of backups, of messages; AWS’s own keys are nobody’s to delete, and left out. */
  list(database: string): Promise<readonly ProtectedKey[]>;
  /** Out of its deletion, and enabled. */
  keep(arn: string): Promise<void>;
}

export interface Buckets {
  exists(name: string): Promise<boolean>;
}

export interface Builds {
  /** Starts a build once per token; answers its id. */
  start(project: string, token: string, variables: Readonly<Record<string, string>>): Promise<string>;
}

/** Records of Terraform’s debt, in the DR Region. */
export interface Debts {
  /** By the resource id of the instance. */
  read(resourceId: string): Promise<DebtRecord | undefined>;
  /** Records it, unless it is on record. */
  open(record: DebtRecord): Promise<void>;
  close(resourceId: string, closedAt: string): Promise<void>;
}
