/** Once a day: records the zone, says what it has lost since yesterday, and starts the build that compares the rest with Git. */
import { variablesOf, whereOf } from '../cluster/assess-cluster.ts';
import type { Metrics } from '../database/ports.ts';
import { recordVersion } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import { compareZone, recordable } from './compare-zone.ts';
import { openDebt } from './debt.ts';
import type { Builds, Debts, ZoneRecordings, Zones } from './ports.ts';

export interface WatchContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly debts: Pick<Debts, 'read'>;
  readonly zones: Pick<Zones, 'read'>;
  readonly recordings: Pick<ZoneRecordings, 'newest' | 'read' | 'keep'>;
  readonly builds: Builds;
  readonly metrics: Metrics;
}

export const clusterJob = (environment: string): string => `stocker-dr-${environment}-cluster-job`;

/** Rests where production is in the other Region, and while Terraform’s debt is open: then it differs from Git anyway. */
export async function watchConfiguration(
  context: WatchContext,
): Promise<{ readonly build?: string; readonly rests?: string }> {
  const { settings, here, clock, control, debts, builds, metrics } = context;
  const active = await control.readActiveDatabase();
  const checked = { name: 'ConfigurationChecked', value: 1, unit: 'Count' as const };
  if (active === undefined || active.region !== here.region) {
    await metrics.put([checked]);
    return { rests: 'production is elsewhere' };
  }
  const at = clock.now().toISOString();
  const lost = await recordZone(at, context);
  if ((await openDebt(active, debts)) !== undefined) {
    await metrics.put([checked]);
    return { rests: 'Terraform’s debt is open' };
  }
  const where = whereOf('recovery', settings, here);
  const build = await builds.start(clusterJob(settings.environment), `drift-${at.slice(0, 19)}`, {
    JOB: 'configuration/report-drift',
    INPUT: JSON.stringify({ at, lost }),
    ACTION: 'find',
    APPROVED: 'found',
    MANIFESTS: 'none',
    ...variablesOf(where),
  });
  return { build };
}

/** What the zone has lost since it was last recorded, in words; a recovery goes by that recording, which stays. */
async function recordZone(at: string, { settings, zones, recordings }: WatchContext): Promise<string[]> {
  const { traffic } = settings;
  const zone = traffic.hostedZoneName;
  const actual = await zones.read(zone);
  if (actual === undefined) return [`there is no zone ${zone}`];
  const sets = recordable(actual, traffic);
  const last = await recordings.newest(zone, at);
  const recorded = last && (await recordings.read(last.location));
  const changed = compareZone(recorded?.sets ?? [], sets, traffic);
  // A set that leads elsewhere was changed by somebody; one that is gone may be missed.
  const lost = changed.filter(({ is }) => is === 'absent');
  await recordings.keep(zone, { version: recordVersion, zone, at, sets, lost: lost.map(({ name }) => name) });
  return lost.map(({ name, shouldBe }) => `${name} is gone, and led to ${shouldBe}`);
}
