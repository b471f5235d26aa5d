/** The machines of the cluster are gone, or the cluster itself, or what was deployed on it cannot run. */
import type { Disaster, Victim } from './disaster.ts';

function reached(cluster: Victim['cluster']): NonNullable<Victim['cluster']> {
  if (cluster === undefined) throw new Error('Nobody here can reach a cluster');
  return cluster;
}

export const nodesLost: Disaster = {
  title: 'every node of the cluster is lost',
  loses: 'cluster',
  async strike({ cluster }) {
    const lost = reached(cluster).loseNodes();
    if (lost.length === 0) throw new Error('The cluster has no node');
    return `kubelet and containers of ${lost.join(', ')} ended, which EC2’s checks of the instances do not see`;
  },
};

export const clusterLost: Disaster = {
  title: 'the cluster is deleted',
  loses: 'cluster',
  async strike({ cluster }) {
    await reached(cluster).remove();
    return 'DeleteNodegroup and DeleteCluster, as a careless person calls them';
  },
};

export const badDeploy: Disaster = {
  title: 'an image that nobody pushed is deployed',
  loses: 'cluster',
  async strike({ cluster }) {
    const image = 'stocker-api:never-pushed';
    await reached(cluster).deploy(image);
    return `${image} rolls out, and its pods cannot be started`;
  },
};
