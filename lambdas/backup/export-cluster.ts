import { exportCluster } from '../../core/backup/export-cluster.ts';
import { archive } from '../adapters/aws/archive.ts';
import { clusterState } from '../adapters/kubernetes/cluster-state.ts';
import { makePart, PartInput } from '../part.ts';

export const handler = makePart(PartInput, (input, rt) =>
  exportCluster(input, { ...rt, cluster: clusterState(rt), archives: (region) => archive(rt, region) }),
);
