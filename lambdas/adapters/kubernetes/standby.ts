/** The cluster of the function's own Region: its node group by EKS, its nodes and deployments by the Kubernetes API. */
import { DescribeNodegroupCommand, EKSClient, UpdateNodegroupConfigCommand } from '@aws-sdk/client-eks';
import * as z from 'zod';
import { WorkloadNotReady } from '../../../core/database/errors.ts';
import { StandbyMissing } from '../../../core/region/errors.ts';
import type { Standby } from '../../../core/region/ports.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { send } from './api.ts';
import { findCluster } from './clusters.ts';
import { eksToken } from './token.ts';

const NodeList = z.object({
  items: z.array(
    z.object({
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
    }),
  ),
});
const Scaled = z.object({ spec: z.object({ replicas: z.number().default(1) }) });

export function standby({ here }: Pick<Runtime, 'here'>): Standby {
  const { region } = here;
  const eks = clientFor(EKSClient, region);
  /** undefined: 404. */
  const call = async (cluster: string, method: 'GET' | 'PATCH', path: string, body?: object) => {
    const [found, token] = await Promise.all([findCluster(cluster, region), eksToken(cluster, region)]);
    const answer = await send(found, { method, path, token, body: body && JSON.stringify(body) });
    if (answer.status === 404) return undefined;
    const what = `${method} ${path} of cluster ${cluster} answers ${answer.status}: ${answer.body.slice(0, 300)}`;
    if (answer.status === 401 || answer.status === 403) throw StandbyMissing(what);
    if (answer.status !== 200) throw WorkloadNotReady(what);
    return JSON.parse(answer.body) as unknown;
  };
  return {
    async nodegroup(clusterName, nodegroupName) {
      try {
        const { nodegroup } = await eks.send(new DescribeNodegroupCommand({ clusterName, nodegroupName }));
        const { desiredSize = 0, minSize = 0, maxSize = 0 } = nodegroup?.scalingConfig ?? {};
        return { status: nodegroup?.status ?? '', desired: desiredSize, minimum: minSize, maximum: maxSize };
      } catch (error) {
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    async scaleNodegroup(clusterName, nodegroupName, { desired, minimum, maximum }) {
      const scalingConfig = { desiredSize: desired, minSize: minimum, maxSize: maximum };
      try {
        await eks.send(new UpdateNodegroupConfigCommand({ clusterName, nodegroupName, scalingConfig }));
      } catch (error) {
        // Another update is at work: perhaps our own, whose answer was lost.
        if (error instanceof Error && error.name === 'ResourceInUseException')
          throw WorkloadNotReady(`${nodegroupName} is being updated: ${error.message}`, { cause: error });
        throw error;
      }
    },
    async readyNodes(cluster) {
      const { items } = NodeList.parse(await call(cluster, 'GET', '/api/v1/nodes'));
      return items.filter(({ status }) =>
        status.conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True'),
      ).length;
    },
    async scale({ cluster, namespace, name }, replicas) {
      const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`;
      const found = await call(cluster, 'GET', path);
      if (found === undefined) return undefined;
      const before = Scaled.parse(found).spec.replicas;
      if (before !== replicas) await call(cluster, 'PATCH', path, { spec: { replicas } });
      return before;
    },
  };
}
