import { lookAtCluster } from '../adapters/readiness/cluster.ts';
import { makeLook } from '../look.ts';

export const handler = makeLook('cluster', lookAtCluster);
