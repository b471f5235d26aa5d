/** The embedded cloud: AWS as this product uses it, on one machine, from the assembly that the CDK synthesizes. */
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { createDeployer, type DeployedStack } from './assembly/deploy.ts';
import { readStacks } from './assembly/manifest.ts';
import { realClock } from './clock.ts';
import { createTrail, type Trail } from './cloudtrail/trail.ts';
import { type Credentials, createCredentials } from './credentials.ts';
import { createDispatch } from './dispatch.ts';
import { respond } from './dns/message.ts';
import { createFaults, type InjectedFaults } from './faults.ts';
import {
  AwsError,
  type BusEvent,
  type Call,
  type Clock,
  type ContainerImage,
  type Home,
  type Principal,
  type Service,
  type ServiceName,
  type Signer,
} from './kernel.ts';
import { createOutages, type Manner } from './outages.ts';
import { policySources } from './policies.ts';
import { stopOnSignals } from './process/signals.ts';
import { createAccount, createRegions, type Regions } from './regions.ts';
import { services } from './services/index.ts';
import type { LambdaService } from './services/lambda/index.ts';
import type { Route53Service } from './services/route53/index.ts';
import { createWire } from './wire/server.ts';
import { verifySignature } from './wire/signature.ts';
import { machineWorld, type World } from './world.ts';

export interface CloudOptions {
  /** cdk.out directories, one per environment. All of one account. */
  readonly assemblies: readonly string[];
  /** Further accounts, with IAM, STS, EKS, S3, DynamoDB, SSM and Secrets Manager; what is one account's, no other sees. */
  readonly accounts?: readonly string[];
  /** Without, the assemblies' own; needed where they are deployed later. */
  readonly account?: string;
  /** Of a cloud on the machine. */
  readonly clock?: Clock;
  /** What the cloud runs on; without one, the machine. */
  readonly world?: World;
  /** Without, any that is free. */
  readonly port?: number;
  /** Of the name server, UDP and TCP. Without, any that is free. */
  readonly namePort?: number;
  /** Without, those of the assemblies, and us-east-1 and us-west-2. */
  readonly regions?: readonly string[];
  /** What runs for a container image in a pod, by the image's name. */
  readonly images?: Readonly<Record<string, ContainerImage>>;
  /** Directory of what builds find first in their PATH: stand-ins for tools of the build image. */
  readonly tools?: string;
  /** Where the data directory is made; without, the system's directory for temporary files. */
  readonly directory?: string;
  /** Provisions what stacks expect to find (the cluster, the database), before they are deployed. */
  readonly prepare?: (cloud: Cloud) => Promise<void>;
  readonly onLog?: (line: string) => void;
}

export interface Cloud {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  /** `127.0.0.1:<port>`: answers for every hosted zone, over UDP and TCP. */
  readonly nameServer: string;
  readonly account: string;
  readonly regions: readonly string[];
  readonly clock: Clock;
  readonly dataDirectory: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly faults: InjectedFaults;
  /** Every stack that is deployed, with its outputs. */
  stacks(): readonly DeployedStack[];
  service(name: ServiceName, region: string, account?: string): Service;
  /** Calls an operation as the operator of the account, or of another one. Throws AwsError. */
  call<O = Record<string, unknown>>(
    name: ServiceName,
    operation: string,
    input: object,
    region: string,
    account?: string,
  ): Promise<O>;
  /** Makes a schedule's time come now; the scheduler does the rest. Rejects when there is no such schedule. */
  fireSchedule(name: string, region: string): Promise<void>;
  /** Loses a Region: calls are refused (or hang), its machines end, nothing in it goes on; with us-east-1 go the control planes of Route 53 and IAM. */
  goDark(region: string, manner?: Manner): Promise<void>;
  /** Returns a Region; resolves when its databases have recovered from the crash. */
  comeBack(region: string): Promise<void>;
  isDark(region: string): boolean;
  /**
   * Cuts the way between two Regions that both live on: API calls of what is in one to the other, connections that
   * functions open to databases and load balancers there, streams of replicas and backups. The operator and clients
   * reach both.
   */
  part(one: string, other: string, manner?: Manner): Promise<void>;
  /** They reach each other again; resolves when streams go on. */
  join(one: string, other: string): Promise<void>;
  deploy(assemblyDirectory: string): Promise<readonly DeployedStack[]>;
  /** Ends every process, timer and server and removes the data directory. Safe to repeat. */
  stop(): Promise<void>;
}

