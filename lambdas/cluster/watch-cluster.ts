import * as z from 'zod';
import { watchCluster } from '../../core/cluster/watch-cluster.ts';
import { controlStore } from '../adapters/aws/control-store.ts';
import { metrics } from '../adapters/aws/metrics.ts';
import { clusterView } from '../adapters/kubernetes/cluster-view.ts';
import { makeHandler } from '../handler.ts';

/** What the schedule sends says nothing. */
export const handler = makeHandler(z.unknown(), (_, rt) =>
  watchCluster({ ...rt, control: controlStore(rt), metrics: metrics(rt), cluster: (name) => clusterView(name, rt) }),
);
