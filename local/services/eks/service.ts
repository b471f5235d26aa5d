/** The service object of EKS: how the machine that hosts the cloud sets up a cluster, beside its Kubernetes API. */
import type { Service } from '../../kernel.ts';
import type { Nodes } from './kubernetes/nodes.ts';
import type { KubernetesObject } from './kubernetes/objects.ts';

export interface KubernetesSetup {
  /** Applies a manifest, as the cluster's administrator would; a repeated one changes nothing. */
  apply(manifest: object): Promise<KubernetesObject>;
  /**
   * `http://127.0.0.1:<port>` of a Service, once a ready pod stands behind it, or with `empty` as soon as it has the port.
   * Throws after two minutes.
   */
  address(namespace: string, service: string, options?: { readonly empty: boolean }): Promise<string>;
  /** The machines behind it: they can be lost, cut off, and found again. */
  nodes(): Pick<Nodes, 'names' | 'lose' | 'disconnect' | 'reconnect' | 'hasCapacity'>;
}

export interface EksService extends Service {
  /** Throws ResourceNotFoundException when there is no such cluster. */
  kubernetes(clusterName: string): KubernetesSetup;
}
