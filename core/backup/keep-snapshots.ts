/** KeepSnapshots: the plan's seven daily backups in one Region, and nothing else of ours; what is not ours is left alone. */
import type { Databases } from '../database/ports.ts';
import type { Settings } from '../settings.ts';
import type { BackupRun, Outcome } from './contracts.ts';
import { backupPrefix } from './names.ts';
import type { Backups, InRegion, Snapshots } from './ports.ts';
import { planRetention, refuseAsOurs } from './retention.ts';
import { proofsRead, rightKeys } from './verify-backup.ts';

export interface KeepContext {
  readonly settings: Settings;
  readonly snapshots: InRegion<Snapshots>;
  readonly databases: Pick<Databases, 'find'>;
  readonly backups: Pick<Backups, 'proofs'>;
}

export async function keepSnapshots(
  { run, region }: { run: BackupRun; region: string },
  context: KeepContext,
): Promise<Outcome> {
  const { settings, backups } = context;
  const { environment } = settings;
  const snapshots = context.snapshots(region);
  const [found, keyArns, proofs] = await Promise.all([
    snapshots.list(backupPrefix),
    rightKeys(region, run, context),
    backups.proofs(proofsRead),
  ]);
  const plan = planRetention(found, { environment, kept: settings.backup.kept, keyArns, proofs });
  const deleted: string[] = [];
  for (const identifier of plan.deleted) {
    // Read again: what is judged is what is deleted.
    const snapshot = await snapshots.find(identifier);
    if (snapshot === undefined || refuseAsOurs(snapshot, environment) !== undefined) continue;
    if ((await snapshots.delete(identifier)) === 'deleting') deleted.push(identifier);
  }
  const { kept, waiting, strangers } = plan;
  return {
    part: region === run.region ? 'retention' : 'retention-elsewhere',
    verdict: kept.length > 0 ? 'passed' : 'failed',
    summary:
      kept.length > 0 ? `${region} keeps ${kept.length}, ${deleted.length} deleted` : `${region} has no good backup`,
    facts: { region, kept, deleted, waiting, strangers },
  };
}
