/** The EKS API: clusters, access entries, node groups. */
import { randomUUID } from 'node:crypto';
import type * as Eks from '@aws-sdk/client-eks';
import { type Access, AwsError, type Call, type Home, type Operation } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { Cluster, type Clusters, clusterArn, findCluster } from './cluster.ts';
import { type AccessEntry, POLICIES, POLICY_PREFIX } from './kubernetes/authorization.ts';
import { nodegroupOperations } from './nodegroups.ts';

export function eksOperations(home: Home, clusters: Clusters): Record<string, Operation> {
  const addresses = new Map<string, Map<string, number>>();
  return {
    CreateCluster: operation<Eks.CreateClusterCommandInput, Eks.CreateClusterCommandOutput>(
      ['name', 'version', 'roleArn', 'resourcesVpcConfig', 'accessConfig', 'tags', 'clientRequestToken'],
      (input) => ({ action: 'eks:CreateCluster', resources: [clusterArn(home, input.name)] }),
      async (input, call) => {
        const name = input.name ?? '';
        if (clusters.has(name))
          throw new AwsError('ResourceInUseException', `Cluster already exists with name: ${name}`, {
            clusterName: name,
          });
        const known = addresses.get(name) ?? new Map<string, number>();
        addresses.set(name, known);
        const plan = {
          name,
          version: input.version ?? '1.34',
          roleArn: input.roleArn ?? '',
          network: input.resourcesVpcConfig ?? {},
          authenticationMode: input.accessConfig?.authenticationMode ?? 'CONFIG_MAP',
          tags: input.tags ?? {},
        };
        const cluster = new Cluster(home, plan, known);
        clusters.set(name, cluster);
        if (input.accessConfig?.bootstrapClusterCreatorAdminPermissions !== false) {
          const entry = newEntry(home, cluster, { principalArn: principalOf(call) });
          entry.policies.set(`${POLICY_PREFIX}AmazonEKSClusterAdminPolicy`, {
            type: 'cluster',
            namespaces: [],
            at: cluster.createdAt,
          });
        }
        await cluster.start();
        return { cluster: describeCluster(home, cluster) };
      },
    ),
    DescribeCluster: operation<Eks.DescribeClusterCommandInput, Eks.DescribeClusterCommandOutput>(
      ['name'],
      (input) => ({ action: 'eks:DescribeCluster', resources: [clusterArn(home, input.name)] }),
      (input) => ({ cluster: describeCluster(home, findCluster(clusters, input.name)) }),
    ),
    ListClusters: operation<Eks.ListClustersCommandInput, Eks.ListClustersCommandOutput>(
      ['maxResults', 'nextToken'],
      () => ({ action: 'eks:ListClusters', resources: ['*'] }),
      (input) => {
        const { items, next } = page([...clusters.keys()], input.nextToken, input.maxResults ?? 100);
        return { clusters: items, nextToken: next };
      },
    ),
    DeleteCluster: operation<Eks.DeleteClusterCommandInput, Eks.DeleteClusterCommandOutput>(
      ['name'],
      (input) => ({ action: 'eks:DeleteCluster', resources: [clusterArn(home, input.name)] }),
      async (input) => {
        const cluster = findCluster(clusters, input.name);
        if (cluster.nodegroups.size)
          throw new AwsError('ResourceInUseException', 'Cluster has nodegroups attached', { clusterName: input.name });
        clusters.delete(cluster.plan.name);
        await cluster.stop();
        return { cluster: { ...describeCluster(home, cluster), status: 'DELETING' } };
      },
    ),
    ...entryOperations(home, clusters),
    ...nodegroupOperations(home, clusters),
  };
}

