/** Two Regions of real storage and compute services beside each other, on a real clock, without authorization. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority } from '../../../local/certificates.ts';
import { realClock } from '../../../local/clock.ts';
import {
  type Access,
  AwsError,
  type BusEvent,
  type Call,
  type Clock,
  type ContainerImage,
  type Faults,
  type Home,
  type Principal,
  type Service,
  type ServiceDefinition,
  type ServiceName,
} from '../../../local/kernel.ts';
import { createOutages } from '../../../local/outages.ts';
import { machineWorld } from '../../../local/world.ts';
import { ACCOUNT, context, operator, REGION } from './fake-home.ts';

export const OTHER_REGION = 'us-west-2';

// biome-ignore lint/suspicious/noExplicitAny: tests look into outputs of every operation
type Output = any;

export interface StorageOptions {
  readonly endpoint?: string;
  readonly images?: Readonly<Record<string, ContainerImage>>;
  readonly clock?: Clock;
  readonly faults?: Faults;
}

/** `stop` ends the services and removes their files. */
export function storage(definitions: readonly ServiceDefinition[], options: StorageOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'storage-'));
  const events: BusEvent[] = [];
  const log: string[] = [];
  const authority = createCertificateAuthority();
  const services = new Map<string, Service>();
  const service = (name: ServiceName, region = REGION): Service => {
    const found = services.get(`${name}/${region}`);
    if (!found) throw new Error(`no service ${name} in ${region}`);
    return found;
  };
  const callOf = (region: string, principal: Principal): Call => ({
    account: ACCOUNT,
    region,
    principal,
    requestId: 'r',
  });
  const access = async (
    name: ServiceName,
    operation: string,
    input: object,
    as: Principal = operator,
    region = REGION,
  ): Promise<readonly Access[]> => {
    const found = service(name, region).operations[operation];
    if (!found) throw new Error(`${name} has no operation ${operation}`);
    return found.access(input, callOf(region, as));
  };
  const call = async (
    name: ServiceName,
    operation: string,
    input: object,
    as: Principal = operator,
    region = REGION,
  ): Promise<Output> => {
    if (name === 'cloudwatch-logs') {
      const { logEvents = [] } = input as { logEvents?: { message: string }[] };
      log.push(...logEvents.map(({ message }) => message));
      return {};
    }
    await access(name, operation, input, as, region);
    return service(name, region).operations[operation]?.run(input, callOf(region, as));
  };
  const outages = createOutages();
  const clockOf = (region: string) => outages.clockIn(region, options.clock ?? realClock());
  const homeOf = async (region: string, clock = clockOf(region)): Promise<Home> => ({
    account: ACCOUNT,
    region,
    regions: [REGION, OTHER_REGION],
    clock,
    world: machineWorld(clock),
    darkness: outages,
    dataDirectory: directory,
    endpoint: options.endpoint ?? 'http://127.0.0.1:1',
    call: (name, operation, input, as, other = region) => call(name, operation, input, as, other),
    service(name, other = region, account = ACCOUNT) {
      if (account !== ACCOUNT) throw new AwsError('NotImplemented', `there is no account ${account}`);
      return service(name, other);
    },
    emit: (event) => void events.push(event),
    issueCredentials: () => ({ accessKeyId: 'ASIATEST', secretAccessKey: 'secret', sessionToken: 'token' }),
    authenticate: () => Promise.reject(new Error('no signatures here')),
    issueCertificate: (names, addresses) => authority.then(({ issue }) => issue(names, addresses)),
    images: options.images ?? {},
    certificateAuthority: (await authority).certificate,
    faults: options.faults ?? { before: async () => undefined, after: async () => undefined },
  });
  const ready = Promise.all(
    [REGION, OTHER_REGION].map(async (region) => {
      const home = await homeOf(region);
      for (const definition of definitions) services.set(`${definition.name}/${region}`, definition.create(home));
    }),
  );
  return {
    ready,
    events,
    log,
    directory,
    service,
    call,
    access,
    deploy: async (
      name: ServiceName,
      type: string,
      properties: Record<string, unknown>,
      assemblyDirectory = '/nowhere',
    ) => {
      const provider = service(name).resources?.[type];
      if (!provider) throw new Error(`${name} has no resource type ${type}`);
      return provider.create(properties, { ...context, assemblyDirectory });
    },
    async goDark(name: ServiceName, region = REGION) {
      outages.goDark(region, 'refuse');
      await service(name, region).goDark?.();
    },
    async comeBack(name: ServiceName, region = REGION) {
      outages.comeBack(region);
      await service(name, region).comeBack?.();
    },
    async stop() {
      outages.end();
      await Promise.all([...services.values()].map((each) => each.stop?.()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
