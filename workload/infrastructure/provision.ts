/** What STOCKER Pro's Terraform and pipeline make: the database and its groups, secrets, parameters, the cluster, images. Through the SDK, in one Region or both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateRepositoryCommand,
  ECRClient,
  PutImageCommand,
  PutReplicationConfigurationCommand,
} from '@aws-sdk/client-ecr';
import { CreateClusterCommand, CreateNodegroupCommand, EKSClient } from '@aws-sdk/client-eks';
import {
  CreateDBInstanceCommand,
  type CreateDBInstanceCommandInput,
  CreateDBParameterGroupCommand,
  CreateDBSubnetGroupCommand,
  type DBInstance,
  DescribeDBInstancesCommand,
  DescribeEventsCommand,
  ModifyDBParameterGroupCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Dump } from '../database/dump.ts';
import { bucketIn, deployedCommit, imageCalls, stateCalls } from './deployment.ts';

/** Where clients connect; `endpoint` is the embedded cloud's, absent on AWS. */
export interface Connection {
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface RegionPlan {
  readonly region: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly subnetGroup: string;
  readonly parameterGroup: string;
  /** For the nightly dumps. */
  readonly dumpBucket: string;
  /** For Terraform's states. */
  readonly stateBucket: string;
}

export interface InstallationPlan {
  readonly primary: RegionPlan;
  readonly dr: RegionPlan;
  readonly cluster: string;
  /** Nodes of the cluster in the DR Region: a pilot light. */
  readonly standbyNodes: number;
  readonly account: string;
  /** Where the drill's cluster and its roles are, where that is another account. */
  readonly drillAccount?: string | undefined;
  readonly environment: string;
  /** Keys of Terraform's states in the bucket of each Region. */
  readonly stateKeys: readonly string[];
  /** Table of Terraform's locks, in each Region. */
  readonly lockTable: string;
  /** Parameter that holds the commit that is deployed. */
  readonly commitParameter: string;
  readonly database: {
    readonly identifier: string;
    /** In the DR Region. */
    readonly replicaIdentifier: string;
    readonly name: string;
    readonly masterUsername: string;
    readonly masterSecretName: string;
    readonly applicationRole: string;
    readonly applicationSecretName: string;
    readonly backupRetentionDays: number;
    readonly backupWindow: string;
    readonly maintenanceWindow: string;
  };
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The database as it stands after provisioning, and the logins that were made for it. */
export interface Installed {
  readonly address: string;
  readonly port: number;
  readonly master: Login;
  readonly application: Login;
}

/** The newest PostgreSQL family that RDS and the embedded cloud share. */
const engineVersion = '18';

/** Makes everything and waits until the database is available. */
export async function provision(
  plan: InstallationPlan,
  connection: Connection,
  passwords: { master: string; application: string },
): Promise<Installed> {
  const { database } = plan;
  const master = { username: database.masterUsername, password: passwords.master };
  const application = { username: database.applicationRole, password: passwords.application };
  const regions = [plan.primary, plan.dr];
  await Promise.all(regions.map((region) => makeGroups(region, connection)));
  const [instance] = await Promise.all([
    makeDatabase(plan, connection, master),
    makeSecrets(plan, connection, {
      [database.masterSecretName]: master,
      [database.applicationSecretName]: application,
    }),
    ...regions.map((region) => makeCluster(plan, region, connection)),
    ...regions.map((region) => makeBuckets(region, plan.stateKeys, connection)),
    ...regions.map(({ region }) => makeLockTable(region, plan.lockTable, connection)),
    ...regions.map(({ region }) => writeParameters(region, connection, { [plan.commitParameter]: deployedCommit })),
    makeImage(plan, connection),
  ]);
  const { Address, Port } = instance.Endpoint ?? {};
  if (Address === undefined || Port === undefined)
    throw new Error(`${database.identifier} is available without an endpoint`);
  return { address: Address, port: Port, master, application };
}

async function makeGroups(
  { region, subnetGroup, parameterGroup, subnetIds }: RegionPlan,
  connection: Connection,
): Promise<void> {
  const rds = new RDSClient({ ...connection, region });
  const groups = groupsOf({ subnetGroup, parameterGroup, subnetIds });
  await rds.send(new CreateDBSubnetGroupCommand(groups.subnets));
  await rds.send(new CreateDBParameterGroupCommand(groups.parameters));
  await rds.send(new ModifyDBParameterGroupCommand(groups.values));
}

/** What CreateDBSubnetGroup, CreateDBParameterGroup and ModifyDBParameterGroup are asked. */
export function groupsOf({
  subnetGroup,
  parameterGroup,
  subnetIds,
}: Pick<RegionPlan, 'subnetGroup' | 'parameterGroup' | 'subnetIds'>) {
  const parameter = (ParameterName: string, ParameterValue: string) => ({
    ParameterName,
    ParameterValue,
    ApplyMethod: 'pending-reboot' as const,
  });
  return {
    subnets: {
      DBSubnetGroupName: subnetGroup,
      DBSubnetGroupDescription: 'STOCKER Pro',
      SubnetIds: [...subnetIds],
    },
    parameters: {
      DBParameterGroupName: parameterGroup,
      DBParameterGroupFamily: `postgres${engineVersion}`,
      Description: 'STOCKER Pro',
    },
    values: {
      DBParameterGroupName: parameterGroup,
      Parameters: [
        parameter('rds.force_ssl', '1'),
        parameter('track_commit_timestamp', '1'),
        parameter('log_min_duration_statement', '1000'),
      ],
    },
  };
}

async function makeDatabase(plan: InstallationPlan, connection: Connection, master: Login): Promise<DBInstance> {
  const rds = new RDSClient({ ...connection, region: plan.primary.region });
  await rds.send(new CreateDBInstanceCommand(instanceOf(plan, master)));
  for (;;) {
    const { DBInstances } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: plan.database.identifier }),
    );
    const instance = DBInstances?.[0];
    if (instance?.DBInstanceStatus === 'available') return instance;
    if (instance?.DBInstanceStatus === 'failed') throw new Error(await whyNot(rds, plan.database.identifier));
    await sleep(50);
  }
}

