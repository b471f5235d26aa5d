/**
 * STOCKER Pro on the embedded cloud: what Terraform makes, the product's own stacks from cdk.out, the application with its
 * data. What a deployment on AWS does in hours (docs/deploy.md), in its order.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { Client } from 'pg';
import { configurationOf } from '../config/index.ts';
import { kubernetesGroup, namesOf } from '../config/names.ts';
import type { Configuration, Network } from '../config/schema.ts';
import { databaseAlarmPrefix } from '../core/incident/identifiers.ts';
import { scaledClock } from '../local/clock.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import type { Ec2Service } from '../local/services/ec2/network.ts';
import type { EksService } from '../local/services/eks/service.ts';
import type { Mail } from '../local/services/sns/delivery.ts';
import type { Sns } from '../local/services/sns/index.ts';
import { makeDump } from '../workload/database/dump.ts';
import { createStocker } from '../workload/database/schema.ts';
import { imageIn, stockerImage } from '../workload/infrastructure/deployment.ts';
import {
  type InstallationPlan,
  type Installed,
  keepDump,
  provision,
  writeParameters,
} from '../workload/infrastructure/provision.ts';
import {
  deploymentManifest,
  namespaceManifest,
  recoveryAccessManifests,
  serviceManifest,
} from '../workload/kubernetes/manifests.ts';
import { type Clients, clientsOf, invoke, type OperatorConnection, operatorOf } from './clients.ts';
import { synthesize } from './synthesize.ts';

export interface Installation {
  readonly configuration: Configuration;
  readonly cloud: Cloud;
  readonly connection: OperatorConnection;
  /** Clients of the primary Region. */
  readonly clients: Clients;
  readonly database: Installed;
  /** Base URL of the STOCKER API. */
  readonly apiUrl: string;
  stop(): Promise<void>;
}

export interface InstallationOptions {
  readonly environment: string;
  /** A synthesized assembly; without one, it is synthesized. */
  readonly assembly?: string;
  readonly rows: number;
  readonly clockFactor: number;
  readonly port?: number | undefined;
  /** Called when a stage ends, with its duration. */
  readonly onStage?: (name: string, seconds: number, result: string) => void;
  /** Called with the names of the stages that run now. */
  readonly onStart?: (names: readonly string[]) => void;
}

