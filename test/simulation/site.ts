/** STOCKER Pro with the product deployed, inside this process, on a virtual clock: everything from one seed. */
import { gzipSync } from 'node:zlib';
import { planOf, registerNetwork } from '../../cli/installation.ts';
import { kubernetesGroup, namesOf } from '../../config/names.ts';
import type { Configuration } from '../../config/schema.ts';
import { databaseAlarmPrefix } from '../../core/incident/identifiers.ts';
import { type Cloud, startCloud } from '../../local/cloud.ts';
import type { ServiceName } from '../../local/kernel.ts';
import { openModelledEngine } from '../../local/postgres-model/engine.ts';
import type { ModelledServer } from '../../local/postgres-model/server.ts';
import type { EksService } from '../../local/services/eks/service.ts';
import type { Sns } from '../../local/services/sns/index.ts';
import { VirtualWorld } from '../../local/virtual/world.ts';
import {
  bucketIn,
  deployedCommit,
  imageCalls,
  imageIn,
  stateCalls,
  stockerImage,
} from '../../workload/infrastructure/deployment.ts';
import { groupsOf, instanceOf } from '../../workload/infrastructure/provision.ts';
import {
  deploymentManifest,
  namespaceManifest,
  recoveryAccessManifests,
  serviceManifest,
} from '../../workload/kubernetes/manifests.ts';
import { serveApplication } from './application.ts';
import { Conditions } from './conditions.ts';
import { type DurationName, draw } from './durations.ts';
import { Draw } from './random.ts';
import { restWatches } from './resting.ts';
import { leadTraffic, makeReplica, replicateBackups, type Urls } from './standby.ts';

export interface SiteOptions {
  readonly configuration: Configuration;
  /** A synthesized assembly. */
  readonly assembly: string;
  readonly seed: number;
  /** Milliseconds by which the DR Region's clock is ahead. */
  readonly skewMs?: number;
  /** Where the cloud's files are, in a directory of their own. */
  readonly directory: string;
  /** Between two probes of the application's pods, in seconds; a minute where nothing is said. */
  readonly probeSeconds?: number;
  /** Whether the DR Region stands by: replica, zone, and what watches from there. */
  readonly standby?: boolean;
  /** Whether the sentinel looks only once, when production has been prepared: a look is forty statements. */
  readonly looksOnce?: boolean;
  /** Told whenever something changes that decides who may write where. */
  readonly onDatabaseChange?: () => void;
}

const start = Date.UTC(2026, 10, 3, 8, 0, 0);
const [second, minute] = [1000, 60_000];
const patience = 24 * 60 * minute;

/** A time in which a service worked, in milliseconds of the virtual clock. */
export interface ServiceTime {
  readonly what: DurationName;
  readonly from: number;
  readonly until: number;
}

type SiteParts = Pick<
  Site,
  'configuration' | 'world' | 'cloud' | 'databases' | 'serviceTimes' | 'logUploads' | 'conditions' | 'standsBy'
>;

export class Site {
  readonly configuration: Configuration;
  readonly names: ReturnType<typeof namesOf>;
  readonly world: VirtualWorld;
  readonly cloud: Cloud;
  readonly databases: readonly ModelledServer[];
  readonly serviceTimes: readonly ServiceTime[];
  /** When RDS began to upload a database's log, which it does every five minutes. */
  readonly logUploads: readonly number[];
  readonly conditions: Conditions;
  /** Whether the DR Region stands by. */
  readonly standsBy: boolean;
  /** Base URL of the application. */
  apiUrl = '';
  /** From when on a restored copy holds what recoveries ask of it. */
  preparedAt = 0;
  readonly passwords = { master: 'simulated-master-password', application: 'simulated-application-password' };

  private constructor(parts: SiteParts) {
    this.configuration = parts.configuration;
    this.names = namesOf(parts.configuration);
    this.world = parts.world;
    this.cloud = parts.cloud;
    this.databases = parts.databases;
    this.serviceTimes = parts.serviceTimes;
    this.logUploads = parts.logUploads;
    this.conditions = parts.conditions;
    this.standsBy = parts.standsBy;
  }

