/** Where a cluster's Kubernetes API is. In a module of its own: loaded when needed. */
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { WorkloadNotReady } from '../../../core/database/errors.ts';
import { clientFor } from '../aws/clients.ts';

export interface Cluster {
  readonly endpoint: string;
  readonly ca: string;
}

export async function findCluster(name: string, region: string): Promise<Cluster> {
  const { cluster } = await clientFor(EKSClient, region).send(new DescribeClusterCommand({ name }));
  const { endpoint, certificateAuthority, status } = cluster ?? {};
  if (endpoint === undefined || certificateAuthority?.data === undefined)
    throw WorkloadNotReady(`Cluster ${name} is ${status ?? 'not there'} and has no endpoint.`);
  return { endpoint, ca: Buffer.from(certificateAuthority.data, 'base64').toString() };
}