function entryOperations(home: Home, clusters: Clusters): Record<string, Operation> {
  type OfEntry = { clusterName?: string | undefined; principalArn?: string | undefined };
  const onCluster = (action: string) => (input: OfEntry) => ({
    action: `eks:${action}`,
    resources: [clusterArn(home, input.clusterName)],
  });
  const onEntry =
    (action: string) =>
    (input: OfEntry): Access => ({
      action: `eks:${action}`,
      resources: [
        clusters.get(input.clusterName ?? '')?.entries.get(input.principalArn ?? '')?.arn ??
          `arn:aws:eks:${home.region}:${home.account}:access-entry/${input.clusterName}/*`,
      ],
      conditions: { 'eks:principalArn': input.principalArn },
    });
  const find = (input: OfEntry): AccessEntry => {
    const entry = findCluster(clusters, input.clusterName).entries.get(input.principalArn ?? '');
    if (!entry)
      throw new AwsError(
        'ResourceNotFoundException',
        `The specified principalArn could not be found: ${input.principalArn}`,
      );
    return entry;
  };
  return {
    CreateAccessEntry: operation<Eks.CreateAccessEntryCommandInput, Eks.CreateAccessEntryCommandOutput>(
      ['clusterName', 'principalArn', 'kubernetesGroups', 'username', 'type', 'tags', 'clientRequestToken'],
      onCluster('CreateAccessEntry'),
      (input) => ({
        accessEntry: describeEntry(input.clusterName, newEntry(home, findCluster(clusters, input.clusterName), input)),
      }),
    ),
    DescribeAccessEntry: operation<Eks.DescribeAccessEntryCommandInput, Eks.DescribeAccessEntryCommandOutput>(
      ['clusterName', 'principalArn'],
      onEntry('DescribeAccessEntry'),
      (input) => ({ accessEntry: describeEntry(input.clusterName, find(input)) }),
    ),
    ListAccessEntries: operation<Eks.ListAccessEntriesCommandInput, Eks.ListAccessEntriesCommandOutput>(
      ['clusterName', 'associatedPolicyArn', 'maxResults', 'nextToken'],
      onCluster('ListAccessEntries'),
      (input) => {
        const entries = [...findCluster(clusters, input.clusterName).entries.values()].filter(
          ({ policies }) => !input.associatedPolicyArn || policies.has(input.associatedPolicyArn),
        );
        const { items, next } = page(entries, input.nextToken, input.maxResults ?? 100);
        return { accessEntries: items.map(({ principalArn }) => principalArn), nextToken: next };
      },
    ),
    DeleteAccessEntry: operation<Eks.DeleteAccessEntryCommandInput>(
      ['clusterName', 'principalArn'],
      onEntry('DeleteAccessEntry'),
      (input) => {
        findCluster(clusters, input.clusterName).entries.delete(find(input).principalArn);
        return {};
      },
    ),
    AssociateAccessPolicy: operation<Eks.AssociateAccessPolicyCommandInput, Eks.AssociateAccessPolicyCommandOutput>(
      ['clusterName', 'principalArn', 'policyArn', 'accessScope'],
      (input) => {
        const { action, resources, conditions } = onEntry('AssociateAccessPolicy')(input);
        return {
          action,
          resources,
          conditions: {
            ...conditions,
            'eks:policyArn': input.policyArn,
            'eks:accessScope': input.accessScope?.type,
            'eks:namespaces': input.accessScope?.namespaces,
          },
        };
      },
      (input) => {
        const entry = find(input);
        associate(home, entry, input.policyArn ?? '', input.accessScope);
        return {
          clusterName: input.clusterName,
          principalArn: entry.principalArn,
          associatedAccessPolicy: {
            policyArn: input.policyArn,
            accessScope: input.accessScope,
            associatedAt: new Date(home.clock.now()),
          },
        };
      },
    ),
  };
}

/** Adds an access entry to a cluster. Throws ResourceInUseException when the principal has one. */
export function newEntry(
  home: Home,
  cluster: Cluster,
  input: Pick<Eks.CreateAccessEntryCommandInput, 'principalArn'> &
    Partial<Pick<Eks.CreateAccessEntryCommandInput, 'kubernetesGroups' | 'username' | 'type' | 'tags'>>,
): AccessEntry {
  const principalArn = input.principalArn ?? '';
  if (cluster.entries.has(principalArn)) {
    throw new AwsError(
      'ResourceInUseException',
      'The specified access entry resource is already in use on this cluster.',
      { clusterName: cluster.plan.name },
    );
  }
  if (input.kubernetesGroups?.some((group) => group.startsWith('system:'))) {
    throw new AwsError(
      'InvalidParameterException',
      'The kubernetes group name is invalid, it cannot start with system:',
    );
  }
  const entry: AccessEntry = {
    principalArn,
    arn: `arn:aws:eks:${home.region}:${home.account}:access-entry/${cluster.plan.name}/${principalArn.split(':').slice(4).join('/')}/${randomUUID()}`,
    username: input.username ?? principalArn,
    groups: input.kubernetesGroups ?? [],
    type: input.type ?? 'STANDARD',
    tags: input.tags ?? {},
    createdAt: new Date(home.clock.now()),
    policies: new Map(),
  };
  cluster.entries.set(principalArn, entry);
  return entry;
}

export function associate(home: Home, entry: AccessEntry, policyArn: string, scope: Eks.AccessScope | undefined): void {
  if (!(policyArn.slice(POLICY_PREFIX.length) in POLICIES))
    throw new AwsError('InvalidParameterException', `The policyArn parameter format is not valid: ${policyArn}`);
  if (!scope?.type) throw new AwsError('InvalidParameterException', 'accessScope.type is required');
  entry.policies.set(policyArn, {
    type: scope.type,
    namespaces: scope.namespaces ?? [],
    at: new Date(home.clock.now()),
  });
}

const describeEntry = (clusterName: string | undefined, entry: AccessEntry): Eks.AccessEntry => ({
  clusterName,
  principalArn: entry.principalArn,
  kubernetesGroups: [...entry.groups],
  accessEntryArn: entry.arn,
  createdAt: entry.createdAt,
  modifiedAt: entry.createdAt,
  tags: { ...entry.tags },
  username: entry.username,
  type: entry.type,
});

function describeCluster(home: Home, cluster: Cluster): Eks.Cluster {
  const { name, version, roleArn, network, authenticationMode, tags } = cluster.plan;
  return {
    name,
    arn: cluster.arn,
    createdAt: cluster.createdAt,
    version,
    roleArn,
    status: cluster.endpoint ? 'ACTIVE' : 'CREATING',
    endpoint: cluster.endpoint,
    certificateAuthority: { data: Buffer.from(home.certificateAuthority).toString('base64') },
    resourcesVpcConfig: {
      subnetIds: network.subnetIds,
      securityGroupIds: network.securityGroupIds,
      endpointPublicAccess: true,
      endpointPrivateAccess: network.endpointPrivateAccess ?? false,
    },
    accessConfig: { authenticationMode },
    platformVersion: 'eks.1',
    tags: { ...tags },
  };
}

function principalOf({ principal }: Call): string {
  return principal.kind === 'operator'
    ? principal.arn
    : principal.kind === 'role'
      ? principal.roleArn
      : principal.service;
}
