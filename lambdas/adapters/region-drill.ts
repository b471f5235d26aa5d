/** Ends a drill of the Region outside its machine: what it shifted and scaled is put back, and its copy deleted. Loaded where needed. */
import type { TornDown } from '../../core/incident/clean-up-stopped.ts';
import type { IncidentRecord } from '../../core/incident/contracts.ts';
import { endDrill } from '../../core/region/end-drill.ts';
import type { Runtime } from '../handler.ts';
import { controlStore } from './aws/control-store.ts';
import { tearDownDrill } from './aws/drill-tear-down.ts';
import { metrics } from './aws/metrics.ts';
import { regionStore } from './aws/region-store.ts';
import { standby } from './kubernetes/standby.ts';

const latch = 'drill-traffic';

/** Throws what either failed at, after it has tried both. */
export async function tearDownRegionDrill(record: IncidentRecord, rt: Runtime): Promise<TornDown> {
  const store = regionStore(rt);
  const end = async () => {
    const wasLeft = await holderOfDrillLatch(rt);
    const { summary } = await endDrill(record, {
      ...rt,
      control: controlStore(rt),
      metrics: metrics({ ...rt, here: rt.settings.dr }),
      records: async () => (await import('./aws/records.ts')).records(),
      standby: standby(rt),
      store,
    });
    return { summary, deleted: wasLeft.includes(record.incident.id) };
  };
  const done = await Promise.allSettled([end(), tearDownDrill(record, rt)]);
  const failed = done.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const parts = done.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  return {
    deleted: parts.some(({ deleted }) => deleted),
    summary: parts.map(({ summary }) => summary).join('; '),
  };
}

/** The incident whose drill still leads the drill's record to the DR Region, if there is one. */
export async function holderOfDrillLatch(rt: Runtime): Promise<string[]> {
  const set = await regionStore(rt).readLatch(latch);
  return set?.on ? [set.incidentId] : [];
}
