/**
 * STOCKER Pro on the embedded cloud: what Terraform makes, the product's own stacks from cdk.out, the application with its
 * data. What a deployment on AWS does in hours (docs/deploy.md), in its order.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { Client } from 'pg';
import { configurationOf } from '../config/index.ts';
import { namesOf } from '../config/names.ts';
import type { Configuration, Network } from '../config/schema.ts';
import { databaseAlarmPrefix } from '../core/incident/identifiers.ts';
import { scaledClock } from '../local/clock.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import type { Ec2Service } from '../local/services/ec2/network.ts';
import type { Mail } from '../local/services/sns/delivery.ts';
import type { Sns } from '../local/services/sns/index.ts';
import { machineWorld } from '../local/world.ts';
import { makeDump } from '../workload/database/dump.ts';
import { createStocker } from '../workload/database/schema.ts';
import { stockerImage } from '../workload/infrastructure/deployment.ts';
import { makeDrillAccount } from '../workload/infrastructure/drill-account.ts';
import { type InstallationPlan, type Installed, keepDump, provision } from '../workload/infrastructure/provision.ts';
import { makeReplica } from '../workload/infrastructure/standby.ts';
import { startApplications } from './applications.ts';
import { type Clients, clientsOf, invoke, type OperatorConnection, operatorOf } from './clients.ts';
import { synthesize } from './synthesize.ts';
import { leadTraffic, type Traffic } from './traffic.ts';

const root = join(import.meta.dirname, '..');

export interface Installation {
  readonly configuration: Configuration;
  readonly cloud: Cloud;
  readonly connection: OperatorConnection;
  /** Clients of the primary Region. */
  readonly clients: Clients;
  readonly database: Installed;
  /** Base URL of the STOCKER API in the primary Region. */
  readonly apiUrl: string;
  /** How clients find it. */
  readonly traffic: Traffic;
  stop(): Promise<void>;
}

export interface InstallationOptions {
  readonly environment: string;
  /** A synthesized assembly; without one, it is synthesized. */
  readonly assembly?: string;
  readonly rows: number;
  readonly clockFactor: number;
  readonly port?: number | undefined;
  /**
   * Whether the DR Region stands by: with its read replica, where the configuration has one, and with what watches the
   * primary and guards it every minute. A second of a core per minute; what is not about Regions does without.
   */
  readonly standby?: boolean;
  /** Whether the standby has its read replica, where the configuration has one; by default it has. */
  readonly replica?: boolean;
  /** Whether functions share a thread: faster, and without their limits of memory. */
  readonly sharesThread?: boolean;
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
        accounts: [configuration.cluster.drillAccount?.id ?? []].flat(),
        regions: [configuration.primary.region, configuration.dr.region],
        world: machineWorld(scaledClock(options.clockFactor), { sharesThread: options.sharesThread ?? false }),
        images: {
          [stockerImage]: {
            command: [process.execPath, join(root, 'workload/api/main.ts')],
            env: { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') },
          },
        },
        tools: join(root, 'local/tools'),
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
      await prepareDrillAccount(configuration, cloud);
      const urls = await stage(
        'Start the application',
        () => startApplications({ configuration, plan: planOf(configuration), cloud, connection }, database),
        ({ apiUrl }) => apiUrl,
      );
      return { database, ...urls };
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
        if (!options.standby) await standDown(configuration, cloud);
        return stacks;
      },
      (stacks) => stacks.map(({ name }) => name).join(', '),
    );
    const [traffic] = await Promise.all([
      stage(
        'Lead traffic',
        () => leadTraffic(configuration, cloud, connection, stocker),
        ({ url }) => url,
      ),
      stage(
        'Prepare',
        async () => {
          await prepare(configuration, cloud, clients);
          return dumpDatabase({ configuration, cloud, connection, database: stocker.database });
        },
        (dump) => `active database registered, roles made, first baseline taken, ${dump} dumped`,
      ),
    ]);
    if (configuration.database.regionProtection === 'replica' && options.standby && options.replica !== false)
      await stage(
        'Replicate',
        () => makeReplica(planOf(configuration), connection),
        (identifier) => `${identifier} follows in ${configuration.dr.region}`,
      );
    return { configuration, cloud, connection, clients, ...stocker, traffic, stop: () => cloud.stop() };
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
    standbyNodes: 1,
    environment: configuration.environment,
    account,
    drillAccount: configuration.cluster.drillAccount?.id,
    stateKeys: backup.terraformStates,
    lockTable: configuration.cluster.lockTable,
    commitParameter: backup.commitParameter,
    database: {
      identifier: database.identifier,
      replicaIdentifier: database.replicaIdentifier,
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

/** What whoever operates the account of drills makes there, where the configuration names one. */
export async function prepareDrillAccount(configuration: Configuration, cloud: Pick<Cloud, 'call'>): Promise<void> {
  const { cluster, primary, dr } = configuration;
  const { drill, drillAccount, lockTable } = cluster;
  if (drillAccount === undefined) return;
  const { id, roleArn, stateBuckets } = drillAccount;
  const plan = {
    ...planOf(configuration),
    ...{ id, roleArn, lockTable, drillCluster: drill.cluster, stateKey: drill.stateKey },
    endpointParameter: configuration.canary.databaseEndpointParameter,
    secretName: configuration.database.applicationRoles[0]?.secretName ?? '',
    states: [
      { region: primary.region, bucket: stateBuckets.primary },
      { region: dr.region, bucket: stateBuckets.dr },
    ],
  };
  await makeDrillAccount(plan, (...asked) => cloud.call(...asked, id));
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
  const rested = alarmsRest(cloud.clock.factor, configuration, clients).then(() =>
    switchAlarmRule('EnableRule', configuration, cloud),
  );
  // Minutes on the real clock, which nobody spends who only looks: alarms start recoveries from then on.
  if (cloud.clock.factor > 1) await rested;
  else rested.catch(() => undefined); // the cloud was stopped before
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

/** Nothing looks at the other Region, and nothing rings because nobody does. */
async function standDown(configuration: Configuration, cloud: Cloud): Promise<void> {
  const names = namesOf(configuration);
  const stop = async (region: string, watches: readonly string[]) => {
    for (const watch of watches)
      await cloud.call('scheduler', 'DeleteSchedule', { Name: names.schedule(`region-${watch}`) }, region);
    const AlarmNames = watches.map((watch) => names.alarm(`region-${watch}-silent`));
    await cloud.call('cloudwatch', 'DeleteAlarms', { AlarmNames }, region);
  };
  await stop(configuration.primary.region, ['guard']);
  await stop(configuration.dr.region, ['guard', 'probe', 'latch']);
}

/** Some minutes of the cloud's, and one for a machine that is busy. */
async function alarmsRest(factor: number, configuration: Configuration, { cloudwatch }: Clients): Promise<void> {
  const AlarmNamePrefix = databaseAlarmPrefix(configuration.environment);
  const limitMs = 60_000 + 600_000 / factor;
  for (const until = performance.now() + limitMs; performance.now() < until; await sleep(100)) {
    const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix }));
    if (MetricAlarms.every(({ StateValue }) => StateValue === 'OK')) return;
  }
  throw new Error(`The alarms of the database did not come to rest within ${Math.round(limitMs / 1000)} s`);
}

const mailServer = (cloud: Cloud, region: string) => cloud.service('sns', region) as Sns;

/** Every email that the installation's topics have delivered, oldest first. */
export const mailsOf = ({ cloud }: Pick<Installation, 'cloud'>): readonly Mail[] =>
  cloud.regions.flatMap((region) => mailServer(cloud, region).mailbox()).sort((a, b) => a.at - b.at);
