/** The cluster of the Region that looks: its control plane, and what its Kubernetes API answers to the recovery's own request. */
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { clientFor } from '../aws/clients.ts';
import { send } from '../kubernetes/api.ts';
import { eksToken } from '../kubernetes/token.ts';

export function lookAtCluster(
  { region }: ReadinessRun,
  { settings }: Pick<Runtime, 'settings'>,
): Promise<FactsOf<'cluster'>> {
  const { cluster: name, namespace, name: deployment } = settings.application.deployment;
  return ask(`EKS in ${region}`, async () => {
    const cluster = await describe(name, region);
    const { endpoint, certificateAuthority, status } = cluster ?? {};
    if (endpoint === undefined || certificateAuthority?.data === undefined)
      return { status: status ?? null, answer: null };
    const answer = await send(
      { endpoint, ca: Buffer.from(certificateAuthority.data, 'base64').toString() },
      {
        method: 'GET',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`,
        token: await eksToken(name, region),
      },
    );
    return { status: status ?? null, answer: answer.status };
  });
}

async function describe(name: string, region: string) {
  const { DescribeClusterCommand, EKSClient } = await import('@aws-sdk/client-eks');
  try {
    const { cluster } = await clientFor(EKSClient, region).send(new DescribeClusterCommand({ name }));
    return cluster;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