  /** Everything deployed, prepared and quiet. */
  static async open(options: SiteOptions): Promise<Site> {
    const { configuration, seed, skewMs = 0, onDatabaseChange = () => {}, standby: standsBy = false } = options;
    const conditions = new Conditions();
    const chance = new Draw(seed, 'durations');
    const databases: ModelledServer[] = [];
    const serviceTimes: ServiceTime[] = [];
    const logUploads: number[] = [];
    const uploads = () => {
      logUploads.push(world.clock.now());
      return 100;
    };
    const takes = (what: DurationName) => {
      const ms = (what === 'promote' ? conditions.promotionMs : undefined) ?? draw(what, chance);
      const now = world.clock.now();
      serviceTimes.push({ what, from: now, until: now + ms });
      return ms;
    };
    const world: VirtualWorld = new VirtualWorld({
      start,
      random: new Draw(seed, 'world').next,
      skewMs: { [configuration.dr.region]: skewMs },
      latencies: {
        request: () => draw('request', chance),
        coldStart: () => draw('coldStart', chance),
        containerStart: () => takes('containerStart'),
      },
      ...(standsBy && { networkOf: (name, network) => conditions.seenBy(name, network, world.clock) }),
      openEngine: async ({ clock, network }) =>
        openModelledEngine({
          clock,
          network,
          lagMs: () => draw('replicaLag', chance),
          durations: (operation) => (operation === 'mark' ? uploads() : takes(operation)),
          onServer(server) {
            server.onChange = onDatabaseChange;
            databases.push(server);
          },
        }),
    });
    const wiring = {
      parameter: async (Name: string, region: string) =>
        (await site.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name }, region)).Parameter.Value,
      secret: async (SecretId: string, region: string) =>
        JSON.parse(
          (await site.call<{ SecretString: string }>('secrets-manager', 'GetSecretValue', { SecretId }, region))
            .SecretString,
        ),
      database: (port: number) => databases.find((each) => each.port === port),
    };
    const cloud = await world.clock.run(
      startCloud({
        assemblies: [],
        account: configuration.account,
        regions: [configuration.primary.region, configuration.dr.region],
        images: { [stockerImage]: { serve: serveApplication(wiring) } },
        directory: options.directory,
        world,
      }),
      minute,
    );
    const site: Site = new Site({
      configuration,
      world,
      cloud,
      databases,
      serviceTimes,
      logUploads,
      conditions,
      standsBy,
    });
    await site.run(site.#install(options), 4 * 60 * minute);
    return site;
  }

  /** As the account's operator, in the primary Region unless said otherwise. */
  call<O = Record<string, unknown>>(
    service: ServiceName,
    operation: string,
    input: object,
    region = this.configuration.primary.region,
  ): Promise<O> {
    return this.cloud.call<O>(service, operation, input, region);
  }

  run<T>(work: Promise<T>, limitMs = patience): Promise<T> {
    return this.world.clock.run(work, limitMs);
  }

  sleep(ms: number): Promise<void> {
    return this.world.clock.sleep(ms);
  }

  /** Invokes a function of the product, in the primary Region unless said otherwise. Throws what it threw, by name. */
  async invoke(name: string, payload: object, region?: string): Promise<unknown> {
    const input = { FunctionName: this.names.lambda(name), Payload: Buffer.from(JSON.stringify(payload)) };
    const answer = await this.call<{ Payload: Uint8Array; FunctionError?: string }>('lambda', 'Invoke', input, region);
    const body = JSON.parse(Buffer.from(answer.Payload).toString());
    if (answer.FunctionError === undefined) return body;
    throw Object.assign(new Error(`${name}: ${body.errorMessage}`), { name: body.errorType });
  }

  close(): Promise<void> {
    return this.run(this.cloud.stop(), 60 * minute);
  }

  async #install({ assembly, probeSeconds = 60, looksOnce = false }: SiteOptions): Promise<void> {
    const { configuration } = this;
    await this.#createDatabase();
    await this.#leaveAssets();
    await this.dump();
    const { primary, dr } = this.configuration;
    const here = await this.#startApplication(primary.region, probeSeconds);
    this.apiUrl = here.application;
    await this.cloud.deploy(assembly);
    await restWatches(this, looksOnce);
    if (this.standsBy) await leadTraffic(this, here, await this.#startApplication(dr.region, probeSeconds));
    await this.#switchAlarmRule('DisableRule');
    await this.invoke('database/register-database', { identifier: configuration.database.identifier });
    await this.invoke('database/prepare-database', {});
    await this.invoke('database/write-heartbeat', {});
    await this.invoke('database/look-for-damage', {});
    this.preparedAt = this.world.clock.now();
    for (const region of this.cloud.regions)
      for (const { topicArn, token } of (this.cloud.service('sns', region) as Sns).pendingConfirmations())
        await this.call('sns', 'ConfirmSubscription', { TopicArn: topicArn, Token: token }, region);
    while ((await this.alarms()).some(({ StateValue }) => StateValue !== 'OK')) await this.sleep(30 * second);
    // Damage is told from two looks before it: what one sees ends the time in which it may have begun, the other is the measure.
    if (!looksOnce) await this.invoke('database/look-for-damage', {});
    await this.#switchAlarmRule('EnableRule');
  }

  /** As docs/deploy.md has it: until production is registered and beats, its alarms ring. */
  async #switchAlarmRule(operation: 'DisableRule' | 'EnableRule'): Promise<void> {
    await this.call('eventbridge', operation, { Name: `${this.names.prefix}-database-alarm` });
  }

  /** The database's alarms of the primary Region. */
  async alarms(): Promise<readonly { readonly AlarmName: string; readonly StateValue: string }[]> {
    const AlarmNamePrefix = databaseAlarmPrefix(this.configuration.environment);
    const { MetricAlarms } = await this.call<{
      MetricAlarms: { readonly AlarmName: string; readonly StateValue: string }[];
    }>('cloudwatch', 'DescribeAlarms', { AlarmNamePrefix });
    return MetricAlarms;
  }

  async #createDatabase(): Promise<void> {
    const { configuration, passwords } = this;
    const { database, primary, dr } = configuration;
    for (const network of [primary, dr]) {
      registerNetwork(this.cloud, network);
      const groups = groupsOf({
        subnetGroup: network.databaseSubnetGroup,
        parameterGroup: network.databaseParameterGroup,
        subnetIds: network.privateSubnetIds,
      });
      await this.call('rds', 'CreateDBSubnetGroup', groups.subnets, network.region);
      await this.call('rds', 'CreateDBParameterGroup', groups.parameters, network.region);
      await this.call('rds', 'ModifyDBParameterGroup', groups.values, network.region);
      const clusterName = configuration.application.deployment.cluster;
      const roleArn = `arn:aws:iam::${configuration.account}:role/${clusterName}-cluster`;
      const resourcesVpcConfig = { subnetIds: [...network.privateSubnetIds] };
      const accessConfig = { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: true };
      const cluster = { name: clusterName, roleArn, resourcesVpcConfig, accessConfig };
      await this.call('eks', 'CreateCluster', cluster, network.region);
      const nodegroup = {
        clusterName,
        nodegroupName: 'general',
        nodeRole: `arn:aws:iam::${configuration.account}:role/${clusterName}-node`,
        subnets: [...network.privateSubnetIds],
        scalingConfig:
          this.standsBy && network === dr
            ? { minSize: 1, maxSize: 4, desiredSize: 1 }
            : { minSize: 2, maxSize: 4, desiredSize: 2 },
      };
      await this.call('eks', 'CreateNodegroup', nodegroup, network.region);
    }
    const master = { username: database.masterUsername, password: passwords.master };
    await this.call('rds', 'CreateDBInstance', instanceOf(planOf(configuration), master));
    const [role] = database.applicationRoles;
    const application = { username: role?.name ?? '', password: passwords.application };
    for (const [Name, login] of [
      [database.masterSecretName, master],
      [role?.secretName ?? '', application],
    ] as const) {
      const secret = { Name, SecretString: JSON.stringify(login), AddReplicaRegions: [{ Region: dr.region }] };
      await this.call('secrets-manager', 'CreateSecret', secret);
    }
    while ((await this.instance(database.identifier))?.DBInstanceStatus !== 'available') await this.sleep(30 * second);
    // The log is uploaded every five minutes from now on: what is prepared then is restorable soon. A standby is waited for anyway.
    if (!this.standsBy) await this.sleep(3 * minute);
    this.databases[0]?.commit((content) =>
      content.roles.set(application.username, { login: true, password: application.password, superuser: false }),
    );
    if (this.standsBy) await (database.regionProtection === 'replica' ? makeReplica(this) : replicateBackups(this));
  }

  /** What STOCKER Pro's pipeline leaves in both Regions. */
  async #leaveAssets(): Promise<void> {
    const { account, primary, dr, backup } = this.configuration;
    const { repository, replication, image } = imageCalls(account, dr.region);
    await this.call('ecr', 'CreateRepository', repository);
    await this.call('ecr', 'PutReplicationConfiguration', replication);
    await this.call('ecr', 'PutImage', image);
    for (const { region, dumpBucket, terraformStateBucket } of [primary, dr]) {
      const state = stateCalls(region, terraformStateBucket, backup.terraformStates);
      await this.call('s3', 'CreateBucket', bucketIn(region, dumpBucket), region);
      await this.call('s3', 'CreateBucket', state.bucket, region);
      await this.call('s3', 'PutBucketVersioning', state.versioning, region);
      for (const object of [...state.objects, state.terraform])
        await this.call('s3', 'PutObject', { ...object, Body: Buffer.from(object.Body) }, region);
      await this.parameter(backup.commitParameter, deployedCommit, region);
    }
  }

  /** The plan's nightly dump, whole, and with nothing in it: the modelled PostgreSQL has no rows to copy. Returns its name. */
  async dump(): Promise<string> {
    const { primary, dr, database } = this.configuration;
    const moment = new Date(this.world.clock.now()).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
    const name = `stocker-db-${moment}.sql.gz`;
    const Body = gzipSync('-- PostgreSQL database dump\n\nSELECT 1;\n\n-- PostgreSQL database dump complete\n');
    for (const { region, dumpBucket: Bucket } of [primary, dr])
      await this.call('s3', 'PutObject', { Bucket, Key: database.dumpPrefix + name, Body }, region);
    return name;
  }

  /** As DescribeDBInstances shows it; undefined where there is none. */
  async instance(identifier: string): Promise<Instance | undefined> {
    return (await this.instances()).find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === identifier);
  }

  async instances(region?: string): Promise<readonly Instance[]> {
    return (await this.call<{ DBInstances: Instance[] }>('rds', 'DescribeDBInstances', {}, region)).DBInstances;
  }

  /** As the pipeline deploys it: in the DR Region without pods, which a failover brings to size. */
  async #startApplication(region: string, probeSeconds: number): Promise<Urls> {
    const { application, canary, database, account, primary } = this.configuration;
    const image = imageIn(account, primary.region);
    const { cluster, namespace } = application.deployment;
    const isServing = region === primary.region;
    const instance = await this.instance(database.identifier);
    const endpoint = JSON.stringify({ address: instance?.Endpoint?.Address, port: instance?.Endpoint?.Port });
    await this.parameter(application.databaseEndpointParameter, isServing ? endpoint : 'none', region);
    await this.parameter(canary.databaseEndpointParameter, 'none', region);
    const kubernetes = (this.cloud.service('eks', region) as EksService).kubernetes(cluster);
    await kubernetes.apply(namespaceManifest(namespace));
    for (const manifest of recoveryAccessManifests(namespace, kubernetesGroup)) await kubernetes.apply(manifest);
    const urls: string[] = [];
    for (const target of [application, canary]) {
      const { name } = target.deployment;
      const environment = {
        AWS_REGION: region,
        DATABASE_ENDPOINT_PARAMETER: target.databaseEndpointParameter,
        DATABASE_SECRET: database.applicationRoles[0]?.secretName ?? '',
      };
      const replicas = isServing ? 1 : 0;
      await kubernetes.apply(deploymentManifest({ namespace, name, replicas, image, environment, probeSeconds }));
      await kubernetes.apply(serviceManifest({ namespace, name }));
      const url = await kubernetes.address(namespace, name, { empty: !isServing });
      await this.parameter(target.urlParameter, url, region);
      urls.push(url);
    }
    const [applicationUrl = '', canaryUrl = ''] = urls;
    return { application: applicationUrl, canary: canaryUrl };
  }

  async parameter(Name: string, Value: string, region?: string): Promise<void> {
    await this.call('ssm', 'PutParameter', { Name, Value, Type: 'String', Overwrite: true }, region);
  }
}

export interface Instance {
  readonly DBInstanceIdentifier: string;
  readonly DBInstanceStatus: string;
  readonly DbiResourceId: string;
  readonly LatestRestorableTime?: Date;
  readonly DBInstanceArn: string;
  readonly Endpoint?: { readonly Address: string; readonly Port: number };
  readonly VpcSecurityGroups?: readonly { readonly VpcSecurityGroupId: string }[];
  readonly TagList?: readonly { readonly Key: string; readonly Value: string }[];
  readonly DeletionProtection?: boolean;
  readonly ReadReplicaSourceDBInstanceIdentifier?: string;
  readonly PendingModifiedValues?: { readonly BackupRetentionPeriod?: number };
}
