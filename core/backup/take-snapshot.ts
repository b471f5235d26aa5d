/** TakeSnapshot, CopySnapshot, and the two that wait for them: today's backup, in both Regions. */
import type { Settings } from '../settings.ts';
import { regionSettings } from '../settings.ts';
import type { BackupRun, Outcome, Part } from './contracts.ts';
import { SnapshotFailed, SnapshotNotOurs, SnapshotUnderWay } from './errors.ts';
import { backupTag, tagsOf } from './names.ts';
import type { BackupSnapshot, InRegion, Snapshots } from './ports.ts';

export interface SnapshotContext {
  readonly settings: Settings;
  readonly snapshots: InRegion<Snapshots>;
}

interface Input {
  readonly run: BackupRun;
}

/** Adopts what an earlier attempt of this very execution made: these calls take no client token. */
export async function takeSnapshot({ run }: Input, { settings, snapshots }: SnapshotContext): Promise<Outcome> {
  const here = snapshots(run.region);
  const started = await here.take({
    identifier: run.snapshot,
    instanceIdentifier: run.source.identifier,
    tags: tagsOf(run, settings.environment),
  });
  if (started === 'exists') requireOurs(run, await here.find(run.snapshot), run.region);
  return passed('snapshot', `taking ${run.snapshot} of ${run.source.identifier}`, { started });
}

export async function awaitBackup({ run }: Input, { snapshots }: SnapshotContext): Promise<Outcome> {
  const snapshot = await available(run, run.region, snapshots);
  return passed('snapshot', `${run.snapshot} is available in ${run.region}`, { arn: snapshot.arn });
}

/**
 * Called in the receiving Region with its own key: a key is of one Region (RDS User Guide, Copying a DB snapshot). It needs
 * the source's Region alive, so it runs every day and never in a disaster (aws-facts).
 */
export async function copySnapshot({ run }: Input, { settings, snapshots }: SnapshotContext): Promise<Outcome> {
  const there = snapshots(run.otherRegion);
  const source = await available(run, run.region, snapshots);
  const alias = regionSettings(settings, run.otherRegion).backupKeyAlias;
  const keyArn = await there.keyOf(alias);
  const started = await there.copy({
    identifier: run.snapshot,
    sourceArn: source.arn,
    keyArn,
    tags: tagsOf(run, settings.environment),
  });
  if (started === 'exists') requireOurs(run, await there.find(run.snapshot), run.otherRegion);
  return passed('copy', `copying ${run.snapshot} to ${run.otherRegion}`, { started, key: keyArn, alias });
}

export async function awaitCopy({ run }: Input, { snapshots }: SnapshotContext): Promise<Outcome> {
  const copy = await available(run, run.otherRegion, snapshots);
  return passed('copy', `${run.snapshot} is available in ${run.otherRegion}`, { arn: copy.arn, key: copy.keyArn });
}

const passed = (part: Part, summary: string, facts: Outcome['facts']): Outcome => ({
  part,
  verdict: 'passed',
  summary,
  facts,
});

async function available(run: BackupRun, region: string, snapshots: InRegion<Snapshots>): Promise<BackupSnapshot> {
  const snapshot = await snapshots(region).find(run.snapshot);
  if (snapshot === undefined) throw SnapshotFailed(`${run.snapshot} is not there any more in ${region}.`);
  requireOurs(run, snapshot, region);
  if (snapshot.status === 'available') return snapshot;
  if (/fail|incompatible|inaccessible/.test(snapshot.status))
    throw SnapshotFailed(`${run.snapshot} is ${snapshot.status} in ${region}.`);
  throw SnapshotUnderWay(`${run.snapshot} is ${snapshot.status} in ${region}.`);
}

/** Two executions that began in the same second would name theirs alike; their ids are alike, too, and it is one backup. */
function requireOurs(run: BackupRun, snapshot: BackupSnapshot | undefined, region: string): void {
  const maker = snapshot?.tags[backupTag];
  if (maker !== run.id)
    throw SnapshotNotOurs(`${run.snapshot} in ${region} was made by ${maker ?? 'no backup'}, not by ${run.id}.`);
}
