/** Managed node groups: their desired size is the number of nodes that the Kubernetes API shows. */
import { randomUUID } from 'node:crypto';
import type * as Eks from '@aws-sdk/client-eks';
import { type Access, AwsError, type Home, type Operation } from '../../kernel.ts';
import { operation, page } from '../declare.ts';
import { type Clusters, clusterArn, findCluster, type Nodegroup } from './cluster.ts';

type OfGroup = { clusterName?: string | undefined; nodegroupName?: string | undefined };

export function nodegroupOperations(home: Home, clusters: Clusters): Record<string, Operation> {
  const find = (input: OfGroup): Nodegroup => {
    const group = findCluster(clusters, input.clusterName).nodegroups.get(input.nodegroupName ?? '');
    if (!group)
      throw new AwsError('ResourceNotFoundException', `No node group found for name: ${input.nodegroupName}.`, {
        ...input,
      });
    return group;
  };
  const onGroup =
    (action: string) =>
    (input: OfGroup): Access => {
      const known = clusters.get(input.clusterName ?? '')?.nodegroups.get(input.nodegroupName ?? '');
      const arn =
        known?.arn ??
        `arn:aws:eks:${home.region}:${home.account}:nodegroup/${input.clusterName}/${input.nodegroupName}/*`;
      return { action: `eks:${action}`, resources: [arn] };
    };
  return {
    CreateNodegroup: operation<Eks.CreateNodegroupCommandInput, Eks.CreateNodegroupCommandOutput>(
      [
        'clusterName',
        'nodegroupName',
        'scalingConfig',
        'subnets',
        'nodeRole',
        'instanceTypes',
        'labels',
        'tags',
        'clientRequestToken',
      ],
      (input) => ({ action: 'eks:CreateNodegroup', resources: [clusterArn(home, input.clusterName)] }),
      (input) => {
        const cluster = findCluster(clusters, input.clusterName);
        const name = input.nodegroupName ?? '';
        if (cluster.nodegroups.has(name))
          throw new AwsError('ResourceInUseException', `NodeGroup already exists with name ${name}`, {
            clusterName: input.clusterName,
            nodegroupName: name,
          });
        const group: Nodegroup = {
          name,
          arn: `arn:aws:eks:${home.region}:${home.account}:nodegroup/${cluster.plan.name}/${name}/${randomUUID()}`,
          nodeRole: input.nodeRole ?? '',
          subnets: input.subnets ?? [],
          instanceTypes: input.instanceTypes ?? ['t3.medium'],
          createdAt: new Date(home.clock.now()),
          scaling: checked({ minSize: 2, maxSize: 2, desiredSize: 2, ...input.scalingConfig }),
          labels: input.labels ?? {},
          tags: input.tags ?? {},
        };
        cluster.nodegroups.set(name, group);
        cluster.syncNodes();
        return { nodegroup: describe(cluster.plan.name, cluster.plan.version, group) };
      },
    ),
    DescribeNodegroup: operation<Eks.DescribeNodegroupCommandInput, Eks.DescribeNodegroupCommandOutput>(
      ['clusterName', 'nodegroupName'],
      onGroup('DescribeNodegroup'),
      (input) => ({
        nodegroup: describe(input.clusterName, findCluster(clusters, input.clusterName).plan.version, find(input)),
      }),
    ),
    ListNodegroups: operation<Eks.ListNodegroupsCommandInput, Eks.ListNodegroupsCommandOutput>(
      ['clusterName', 'maxResults', 'nextToken'],
      (input) => ({ action: 'eks:ListNodegroups', resources: [clusterArn(home, input.clusterName)] }),
      (input) => {
        const { items, next } = page(
          [...findCluster(clusters, input.clusterName).nodegroups.keys()],
          input.nextToken,
          input.maxResults ?? 100,
        );
        return { nodegroups: items, nextToken: next };
      },
    ),
    UpdateNodegroupConfig: operation<Eks.UpdateNodegroupConfigCommandInput, Eks.UpdateNodegroupConfigCommandOutput>(
      ['clusterName', 'nodegroupName', 'scalingConfig', 'clientRequestToken'],
      onGroup('UpdateNodegroupConfig'),
      (input) => {
        const group = find(input);
        group.scaling = checked({ ...group.scaling, ...input.scalingConfig });
        findCluster(clusters, input.clusterName).syncNodes();
        return {
          update: {
            id: randomUUID(),
            status: 'Successful',
            type: 'ConfigUpdate',
            createdAt: new Date(home.clock.now()),
            params: [{ type: 'DesiredSize', value: String(group.scaling.desiredSize) }],
            errors: [],
          },
        };
      },
    ),
    DeleteNodegroup: operation<Eks.DeleteNodegroupCommandInput, Eks.DeleteNodegroupCommandOutput>(
      ['clusterName', 'nodegroupName'],
      onGroup('DeleteNodegroup'),
      (input) => {
        const cluster = findCluster(clusters, input.clusterName);
        const group = find(input);
        cluster.nodegroups.delete(group.name);
        cluster.syncNodes();
        return { nodegroup: { ...describe(cluster.plan.name, cluster.plan.version, group), status: 'DELETING' } };
      },
    ),
  };
}

function checked({ minSize = 0, maxSize = 0, desiredSize = 0 }: Eks.NodegroupScalingConfig): Nodegroup['scaling'] {
  if (desiredSize < minSize)
    throw new AwsError(
      'InvalidParameterException',
      `desired capacity ${desiredSize} can't be less than minimum size ${minSize}`,
    );
  if (desiredSize > maxSize)
    throw new AwsError(
      'InvalidParameterException',
      `desired capacity ${desiredSize} can't be greater than maximum size ${maxSize}`,
    );
  return { minSize, maxSize, desiredSize };
}

const describe = (clusterName: string | undefined, version: string, group: Nodegroup): Eks.Nodegroup => ({
  clusterName,
  nodegroupName: group.name,
  nodegroupArn: group.arn,
  version,
  createdAt: group.createdAt,
  status: 'ACTIVE',
  scalingConfig: { ...group.scaling },
  subnets: [...group.subnets],
  instanceTypes: [...group.instanceTypes],
  nodeRole: group.nodeRole,
  labels: { ...group.labels },
  tags: { ...group.tags },
  health: { issues: [] },
});
