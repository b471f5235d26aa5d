/** What the Terraform stand-in can look at and make: a cluster, its node groups, and a database, which it looks at, takes over and sets right. */
import {
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  EKSClient,
  UpdateNodegroupConfigCommand,
} from '@aws-sdk/client-eks';
import {
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { ToolError } from './arguments.ts';

export interface Desired {
  readonly address: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of resources of every type
  readonly values: Readonly<Record<string, any>>;
}
export type Actual = Readonly<Record<string, unknown>>;

interface Handler {
  /** Arguments that say which resource it is: as `terraform import` takes them, joined by colons. */
  readonly identity: readonly string[];
  /** Undefined: there is no such resource. */
  read(values: Desired['values']): Promise<Actual | undefined>;
  differs(actual: Actual, values: Desired['values']): boolean;
  create(values: Desired['values']): Promise<unknown>;
  update(values: Desired['values'], actual: Actual): Promise<unknown>;
  remove(values: Desired['values']): Promise<unknown>;
}

const eks = new EKSClient({});
const rds = new RDSClient({});

async function found<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof Error && /NotFound/.test(error.name)) return undefined;
    throw error;
  }
}

const cluster: Handler = {
  identity: ['name'],
  async read({ name }) {
    const answer = await found(eks.send(new DescribeClusterCommand({ name })));
    return answer && { name, role_arn: answer.cluster?.roleArn, tags: answer.cluster?.tags ?? {} };
  },
  differs: (actual, values) => actual.name !== values.name || actual.role_arn !== values.role_arn,
  create: ({ name, role_arn: roleArn, subnet_ids: subnetIds, tags }) =>
    eks.send(
      new CreateClusterCommand({
        name,
        roleArn,
        resourcesVpcConfig: { subnetIds },
        accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true },
        ...(tags && { tags }),
      }),
    ),
  update: async (_, { name }) => {
    throw new ToolError(`STAND-IN: name and role of the cluster ${name} cannot be changed in place`);
  },
  remove: ({ name }) => eks.send(new DeleteClusterCommand({ name })),
};

const nodeGroup: Handler = {
  identity: ['cluster_name', 'node_group_name'],
  async read({ cluster_name: clusterName, node_group_name: nodegroupName }) {
    const answer = await found(eks.send(new DescribeNodegroupCommand({ clusterName, nodegroupName })));
    const { minSize, maxSize } = answer?.nodegroup?.scalingConfig ?? {};
    return (
      answer && { node_group_name: nodegroupName, cluster_name: clusterName, min_size: minSize, max_size: maxSize }
    );
  },
  // The desired size belongs to whoever scales the group: `ignore_changes` in the configuration.
  differs: (actual, values) => actual.min_size !== values.min_size || actual.max_size !== values.max_size,
  create: (values) =>
    eks.send(
      new CreateNodegroupCommand({
        clusterName: values.cluster_name,
        nodegroupName: values.node_group_name,
        nodeRole: values.node_role_arn,
        subnets: values.subnet_ids,
        scalingConfig: { minSize: values.min_size, maxSize: values.max_size, desiredSize: values.desired_size },
      }),
    ),
  update: (values) =>
    eks.send(
      new UpdateNodegroupConfigCommand({
        clusterName: values.cluster_name,
        nodegroupName: values.node_group_name,
        scalingConfig: { minSize: values.min_size, maxSize: values.max_size },
      }),
    ),
  remove: ({ cluster_name: clusterName, node_group_name: nodegroupName }) =>
    eks.send(new DeleteNodegroupCommand({ clusterName, nodegroupName })),
};

const database: Handler = {
  identity: ['identifier'],
  async read({ identifier }) {
    const answer = await found(rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })));
    const [instance] = answer?.DBInstances ?? [];
    return (
      instance && {
        identifier,
        deletion_protection: instance.DeletionProtection,
        backup_retention_period: instance.BackupRetentionPeriod,
      }
    );
  },
  differs: (actual, values) =>
    actual.identifier !== values.identifier ||
    actual.deletion_protection !== values.deletion_protection ||
    actual.backup_retention_period !== values.backup_retention_period,
  create: async ({ identifier }) => {
    throw new ToolError(`STAND-IN: ${identifier} would be created empty; this stand-in makes no databases`);
  },
  update: async (values, actual) => {
    if (values.identifier !== actual.identifier)
      throw new ToolError(`STAND-IN: this stand-in does not rename ${actual.identifier} to ${values.identifier}`);
    await rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: values.identifier,
        DeletionProtection: values.deletion_protection,
        BackupRetentionPeriod: values.backup_retention_period,
        ApplyImmediately: true,
      }),
    );
  },
  remove: ({ identifier }) =>
    rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: identifier, SkipFinalSnapshot: true })),
};

const handlers: Readonly<Record<string, Handler>> = {
  aws_eks_cluster: cluster,
  aws_eks_node_group: nodeGroup,
  aws_db_instance: database,
};

export function handlerOf(type: string): Handler {
  const handler = handlers[type];
  if (handler === undefined) throw new ToolError(`STAND-IN: this stand-in knows no ${type}`);
  return handler;
}
