/** Every minute: whether production's cluster, its nodes and its workloads are there. The alarms read what it says. */
import type { Metrics } from '../database/ports.ts';
import type { ControlStore } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import { factsOf } from './assess-cluster.ts';
import { decideLevel } from './decide-level.ts';
import type { ClusterView } from './ports.ts';

export interface WatchClusterContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly cluster: (name: string) => Pick<ClusterView, 'status' | 'groups' | 'nodes' | 'workloads'>;
  readonly metrics: Metrics;
}

/** What it says rests where production is in the other Region, and where nothing can be said: unknown is not lost. */
export async function watchCluster({ settings, here, control, cluster, metrics }: WatchClusterContext) {
  const active = await control.readActiveDatabase();
  const unit = 'Count' as const;
  const watched = { name: 'ClusterWatched', value: 1, unit };
  if (active === undefined || active.region !== here.region) {
    await metrics.put([watched]);
    return { level: 'elsewhere' };
  }
  const { cluster: name } = settings.cluster[here.role];
  const { level, reasons } = decideLevel(await factsOf(name, settings, cluster(name)));
  await metrics.put([
    { name: 'ClusterLost', value: level === 'cluster' ? 1 : 0, unit },
    { name: 'NodesLost', value: level === 'node' ? 1 : 0, unit },
    { name: 'ClusterUnknown', value: level === 'unknown' ? 1 : 0, unit },
    watched,
  ]);
  return { level, reasons };
}
