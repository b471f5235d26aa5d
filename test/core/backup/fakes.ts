/** In-memory ports of the backup area: two Regions with RDS's snapshots, and what is kept of runs. */
import type { BackupRecord, BackupRun, Proof } from '../../../core/backup/contracts.ts';
import { runId, snapshotIdentifier, tagsOf } from '../../../core/backup/names.ts';
import type {
  Archive,
  AutomatedBackups,
  BackupSnapshot,
  Backups,
  ReplicatedBackup,
  Snapshots,
} from '../../../core/backup/ports.ts';
import { executionArn } from '../fakes.ts';

export const here = 'us-east-1';
export const there = 'us-west-2';
export const source = { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' };
export const keyIn = (region: string) => `arn:aws:kms:${region}:111122223333:key/backups`;

export function makeRun(startedAt = '2026-11-28T02:00:00.000Z', change: Partial<BackupRun> = {}): BackupRun {
  return {
    id: runId(startedAt),
    task: 'backup',
    executionArn: executionArn.replace('database-recovery', 'backup'),
    startedAt,
    region: here,
    otherRegion: there,
    source,
    snapshot: snapshotIdentifier(source.identifier, startedAt),
    ...change,
  };
}

/** Today's backup of a run, as RDS of a Region has it. */
export function makeBackup(
  run: BackupRun = makeRun(),
  change: Partial<BackupSnapshot> = {},
  region: string = here,
): BackupSnapshot {
  return {
    identifier: run.snapshot,
    arn: `arn:aws:rds:${region}:111122223333:snapshot:${run.snapshot}`,
    resourceId: run.source.resourceId,
    status: 'available',
    encrypted: true,
    keyArn: keyIn(region),
    tags: tagsOf(run, 'staging'),
    ...change,
  };
}

export class FakeSnapshots implements Snapshots {
  readonly region: string;
  readonly all = new Map<string, BackupSnapshot>();
  readonly calls: string[] = [];
  /** Status of what is taken or copied from now on. */
  becomes = 'available';
  /** Throws instead of taking or copying. */
  failure: Error | undefined;
  constructor(region: string) {
    this.region = region;
  }
  add(...snapshots: readonly BackupSnapshot[]) {
    for (const each of snapshots) this.all.set(each.identifier, each);
  }
  async list(prefix: string) {
    return [...this.all.values()].filter(({ identifier }) => identifier.startsWith(prefix));
  }
  async find(identifier: string) {
    return this.all.get(identifier);
  }
  async take({ identifier, tags }: Parameters<Snapshots['take']>[0]) {
    return this.#make(identifier, tags, keyIn(this.region));
  }
  async copy({ identifier, keyArn, tags }: Parameters<Snapshots['copy']>[0]) {
    return this.#make(identifier, tags, keyArn);
  }
  #make(identifier: string, tags: Readonly<Record<string, string>>, keyArn: string) {
    this.calls.push(`make ${identifier}`);
    if (this.failure) throw this.failure;
    if (this.all.has(identifier)) return 'exists' as const;
    const arn = `arn:aws:rds:${this.region}:111122223333:snapshot:${identifier}`;
    const { resourceId } = source;
    this.add({ identifier, arn, resourceId, status: this.becomes, encrypted: true, keyArn, tags });
    return 'started' as const;
  }
  async delete(identifier: string) {
    this.calls.push(`delete ${identifier}`);
    return this.all.delete(identifier) ? ('deleting' as const) : ('gone' as const);
  }
  async keyOf() {
    return keyIn(this.region);
  }
}

export class FakeBackups implements Backups {
  readonly runs: BackupRecord[] = [];
  readonly proven: Proof[] = [];
  async record(record: BackupRecord) {
    this.runs.unshift(record);
  }
  async list(limit: number) {
    return this.runs.slice(0, limit);
  }
  async recordProof(proof: Proof) {
    this.proven.unshift(proof);
  }
  async proofs(limit: number) {
    return this.proven.slice(0, limit);
  }
}

export class FakeAutomated implements AutomatedBackups {
  readonly calls: string[] = [];
  backup: ReplicatedBackup | undefined;
  async setRetention(identifier: string, days: number) {
    this.calls.push(`${identifier} ${days}`);
  }
  async replicated() {
    return this.backup;
  }
  async replicate({ sourceArn, keyArn, retentionDays }: Parameters<AutomatedBackups['replicate']>[0]) {
    this.calls.push(`${sourceArn} ${keyArn} ${retentionDays}`);
    return 'started' as const;
  }
}

export class FakeArchive implements Archive {
  readonly objects = new Map<string, string>();
  async put(key: string, body: string) {
    this.objects.set(key, body);
    return { location: `s3://archive/${key}`, version: `v${this.objects.size}` };
  }
}

/** Both Regions of one kind of port. */
export function both<T>(make: (region: string) => T): { (region: string): T; readonly here: T; readonly there: T } {
  const ports: Readonly<Record<string, T>> = { [here]: make(here), [there]: make(there) };
  const of = (region: string): T => {
    const port = ports[region];
    if (port === undefined) throw new Error(`there is no Region ${region}`);
    return port;
  };
  return Object.assign(of, { here: of(here), there: of(there) });
}
