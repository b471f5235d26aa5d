/** Deployments of EKS clusters, through the Kubernetes API. */
import * as z from 'zod';
import { WorkloadNotFound, WorkloadNotReady } from '../../../core/database/errors.ts';
import type { Deployment, Workloads } from '../../../core/database/ports.ts';
import type { Runtime } from '../../handler.ts';
import { send } from './api.ts';
import { eksToken } from './token.ts';

const DeploymentObject = z.object({
  metadata: z.object({ generation: z.number() }),
  spec: z.object({ replicas: z.number().default(1) }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
    })
    .prefault({}),
});

export function workloads({ here }: Pick<Runtime, 'here'>): Workloads {
  const call = async (deployment: Deployment, method: 'GET' | 'PATCH', patch?: unknown) => {
    // EKS is a large client, needed once per function instance.
    const { findCluster } = await import('./clusters.ts');
    const cluster = await findCluster(deployment.cluster, here.region);
    const token = await eksToken(deployment.cluster, here.region);
    const path = `/apis/apps/v1/namespaces/${encodeURIComponent(deployment.namespace)}/deployments/${encodeURIComponent(deployment.name)}`;
    const answer = await send(cluster, {
      method,
      path,
      token,
      body: patch === undefined ? undefined : JSON.stringify(patch),
    });
    if (answer.status === 404) return undefined;
    const what = `${method} ${path} of cluster ${deployment.cluster} answers ${answer.status}: ${answer.body.slice(0, 300)}`;
    if (answer.status === 401 || answer.status === 403) throw WorkloadNotFound(what);
    if (answer.status !== 200) throw WorkloadNotReady(what);
    return DeploymentObject.parse(JSON.parse(answer.body));
  };
  return {
    async restart(deployment, at) {
      // What `kubectl rollout restart` does: a changed annotation makes a new revision.
      const annotations = { 'kubectl.kubernetes.io/restartedAt': at };
      const found = await call(deployment, 'PATCH', { spec: { template: { metadata: { annotations } } } });
      if (found === undefined)
        throw WorkloadNotFound(`${deployment.cluster} has no deployment ${deployment.namespace}/${deployment.name}.`);
      return found.metadata.generation;
    },
    async status(deployment) {
      const found = await call(deployment, 'GET');
      if (found === undefined) return undefined;
      const { metadata, spec, status } = found;
      return {
        generation: metadata.generation,
        observedGeneration: status.observedGeneration,
        desired: spec.replicas,
        total: status.replicas,
        updated: status.updatedReplicas,
        available: status.availableReplicas,
      };
    },
  };
}
