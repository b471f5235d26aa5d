/** AssureProtection: point-in-time recovery is set as the plan has it; what has drifted is repaired, and said. */

import { DatabaseNotFound } from '../database/errors.ts';
import type { Databases } from '../database/ports.ts';
import { regionSettings, type Settings } from '../settings.ts';
import type { BackupRun, Outcome } from './contracts.ts';
import { AutomatedBackupsOff } from './errors.ts';
import type { AutomatedBackups, InRegion, ReplicatedBackup, Snapshots } from './ports.ts';

export interface ProtectionContext {
  readonly settings: Settings;
  readonly databases: Pick<Databases, 'find'>;
  readonly automated: InRegion<AutomatedBackups>;
  readonly snapshots: InRegion<Pick<Snapshots, 'keyOf'>>;
}

export interface ProtectionPlan {
  /** Raise the retention to this. */
  readonly raise?: number;
  readonly replicate?: true;
  /** What is not as it should be and is left to a person. */
  readonly left: readonly string[];
}

/** Pure. Nothing is ever lowered: RDS deletes what a shorter retention does not cover, at once. */
export function planProtection(
  retentionDays: number,
  replicated: ReplicatedBackup | undefined,
  { automatedRetentionDays: wanted, regionProtection }: Settings['backup'],
): ProtectionPlan {
  const isWanted = regionProtection === 'automated-backups';
  // Stopped replication leaves its backups behind as `retained`: only this status says that it goes on (aws-facts).
  const goesOn = replicated?.status === 'replicating' || replicated?.status === 'pending';
  const days = replicated?.retentionDays;
  return {
    ...(retentionDays < wanted ? { raise: wanted } : {}),
    ...(isWanted && !goesOn ? { replicate: true } : {}),
    left:
      isWanted && goesOn && days !== undefined && days < wanted
        ? [`replicated backups are kept for ${days} days, not ${wanted}: stop and start their replication by hand`]
        : [],
  };
}

export async function assureProtection({ run }: { run: BackupRun }, context: ProtectionContext): Promise<Outcome> {
  const { settings, databases, automated, snapshots } = context;
  const { identifier, resourceId } = run.source;
  const instance = await databases.find(identifier);
  if (instance?.resourceId !== resourceId) throw DatabaseNotFound(`${identifier} is not ${resourceId} any more.`);
  const retentionDays = Number(instance.settings.backupRetentionDays ?? 0);
  if (retentionDays === 0) throw AutomatedBackupsOff(`${identifier} keeps no automated backups.`);
  const there = automated(run.otherRegion);
  const plan = planProtection(retentionDays, await there.replicated(resourceId), settings.backup);
  const repaired: string[] = [];
  if (plan.raise !== undefined) {
    await automated(run.region).setRetention(identifier, plan.raise);
    repaired.push(`${identifier} kept automated backups for ${retentionDays} days; now for ${plan.raise}`);
  }
  if (plan.replicate) {
    const keyArn = await snapshots(run.otherRegion).keyOf(regionSettings(settings, run.otherRegion).backupKeyAlias);
    const days = settings.backup.automatedRetentionDays;
    await there.replicate({ sourceArn: instance.arn, keyArn, retentionDays: days });
    repaired.push(`automated backups were not replicated to ${run.otherRegion}; now they are`);
  }
  const kept = Math.max(retentionDays, plan.raise ?? 0);
  const fine = `automated backups are kept for ${kept} days${settings.backup.regionProtection === 'replica' ? '' : ` and replicated to ${run.otherRegion}`}`;
  return {
    part: 'protection',
    verdict: plan.left.length > 0 ? 'failed' : repaired.length > 0 ? 'repaired' : 'passed',
    summary: [...plan.left, ...repaired].join('; ') || fine,
    facts: { retentionDays: kept, regionProtection: settings.backup.regionProtection, repaired, left: plan.left },
  };
}
