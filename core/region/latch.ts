/** The latch: a record in the DR Region, said to CloudWatch every minute. What DNS answers follows it without anybody's call. */
import type { Metrics } from '../database/ports.ts';
import type { Latch, LatchName } from './contracts.ts';
import { LatchName as Names } from './contracts.ts';
import type { RegionStore } from './ports.ts';

const metricOf: Readonly<Record<LatchName, { readonly name: string }>> = {
  traffic: { name: 'TrafficLatched' },
  'drill-traffic': { name: 'DrillTrafficLatched' },
};

export interface PublishContext {
  readonly store: Pick<RegionStore, 'readLatch'>;
  readonly metrics: Metrics;
}

/** A record that cannot be read says nothing, neither 0 nor 1: the alarm then keeps its state, and one for silence rings. */
export async function publishLatches({ store, metrics }: PublishContext): Promise<Readonly<Record<string, boolean>>> {
  const latches = await Promise.all(
    Names.options.map(async (name) => [name, (await store.readLatch(name))?.on === true] as const),
  );
  await metrics.put(latches.map(([name, on]) => ({ ...metricOf[name], value: on ? 1 : 0, unit: 'Count' as const })));
  return Object.fromEntries(latches);
}

export interface SetLatchContext {
  readonly store: Pick<RegionStore, 'writeLatch'>;
  readonly metrics: Metrics;
}

/** The record first, for it is what lasts; then the metric, so that nobody waits for the next minute. */
export async function setLatch(latch: Latch, { store, metrics }: SetLatchContext): Promise<void> {
  await store.writeLatch(latch);
  await metrics.put([{ ...metricOf[latch.name], value: latch.on ? 1 : 0, unit: 'Count' }]);
}