/** What the service itself says of an instance that it could not make. */
async function whyNot(rds: RDSClient, identifier: string): Promise<string> {
  const { Events } = await rds.send(
    new DescribeEventsCommand({ SourceType: 'db-instance', SourceIdentifier: identifier, Duration: 60 }),
  );
  return `${identifier} could not be created: ${Events?.at(-1)?.Message ?? 'there is no event that says why'}`;
}

/** What CreateDBInstance is asked. */
export function instanceOf(
  { database, primary }: Pick<InstallationPlan, 'database' | 'primary'>,
  master: Login,
): CreateDBInstanceCommandInput {
  return {
    DBInstanceIdentifier: database.identifier,
    DBName: database.name,
    Engine: 'postgres',
    DBInstanceClass: 'db.r6g.large',
    AllocatedStorage: 100,
    StorageType: 'gp3',
    StorageEncrypted: true,
    MultiAZ: true,
    MasterUsername: master.username,
    MasterUserPassword: master.password,
    DBSubnetGroupName: primary.subnetGroup,
    DBParameterGroupName: primary.parameterGroup,
    VpcSecurityGroupIds: [...primary.securityGroupIds],
    BackupRetentionPeriod: database.backupRetentionDays,
    PreferredBackupWindow: database.backupWindow,
    PreferredMaintenanceWindow: database.maintenanceWindow,
    DeletionProtection: true,
    CopyTagsToSnapshot: true,
    PubliclyAccessible: false,
    EnableCloudwatchLogsExports: ['postgresql'],
    Tags: [
      { Key: 'application', Value: 'stocker-pro' },
      { Key: 'managed-by', Value: 'terraform' },
    ],
  };
}

