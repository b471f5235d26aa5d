/** The cluster of the Region that looks: its control plane, and what its Kubernetes API answers to the recovery's own request. */
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { send } from '../kubernetes/api.ts';
import { eksToken } from '../kubernetes/token.ts';

export function lookAtCluster(
  { region }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'cluster'>> {
  const { cluster: name, namespace, name: deployment } = settings.application.deployment;
  return ask(`EKS in ${region}`, async () => {
    // EKS is a large client, asked for one thing.
    const { describeCluster } = await import('../kubernetes/clusters.ts');
    const { endpoint, ca, status } = (await describeCluster(name, region)) ?? {};
    if (endpoint === undefined || ca === undefined) return { status: status ?? null, answer: null };
    const answer = await send(
      { endpoint, ca },
      {
        method: 'GET',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`,
        token: await eksToken(name, region),
      },
    );
    return { status: status ?? null, answer: answer.status };
  });
}
