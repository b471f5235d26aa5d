/** VerifyBackup: today's backup is good in both Regions, and the window that can be restored to has moved. */
import type { Databases } from '../database/ports.ts';
import { isBefore, secondsBetween } from '../incident/moments.ts';
import { regionSettings, type Settings } from '../settings.ts';
import type { BackupRun, Outcome } from './contracts.ts';
import type { Backups, InRegion, Snapshots } from './ports.ts';
import { flawsOf } from './retention.ts';

export interface VerifyContext {
  readonly settings: Settings;
  readonly snapshots: InRegion<Snapshots>;
  /** Of the Region where the active database is. */
  readonly databases: Pick<Databases, 'find' | 'restoreWindow'>;
  readonly backups: Pick<Backups, 'list' | 'proofs'>;
}

/** How many proofs are looked at: one a week, and a backup is kept for little more than that. */
export const proofsRead = 20;
const runsRead = 20;
/** RDS uploads logs every five minutes: within three times that, a window that stands still says nothing. */
const movesWithinSeconds = 900;

export async function verifyBackup({ run }: { run: BackupRun }, context: VerifyContext): Promise<Outcome> {
  const [ofRegions, restorable] = await Promise.all([
    Promise.all([run.region, run.otherRegion].map((region) => flawsIn(region, run, context))),
    judgeWindow(run, context),
  ]);
  const flaws = [...ofRegions.flat(), ...restorable.flaws];
  return {
    part: 'verification',
    verdict: flaws.length === 0 ? 'passed' : 'failed',
    summary:
      flaws.length === 0
        ? `${run.snapshot} is good in ${run.region} and ${run.otherRegion}; ${run.source.identifier} can be restored up to ${restorable.window?.latest}`
        : flaws.join('; '),
    facts: { flaws, window: restorable.window },
  };
}

async function flawsIn(region: string, run: BackupRun, { settings, snapshots, backups, databases }: VerifyContext) {
  const [snapshot, keyArns, proofs] = await Promise.all([
    snapshots(region).find(run.snapshot),
    rightKeys(region, run, { settings, snapshots, databases }),
    backups.proofs(proofsRead),
  ]);
  return flawsOf(snapshot, { environment: settings.environment, keyArns, proofs }).map(
    (flaw) => `${run.snapshot} in ${region}: ${flaw}`,
  );
}

/** A snapshot has its instance's key, a copy that of its Region's alias; after a failover a Region holds both. */
export async function rightKeys(
  region: string,
  run: BackupRun,
  {
    settings,
    snapshots,
    databases,
  }: Pick<VerifyContext, 'settings' | 'snapshots'> & {
    databases: Pick<Databases, 'find'>;
  },
): Promise<string[]> {
  const [ofAlias, instance] = await Promise.all([
    snapshots(region).keyOf(regionSettings(settings, region).backupKeyAlias),
    region === run.region ? databases.find(run.source.identifier) : undefined,
  ]);
  const ofInstance = instance?.settings.kmsKey;
  return [ofAlias, ...(typeof ofInstance === 'string' ? [ofInstance] : [])];
}

/** Automated backups that have stopped still have a window; that it does not move is what shows it. */
async function judgeWindow(run: BackupRun, { databases, backups }: VerifyContext) {
  const [window, runs] = await Promise.all([
    databases.restoreWindow({ resourceId: run.source.resourceId }),
    backups.list(runsRead),
  ]);
  if (window === undefined) return { window, flaws: [`${run.source.identifier} has no automated backup`] };
  const before = runs
    .filter((each) => each.run.source.resourceId === run.source.resourceId && each.run.id !== run.id)
    .filter(({ finishedAt }) => secondsBetween(finishedAt, run.startedAt) >= movesWithinSeconds)
    .flatMap(({ outcomes }) => latestSeen(outcomes))[0];
  const stands = before !== undefined && !isBefore(before, window.latest);
  return {
    window,
    flaws: stands ? [`the latest restorable time of ${run.source.identifier} has not moved since ${before}`] : [],
  };
}

function latestSeen(outcomes: readonly Outcome[]): string[] {
  const window = outcomes.find(({ part }) => part === 'verification')?.facts.window;
  const isWindow = typeof window === 'object' && window !== null && 'latest' in window;
  return isWindow && typeof window.latest === 'string' ? [window.latest] : [];
}
