/**
 * The product's own records of both Regions. Production's profile, and what the sentinel last saw sound, are copied on the
 * way, so that they outlive its Region: what a failover brings up is compared with them.
 */
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import { regionSettings } from '../../../core/settings.ts';
import type { Runtime } from '../../handler.ts';
import { backups } from '../aws/backups.ts';
import { baselines, profiles } from '../aws/baselines.ts';
import { greenDrills } from '../aws/green-drills.ts';
import { primaryLooks } from '../aws/primary-looks.ts';
import { tenureMemories, tenures } from '../aws/tenures.ts';
import { readRelease } from '../release.ts';

/** One a week, and a backup is kept for little more than that. */
const proofsSeen = 20;

export async function lookAtRecords(
  { activeRegion, region, database }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'records'>> {
  const there = { here: regionSettings(settings, activeRegion) };
  const own = { here: regionSettings(settings, region) };
  const [active, standby, tenure] = await Promise.all([
    ask(`the incident table in ${activeRegion}`, async () => ({
      proofs: (await backups(there).proofs(proofsSeen)).map(({ backup, verdict, at }) => ({ backup, verdict, at })),
      // After a failover the drills of before are in the other Region.
      drills: [...(await greenDrills(there).list()), ...(await greenDrills(own).list())],
      release: readRelease(),
    })),
    ask(`the incident table in ${region}`, async () => {
      const known = await profiles(own).read(database.resourceId);
      const newest = await profiles(there)
        .read(database.resourceId)
        .catch(() => undefined); // what is kept here is what counts
      if (newest !== undefined && newest.at !== known?.at) await profiles(own).record(newest);
      const baseline = await baselines(there)
        .latest()
        .catch(() => undefined);
      if (baseline !== undefined && baseline.at !== (await baselines(own).latest())?.at)
        await baselines(own).record(baseline);
      const [look] = await primaryLooks(own).newest(1);
      return {
        profileAt: (newest ?? known)?.at ?? null,
        look: look === undefined ? null : { region: look.region, reachedAt: look.reachedAt ?? null },
      };
    }),
    lookAtTenure(settings),
  ]);
  return { active, standby, tenure };
}

/** The guard's memory before the record: it is never ahead of that, whatever is renewed in between. */
async function lookAtTenure(settings: Runtime['settings']): Promise<FactsOf<'records'>['tenure']> {
  if (settings.region.fencing.mode !== 'strict') return { silent: 'fencing is not strict' };
  const { primary, dr } = settings;
  const remembered = await ask(`the incident table in ${primary.region}`, async () => {
    const memory = await tenureMemories({ here: regionSettings(settings, primary.region) }).read();
    if (memory === undefined) return null;
    return { renewedAt: memory.renewedAt, fenced: memory.fenced.map(({ identifier }) => identifier) };
  });
  const held = await ask(`the control table in ${dr.region}`, async () => {
    const record = await tenures({ settings }).read();
    if (record === undefined) return null;
    const { renewedAt = null, epoch, endedBy = null } = record;
    return { renewedAt, epoch, endedBy };
  });
  return { found: { remembered, held } };
}
