/** Where a cluster's Kubernetes API is. In a module of its own: loaded when needed. */
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { WorkloadNotReady } from '../../../core/database/errors.ts';
import { clientFor } from '../aws/clients.ts';

export interface Cluster {
  readonly endpoint: string;
  readonly ca: string;
}

/** Endpoint and CA of a cluster do not change: read once per function instance. */
const clusters = new Map<string, Cluster>();

export async function findCluster(name: string, region: string): Promise<Cluster> {
  const known = clusters.get(`${region}/${name}`);
  if (known) return known;
  const { cluster } = await clientFor(EKSClient, region).send(new DescribeClusterCommand({ name }));
  const { endpoint, certificateAuthority, status } = cluster ?? {};
  if (endpoint === undefined || certificateAuthority?.data === undefined)
    throw WorkloadNotReady(`Cluster ${name} is ${status ?? 'not there'} and has no endpoint.`);
  const found = { endpoint, ca: Buffer.from(certificateAuthority.data, 'base64').toString() };
  clusters.set(`${region}/${name}`, found);
  return found;
}