/** Builds everything; on failure nothing is left behind. */
export async function install(options: InstallationOptions): Promise<Installation> {
  const configuration = configurationOf(options.environment);
  const stage = stages(options);
  const cloud = await stage(
    'Start the cloud',
    () =>
      startCloud({
        assemblies: [],
        account: configuration.account,
        regions: [configuration.primary.region, configuration.dr.region],
        clock: scaledClock(options.clockFactor),
        images: {
          [stockerImage]: { command: [process.execPath, join(import.meta.dirname, '../workload/api/main.ts')] },
        },
        ...(options.port === undefined ? {} : { port: options.port }),
      }),
    ({ endpoint }) => endpoint,
  );
  try {
    const connection = operatorOf(cloud.endpoint);
    const clients = clientsOf(connection, configuration.primary.region);
    async function runStocker() {
      const database = await stage(
        'Create the database',
        () => createDatabase(configuration, cloud, connection, options.rows),
        () => `${configuration.database.identifier}, ${options.rows.toLocaleString('en')} stock movements`,
      );
      const apiUrl = await stage(
        'Start the application',
        () => startApplication(configuration, cloud, connection, database),
        (url) => url,
      );
      return { database, apiUrl };
    }
    async function makeAssembly() {
      const output = join(cloud.dataDirectory, 'cdk.out');
      const synthesized = () => 'both Regions, by the CDK';
      return (
        options.assembly ??
        stage('Synthesize', () => synthesize(options.environment, output, { validate: false }), synthesized)
      );
    }
    const [stocker, assembly] = await Promise.all([runStocker(), makeAssembly()]);
    await stage(
      'Deploy',
      async () => {
        const stacks = await cloud.deploy(assembly);
        await switchAlarmRule('DisableRule', configuration, cloud);
        return stacks;
      },
      (stacks) => stacks.map(({ name }) => name).join(', '),
    );
    await stage(
      'Prepare',
      async () => {
        await prepare(configuration, cloud, clients);
        return dumpDatabase({ configuration, cloud, connection, database: stocker.database });
      },
      (dump) => `active database registered, roles made, first baseline taken, ${dump} dumped`,
    );
    return { configuration, cloud, connection, clients, ...stocker, stop: () => cloud.stop() };
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

function stages({ onStage, onStart }: InstallationOptions) {
  const running = new Set<string>();
  return async <T>(name: string, run: () => Promise<T>, describe: (result: T) => string): Promise<T> => {
    const started = performance.now();
    onStart?.([...running.add(name)]);
    const result = await run();
    running.delete(name);
    onStage?.(name, (performance.now() - started) / 1000, describe(result));
    onStart?.([...running]);
    return result;
  };
}

/** Terraform's part: the network by its configured names, the database with its data. */
async function createDatabase(
  configuration: Configuration,
  cloud: Cloud,
  connection: OperatorConnection,
  rows: number,
): Promise<Installed> {
  const { database, primary, dr } = configuration;
  for (const network of [primary, dr]) registerNetwork(cloud, network);
  const password = () => randomBytes(18).toString('base64url');
  const installed = await provision(planOf(configuration), connection, { master: password(), application: password() });
  const master = await connect(installed, database.name, cloud.certificateAuthority);
  try {
    await createStocker(master, {
      movements: rows,
      role: installed.application.username,
      password: installed.application.password,
    });
  } finally {
    await master.end();
  }
  return installed;
}

/** What Terraform is told of this installation. */
export function planOf(configuration: Configuration): InstallationPlan {
  const { database, primary, dr, application, account, objectives, backup } = configuration;
  const regionPlan = (network: Network) => ({
    region: network.region,
    subnetIds: network.privateSubnetIds,
    securityGroupIds: network.databaseSecurityGroupIds,
    subnetGroup: network.databaseSubnetGroup,
    parameterGroup: network.databaseParameterGroup,
    dumpBucket: network.dumpBucket,
    stateBucket: network.terraformStateBucket,
  });
  const [applicationRole] = database.applicationRoles;
  if (!applicationRole) throw new Error('The configuration names no application role');
  return {
    primary: regionPlan(primary),
    dr: regionPlan(dr),
    cluster: application.deployment.cluster,
    account,
    stateKeys: backup.terraformStates,
    commitParameter: backup.commitParameter,
    database: {
      identifier: database.identifier,
      name: database.name,
      masterUsername: database.masterUsername,
      masterSecretName: database.masterSecretName,
      applicationRole: applicationRole.name,
      applicationSecretName: applicationRole.secretName,
      backupRetentionDays: objectives.automatedBackupRetentionDays,
      backupWindow: database.backupWindow,
      maintenanceWindow: database.maintenanceWindow,
    },
  };
}

/** The subnets and security groups that the configuration names. */
export function registerNetwork(cloud: Cloud, network: Network): void {
  const groups = [
    network.functionSecurityGroupId,
    network.isolatedSecurityGroupId,
    ...network.databaseSecurityGroupIds,
  ];
  (cloud.service('ec2', network.region) as Ec2Service).registerNetwork({
    vpcId: network.vpcId,
    subnets: network.privateSubnetIds.map((id, index) => ({
      id,
      availabilityZone: `${network.region}${'ab'[index % 2]}`,
    })),
    securityGroups: groups.map((id) => ({ id, name: id })),
  });
}

/** A session of the master user, verified against the cloud's authority. */
export async function connect(
  database: Pick<Installed, 'address' | 'port' | 'master'>,
  name: string,
  authority: string,
): Promise<Client> {
  const client = new Client({
    host: database.address,
    port: database.port,
    database: name,
    user: database.master.username,
    password: database.master.password,
    ssl: { ca: authority },
  });
  await client.connect();
  return client;
}

/** What follows a deployment (docs/deploy.md): who is production, the product's schema and roles, a first baseline to validate against, and a click on SNS's link. */
async function prepare(configuration: Configuration, cloud: Cloud, clients: Clients): Promise<void> {
  const { lambda } = clients;
  const names = namesOf(configuration);
  await invoke(lambda, names.lambda('database/register-database'), { identifier: configuration.database.identifier });
  await invoke(lambda, names.lambda('database/prepare-database'), {});
  await invoke(lambda, names.lambda('database/look-for-damage'), {});
  await confirmSubscriptions(cloud);
  await alarmsRest(configuration, clients);
  await switchAlarmRule('EnableRule', configuration, cloud);
}

/** Every link in SNS's mails is opened. */
export async function confirmSubscriptions(cloud: Cloud): Promise<void> {
  for (const region of cloud.regions)
    for (const { topicArn, token } of mailServer(cloud, region).pendingConfirmations())
      await cloud.call('sns', 'ConfirmSubscription', { TopicArn: topicArn, Token: token }, region);
}

/** What the nightly CronJob of the plan does; returns the name of the dump. */
export async function dumpDatabase({
  configuration,
  cloud,
  connection,
  database,
}: Pick<Installation, 'configuration' | 'cloud' | 'connection' | 'database'>): Promise<string> {
  const { primary, dr } = configuration;
  const { name, dumpPrefix } = configuration.database;
  const session = await connect(database, name, cloud.certificateAuthority);
  const dump = await makeDump(session).finally(() => session.end());
  await keepDump(dump, [primary, dr], dumpPrefix, connection);
  return dump.name;
}

/**
 * Until production is registered and prepared nothing beats, and the alarm of the heartbeat rings. Triage ignores what rang
 * before the registration; but on a scaled clock three silent minutes are shorter than what lies between registration and
 * the first beat, so it may ring after it as well, and its recovery of a database that nobody has lost would be started.
 */
export const switchAlarmRule = (
  operation: 'DisableRule' | 'EnableRule',
  configuration: Configuration,
  cloud: Pick<Cloud, 'call'>,
) => {
  const Name = `${namesOf(configuration).prefix}-database-alarm`;
  return cloud.call('eventbridge', operation, { Name }, configuration.primary.region);
};

async function alarmsRest(configuration: Configuration, { cloudwatch }: Clients): Promise<void> {
  const AlarmNamePrefix = databaseAlarmPrefix(configuration.environment);
  for (const until = performance.now() + 60_000; performance.now() < until; await sleep(100)) {
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix }));
    if (MetricAlarms.every(({ StateValue }) => StateValue === 'OK')) return;
  }
  throw new Error('The alarms of the database did not come to rest within 60 s');
}

