/** Production's cluster, for who owns its machines, for who has its administrator's credentials, and for who deploys to it. */
import type { Configuration } from '../config/schema.ts';
import type { Cloud } from '../local/cloud.ts';
import type { EksService } from '../local/services/eks/service.ts';
import type { Victim } from '../workload/disasters/disaster.ts';

export function clusterOf(
  { cluster, application, account, primary: { region } }: Configuration,
  cloud: Cloud,
): NonNullable<Victim['cluster']> {
  const { cluster: name } = cluster.primary;
  const kubernetes = () => (cloud.service('eks', region) as EksService).kubernetes(name);
  return {
    loseNodes() {
      const nodes = kubernetes().nodes();
      const lost = nodes.names();
      // EC2's checks see nothing, so the group replaces none.
      for (const node of lost) nodes.lose(node, false);
      return lost;
    },
    async remove() {
      const listed = await cloud.call<{ nodegroups: string[] }>('eks', 'ListNodegroups', { clusterName: name }, region);
      for (const nodegroupName of listed.nodegroups)
        await cloud.call('eks', 'DeleteNodegroup', { clusterName: name, nodegroupName }, region);
      await cloud.call('eks', 'DeleteCluster', { name }, region);
    },
    async deploy(image) {
      const { namespace, name: deployment } = application.deployment;
      await kubernetes().apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: deployment, namespace },
        spec: {
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
          template: {
            spec: { containers: [{ name: 'api', image: `${account}.dkr.ecr.${region}.amazonaws.com/${image}` }] },
          },
        },
      });
    },
  };
}
