/** The machines of the cluster are gone, or the cluster itself. */
import type { Disaster } from './disaster.ts';

export const nodesLost: Disaster = {
  title: 'every node of the cluster is lost',
  scenario: 'cluster',
  async strike({ cluster }) {
    const lost = cluster.loseNodes();
    if (lost.length === 0) throw new Error('The cluster has no node');
    return `the instances ${lost.join(', ')} ended with all that ran on them`;
  },
};

export const clusterLost: Disaster = {
  title: 'the cluster is deleted',
  scenario: 'cluster',
  async strike({ cluster }) {
    await cluster.remove();
    return 'DeleteNodegroup and DeleteCluster, as a careless person calls them';
  },
};
