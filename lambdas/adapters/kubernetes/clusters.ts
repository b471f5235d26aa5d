/** Where a cluster's Kubernetes API is. In a module of its own: loaded when needed. */
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { WorkloadNotReady } from '../../../core/database/errors.ts';
import { type Credentials, clientFor } from '../aws/clients.ts';

export interface Cluster {
  readonly endpoint: string;
  readonly ca: string;
}

/** As EKS knows it; undefined: no such cluster. Without an endpoint it is not up. */
export async function describeCluster(
  name: string,
  region: string,
  as?: Credentials,
): Promise<(Partial<Cluster> & { readonly status: string | undefined }) | undefined> {
  try {
    const { cluster = {} } = await clientFor(EKSClient, region, as).send(new DescribeClusterCommand({ name }));
    const { endpoint, certificateAuthority, status } = cluster;
    const { data } = certificateAuthority ?? {};
    return {
      status,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(data === undefined ? {} : { ca: Buffer.from(data, 'base64').toString() }),
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

export async function findCluster(name: string, region: string): Promise<Cluster> {
  const { endpoint, ca, status } = (await describeCluster(name, region)) ?? {};
  if (endpoint === undefined || ca === undefined)
    throw WorkloadNotReady(`Cluster ${name} is ${status ?? 'not there'} and has no endpoint.`);
  return { endpoint, ca };
}