async function makeSecrets(
  plan: InstallationPlan,
  connection: Connection,
  secrets: Readonly<Record<string, Login>>,
): Promise<void> {
  const client = new SecretsManagerClient({ ...connection, region: plan.primary.region });
  for (const [Name, login] of Object.entries(secrets))
    await client.send(
      new CreateSecretCommand({
        Name,
        SecretString: JSON.stringify(login),
        AddReplicaRegions: [{ Region: plan.dr.region }],
      }),
    );
}

async function makeCluster(
  plan: InstallationPlan,
  { region, subnetIds }: RegionPlan,
  connection: Connection,
): Promise<void> {
  const standsBy = region === plan.dr.region;
  const sizes = standsBy ? { minSize: 1, desiredSize: plan.standbyNodes } : { minSize: 2, desiredSize: 2 };
  const eks = new EKSClient({ ...connection, region });
  await eks.send(
    new CreateClusterCommand({
      name: plan.cluster,
      roleArn: `arn:aws:iam::${plan.account}:role/${plan.cluster}-cluster`,
      resourcesVpcConfig: { subnetIds: [...subnetIds] },
      accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true },
    }),
  );
  await eks.send(
    new CreateNodegroupCommand({
      clusterName: plan.cluster,
      nodegroupName: 'general',
      nodeRole: `arn:aws:iam::${plan.account}:role/${plan.cluster}-node`,
      subnets: [...subnetIds],
      scalingConfig: { ...sizes, maxSize: 4 },
    }),
  );
}

async function makeBuckets(
  { region, dumpBucket, stateBucket }: RegionPlan,
  stateKeys: readonly string[],
  connection: Connection,
): Promise<void> {
  const s3 = storageOf(region, connection);
  const state = stateCalls(region, stateBucket, stateKeys);
  await s3.send(new CreateBucketCommand(bucketIn(region, dumpBucket)));
  await s3.send(new CreateBucketCommand(state.bucket));
  await s3.send(new PutBucketVersioningCommand(state.versioning));
  for (const object of [...state.objects, state.terraform]) await s3.send(new PutObjectCommand(object));
}

async function makeLockTable(region: string, TableName: string, connection: Connection): Promise<void> {
  await new DynamoDBClient({ ...connection, region }).send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    }),
  );
}

async function makeImage({ account, primary, dr }: InstallationPlan, connection: Connection): Promise<void> {
  const ecr = new ECRClient({ ...connection, region: primary.region });
  const { repository, replication, image } = imageCalls(account, dr.region);
  await ecr.send(new CreateRepositoryCommand(repository));
  await ecr.send(new PutReplicationConfigurationCommand(replication));
  await ecr.send(new PutImageCommand(image));
}

/** Where the nightly CronJob puts its dump: in the bucket of each Region, as replication would. */
export async function keepDump(
  { name, file }: Dump,
  regions: readonly Pick<RegionPlan, 'region' | 'dumpBucket'>[],
  prefix: string,
  connection: Connection,
): Promise<void> {
  for (const { region, dumpBucket: Bucket } of regions)
    await storageOf(region, connection).send(new PutObjectCommand({ Bucket, Key: prefix + name, Body: file }));
}

/** Terraform's state of what was made here: without it, a plan would know nothing to destroy. */
export async function keepState(
  region: string,
  Bucket: string,
  Key: string,
  resources: readonly object[],
  connection: Connection,
): Promise<void> {
  const [object] = stateCalls(region, Bucket, [Key], resources).objects;
  if (object) await storageOf(region, connection).send(new PutObjectCommand(object));
}

const storageOf = (region: string, connection: Connection): S3Client =>
  new S3Client({ ...connection, region, forcePathStyle: connection.endpoint !== undefined });

/** Writes parameters that deployments and the recovery read. */
export async function writeParameters(
  region: string,
  connection: Connection,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const ssm = new SSMClient({ ...connection, region });
  await Promise.all(
    Object.entries(parameters).map(([Name, Value]) =>
      ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true })),
    ),
  );
}