/** The account of a cloud that starts without an assembly: AWS's own example. */
const exampleAccount = '123456789012';

/** Starts a cloud and deploys the assemblies into it. What a killed cloud left in the same directory is reaped first. */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { world = machineWorld(options.clock ?? realClock()), images = {}, onLog = () => {} } = options;
  const { clock, network } = world;
  const stacks = options.assemblies.flatMap(readStacks);
  const account = options.account ?? stacks[0]?.account ?? exampleAccount;
  const regions = options.regions ?? [...new Set(['us-east-1', 'us-west-2', ...stacks.map(({ region }) => region)])];
  const data = world.createDataDirectory(options.directory ?? tmpdir());
  const endings: (() => unknown)[] = [() => data.remove()];
  const stop = once(async () => {
    for (const end of endings.toReversed()) await end();
  });
  endings.push(stopOnSignals(stop));
  try {
    const authority = await world.createAuthority();
    const faults = createFaults(clock, world.random);
    const credentials = createCredentials(account);
    const outages = createOutages(regions);
    // Services are made once the wire listens: its address is part of what they are given.
    let made: Regions | undefined;
    const others = new Map<string, Pick<Regions, 'service' | 'all'>>();
    const service = (name: ServiceName, region: string, of = account) => {
      if (made === undefined) throw new AwsError('ServiceUnavailable', 'the cloud is starting');
      const services = of === account ? made : others.get(of);
      if (services === undefined) throw new AwsError('NotImplemented', `the account ${of} is not in this cloud`);
      return services.service(name, region);
    };
    const policies = policySources(clock, regions, service, [account, ...(options.accounts ?? [])]);
    const homeOfCalls: Regions['homeOfCalls'] = (name, region) => made?.homeOfCalls(name, region) ?? region;
    const clockIn = (region: string) => outages.clockIn(region, world.clockOf(region));
    const bus = (region: string) => service('eventbridge', region) as Bus;
    const emitIn = (region: string) => (event: BusEvent) => {
      for (const delay of faults.arrivalsOf(event, region)) {
        const arrive = () =>
          outages.isDark(region) ? outages.light(region).then(() => bus(region).put(event)) : bus(region).put(event);
        if (delay === 0) void arrive();
        else void clock.sleep(delay).then(arrive);
      }
    };
    const ended = new AbortController();
    const trail = createTrail({
      isAwaited: (source, detailType, region) => bus(region).isAwaited(source, detailType),
      now: (region) => world.clockOf(region).now(),
      deliver: (event, region, afterMs) =>
        void clockIn(region)
          .sleep(afterMs, ended.signal)
          .then(
            () => emitIn(region)(event),
            () => {},
          ),
    });
    const dispatch = createDispatch({
      account,
      faults,
      service,
      policies,
      outages,
      trail: trailOf(account, trail),
      homeOfCalls,
    });
    const wire = await createWire({
      services,
      network,
      port: options.port ?? 0,
      ...(world.isOpen && { secretFor: credentials.secretOf }),
      route: (path) => made?.route(path),
      dispatch: world.dispatching(async ({ service: name, operation, input, region, accessKeyId, requestId }) => {
        if (accessKeyId === undefined) throw unsigned();
        const principal = credentials.principalOf(accessKeyId);
        const caller = { region, principal, requestId, accessKeyId, origin: credentials.regionOf(accessKeyId) };
        return (await dispatch(name, operation, input, caller)) as Record<string, unknown>;
      }),
    });
    endings.push(() => wire.close());
    const answerName: Route53Service['answer'] = (name, type) =>
      (service('route-53', regions[0] ?? '') as Route53Service).answer(name, type);
    const names = await network.serveNames((query, via) => respond(query, via, answerName), options.namePort);
    endings.push(() => names.close());

    const homeOf = (region: string, isGlobal: boolean, own = account): Home => ({
      account: own,
      region,
      regions,
      clock: isGlobal ? world.clockOf(region) : clockIn(region),
      world,
      darkness: outages,
      dataDirectory: data.path,
      endpoint: wire.endpoint,
      images,
      tools: options.tools,
      certificateAuthority: authority.certificate,
      faults,
      call: async <O>(name: ServiceName, operation: string, input: object, as: Principal, other = region) => {
        const isHeld = () => !isGlobal && outages.isDark(region);
        if (isHeld()) await outages.light(region);
        const caller = { region: other, principal: as, account: own, ...(!isGlobal && { from: region }) };
        try {
          return (await dispatch(name, operation, input, caller)) as O;
        } finally {
          if (isHeld()) await outages.light(region);
        }
      },
      service: (name, other = region, of = own) => service(name, other, of),
      // Another account's bus has no rules.
      emit: own === account ? emitIn(region) : () => {},
      issueCredentials: (principal) => credentials.issue(principal, region),
      authenticate: (request, body, signingName) => authenticate(credentials, request, body, signingName, region),
      issueCertificate: authority.issue,
    });
    made = createRegions(services, regions, homeOf, outages);
    const { goDark, comeBack, part, join, provider } = made;
    for (const other of options.accounts ?? [])
      others.set(
        other,
        createAccount(other, services, regions, (region, isGlobal) => homeOf(region, isGlobal, other)),
      );
    const all = () => [...(made?.all() ?? []), ...[...others.values()].flatMap((each) => each.all())];
    endings.push(() => Promise.all(all().map((each) => each.stop?.())));
    // What stands still in a dark Region could not end.
    endings.push(() => outages.end());
    // Told last of all, an event would start what has just been stopped.
    endings.push(() => ended.abort());
    faults.onCrash((call) => crash(service, regions, call));

    const operatorOf = (of: string): Principal => ({
      kind: 'operator',
      arn: `arn:aws:iam::${of}:root`,
      accessKeyId: 'operator',
    });
    const call = async <O>(name: ServiceName, operation: string, input: object, region: string, of = account) =>
      (await dispatch(name, operation, input, { region, principal: operatorOf(of) })) as O;
    const deployer = createDeployer({
      account,
      dataDirectory: data.path,
      provider,
      async ssmParameter(name, region) {
        const found = await call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name: name }, region);
        return found.Parameter.Value;
      },
    });
    const deploy = async (assembly: string) => {
      const deployed = await deployer.deploy(assembly);
      for (const stack of deployed) onLog(`deployed ${stack.name} in ${stack.region}`);
      return deployed;
    };
    const cloud: Cloud = {
      endpoint: wire.endpoint,
      nameServer: `127.0.0.1:${names.port}`,
      account,
      regions,
      clock,
      dataDirectory: data.path,
      certificateAuthority: authority.certificate,
      faults,
      stacks: deployer.stacks,
      service,
      call,
      fireSchedule: (name, region) => (service('scheduler', region) as Scheduler).fire(name),
      goDark: (region, manner = 'refuse') => goDark(region, manner),
      comeBack,
      part: (one, other, manner = 'refuse') => part(one, other, manner),
      join,
      isDark: outages.isDark,
      deploy,
      stop,
    };
    await options.prepare?.(cloud);
    for (const assembly of options.assemblies) await deploy(assembly);
    for (const each of made.all()) await each.start?.();
    return cloud;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What happens in another account is told on that one's bus, which has no rules. */