const mailServer = (cloud: Cloud, region: string) => cloud.service('sns', region) as Sns;

/** Every email that the installation's topics have delivered, oldest first. */
export const mailsOf = ({ cloud }: Pick<Installation, 'cloud'>): readonly Mail[] =>
  cloud.regions.flatMap((region) => mailServer(cloud, region).mailbox()).sort((a, b) => a.at - b.at);

async function startApplication(
  configuration: Configuration,
  cloud: Cloud,
  connection: OperatorConnection,
  database: Installed,
): Promise<string> {
  const { application, canary, primary, account } = configuration;
  const image = imageIn(account, primary.region);
  const authorityFile = join(cloud.dataDirectory, 'database-ca.pem');
  writeFileSync(authorityFile, cloud.certificateAuthority);
  await writeParameters(primary.region, connection, {
    [application.databaseEndpointParameter]: JSON.stringify({ address: database.address, port: database.port }),
    [canary.databaseEndpointParameter]: 'none',
  });
  const { cluster, namespace } = application.deployment;
  const kubernetes = (cloud.service('eks', primary.region) as EksService).kubernetes(cluster);
  await kubernetes.apply(namespaceManifest(namespace));
  for (const manifest of recoveryAccessManifests(namespace, kubernetesGroup)) await kubernetes.apply(manifest);
  const urls = await Promise.all(
    [application, canary].map(async (target) => {
      const environment = {
        DATABASE_ENDPOINT_PARAMETER: target.databaseEndpointParameter,
        DATABASE_SECRET: configuration.database.applicationRoles[0]?.secretName ?? '',
        DATABASE_NAME: configuration.database.name,
        DATABASE_CA_FILE: authorityFile,
      };
      const { name } = target.deployment;
      await kubernetes.apply(deploymentManifest({ namespace, name, replicas: 1, image, environment }));
      await kubernetes.apply(serviceManifest({ namespace, name }));
      return kubernetes.address(namespace, name);
    }),
  );
  const [apiUrl, canaryUrl] = urls as [string, string];
  await writeParameters(primary.region, connection, {
    [application.urlParameter]: apiUrl,
    [canary.urlParameter]: canaryUrl,
  });
  return apiUrl;
}
