/** Amazon EKS: clusters whose Kubernetes API answers and whose pods are processes. */
import type * as Eks from '@aws-sdk/client-eks';
import type { ServiceDefinition } from '../../kernel.ts';
import { provider } from '../declare.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { associate, eksOperations, newEntry } from './operations.ts';
import type { EksService } from './service.ts';

interface EntryProperties {
  ClusterName: string;
  PrincipalArn: string;
  KubernetesGroups?: string[];
  Username?: string;
  Type?: string;
  AccessPolicies?: { PolicyArn: string; AccessScope: { Type: Eks.AccessScopeType; Namespaces?: string[] } }[];
  Tags?: { Key: string; Value: string }[];
}

export const eks: ServiceDefinition = {
  name: 'eks',
  sdk: '@aws-sdk/client-eks',
  everywhere: true,
  create(home): EksService {
    const clusters = new Map<string, Cluster>();
    return {
      operations: eksOperations(home, clusters),
      kubernetes: (clusterName) => findCluster(clusters, clusterName).setup,
      resources: provider<EntryProperties>(
        'AWS::EKS::AccessEntry',
        ['ClusterName', 'PrincipalArn', 'KubernetesGroups', 'Username', 'Type', 'AccessPolicies', 'Tags'],
        (properties) => {
          const cluster = findCluster(clusters, properties.ClusterName);
          const entry = newEntry(home, cluster, {
            principalArn: properties.PrincipalArn,
            kubernetesGroups: properties.KubernetesGroups,
            username: properties.Username,
            type: properties.Type,
            tags: Object.fromEntries((properties.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
          });
          for (const { PolicyArn, AccessScope } of properties.AccessPolicies ?? []) {
            associate(home, entry, PolicyArn, { type: AccessScope.Type, namespaces: AccessScope.Namespaces });
          }
          return { ref: `${cluster.plan.name}|${entry.principalArn}`, attributes: { AccessEntryArn: entry.arn } };
        },
      ),
      goDark() {
        for (const cluster of clusters.values()) cluster.goDark();
      },
      async stop() {
        await Promise.all([...clusters.values()].map((cluster) => cluster.stop()));
      },
    };
  },
};