const trailOf = (account: string, trail: Trail): Trail => ({
  record(name, operation, input, call, outcome) {
    if (call.account === account) trail.record(name, operation, input, call, outcome);
  },
});

interface Bus extends Service {
  put(event: BusEvent): void;
  isAwaited(source: string, detailType: string): boolean;
}
interface Scheduler extends Service {
  fire(name: string): Promise<void>;
}

async function authenticate(
  credentials: Credentials,
  message: IncomingMessage,
  body: Uint8Array,
  signingName: string,
  region: string,
): Promise<Signer> {
  const [path = '/', ...search] = (message.url ?? '/').split('?');
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(',') : (value ?? ''),
    ]),
  );
  const request = { method: message.method ?? 'GET', path, query: new URLSearchParams(search.join('?')), headers };
  const accessKeyId = await verifySignature(request, body, signingName, region, credentials.secretOf);
  if (accessKeyId === undefined) throw unsigned();
  return { accessKeyId, principal: credentials.principalOf(accessKeyId) };
}

function unsigned(): AwsError {
  return new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token');
}

/** Kills the function that made this call: the access key tells which of its environments. */
function crash(service: Regions['service'], regions: readonly string[], { accessKeyId }: Call): void {
  if (accessKeyId === undefined) return;
  regions.some((region) => (service('lambda', region) as LambdaService).crash(accessKeyId));
}

function once<T>(run: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= run();
    return result;
  };
}
