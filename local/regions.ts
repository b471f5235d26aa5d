/** The services of a cloud by Region: regional ones once in each, global ones once for all; and Regions that go dark. */
import type { RequestListener } from 'node:http';
import {
  AwsError,
  type Home,
  type ResourceProvider,
  type Service,
  type ServiceDefinition,
  type ServiceName,
} from './kernel.ts';
import { type Manner, type Outages, Unreachable } from './outages.ts';

/** Where global services live, as on AWS. */
const globalRegion = 'us-east-1';

export interface Regions {
  /** Throws AwsError when there is no such Region or service. */
  service(name: ServiceName, region: string): Service;
  /** Throws Unreachable where the service is in a dark Region: no stack can make such a resource now. */
  provider(type: string, region: string): ResourceProvider | undefined;
  all(): readonly Service[];
  /** What takes a request of this path as it comes, of any service; one of a dark Region cuts the connection. */
  route(path: string): RequestListener | undefined;
  /** Where a call to a service in that Region really goes: some have their operations in one Region for all. */
  homeOfCalls(name: ServiceName, region: string): string;
  /** Loses a Region: nobody reaches it, its machines end, nothing in it goes on. */
  goDark(region: string, manner: Manner): Promise<void>;
  /** It can be called again; resolves when what ended with it has started again. */
  comeBack(region: string): Promise<void>;
  /** Cuts the way between two Regions. */
  part(one: string, other: string, manner: Manner): Promise<void>;
  /** They reach each other again; resolves when what streams between them goes on. */
  join(one: string, other: string): Promise<void>;
}

/** Services of an account of which nothing is deployed: those that every account has, beside each other in every Region. */
export function createAccount(
  account: string,
  definitions: readonly ServiceDefinition[],
  regions: readonly string[],
  homeOf: (region: string, isGlobal: boolean) => Home,
): Pick<Regions, 'service' | 'all'> {
  const everywhere = definitions.filter(({ everywhere }) => everywhere);
  const made = new Map<string, Service>();
  for (const { name, global, create } of everywhere) {
    const shared = global ? create(homeOf(globalRegion, true)) : undefined;
    for (const region of regions) made.set(`${name} ${region}`, shared ?? create(homeOf(region, false)));
  }
  return {
    service(name, region) {
      const found = made.get(`${name} ${region}`);
      if (found !== undefined) return found;
      throw new AwsError(
        'NotImplemented',
        `${name} in account ${account} is not implemented by the embedded cloud: beside the account of its assemblies it has ${everywhere.map((each) => each.name).join(', ')}`,
      );
    },
    all: () => [...new Set(made.values())],
  };
}

/** Makes every service. `homeOf` is what a service in that Region is given; a global one is in no Region that can go dark. */
export function createRegions(
  definitions: readonly ServiceDefinition[],
  regions: readonly string[],
  homeOf: (region: string, isGlobal: boolean) => Home,
  outages: Outages,
): Regions {
  const inRegions = new Map(regions.map((region) => [region, new Map<ServiceName, Service>()]));
  const find = (name: ServiceName, region: string) => inRegions.get(region)?.get(name);
  const controlPlanes = new Map(definitions.map(({ name, controlPlane }) => [name, controlPlane]));
  for (const definition of definitions) {
    const shared = definition.global ? definition.create(homeOf(globalRegion, true)) : undefined;
    for (const region of regions) {
      inRegions.get(region)?.set(definition.name, shared ?? definition.create(homeOf(region, false)));
    }
  }
  const inRegion = (region: string) =>
    definitions.flatMap(({ name, global }) => (global ? [] : (find(name, region) ?? [])));
  const requireRegion = (region: string) => {
    if (!regions.includes(region)) throw new AwsError('NotImplemented', `the Region ${region} is not in this cloud`);
  };
  const guarded =
    (region: string, handle: RequestListener): RequestListener =>
    (request, response) => {
      if (!outages.isDark(region)) return handle(request, response);
      outages.refuse(region).catch(() => response.destroy());
    };
  const wayChanged = (one: string, other: string, isCut: boolean) =>
    Promise.all([
      ...inRegion(one).map((each) => each.wayChanged?.(other, isCut)),
      ...inRegion(other).map((each) => each.wayChanged?.(one, isCut)),
    ]);
  const homeOfCalls: Regions['homeOfCalls'] = (name, region) => {
    const controlPlane = controlPlanes.get(name);
    return controlPlane !== undefined && regions.includes(controlPlane) ? controlPlane : region;
  };
  const owners = new Map<string, ServiceName | undefined>();
  const ownerOf = (type: string, region: string): ServiceName | undefined => {
    if (!owners.has(type))
      owners.set(type, definitions.find(({ name }) => find(name, region)?.resources?.[type] !== undefined)?.name);
    return owners.get(type);
  };
  return {
    service(name, region) {
      const service = find(name, region);
      if (service !== undefined) return service;
      requireRegion(region);
      throw new AwsError('NotImplemented', `${name} is not implemented by the embedded cloud`);
    },
    provider(type, region) {
      const owner = ownerOf(type, region);
      if (owner === undefined) return undefined;
      const home = homeOfCalls(owner, region);
      if (outages.isDark(home)) throw new Unreachable(home);
      return find(owner, region)?.resources?.[type];
    },
    all: () => [...new Set(definitions.flatMap(({ name }) => regions.flatMap((region) => find(name, region) ?? [])))],
    route(path) {
      for (const region of regions)
        for (const each of inRegion(region)) {
          const handle = each.route?.(path);
          if (handle !== undefined) return guarded(region, handle);
        }
      return undefined;
    },
    homeOfCalls,
    async goDark(region, manner) {
      requireRegion(region);
      outages.goDark(region, manner);
      await Promise.all(inRegion(region).map((each) => each.goDark?.()));
    },
    async comeBack(region) {
      requireRegion(region);
      outages.comeBack(region);
      await Promise.all(inRegion(region).map((each) => each.comeBack?.()));
    },
    async part(one, other, manner) {
      outages.part(one, other, manner);
      await wayChanged(one, other, true);
    },
    async join(one, other) {
      outages.join(one, other);
      await wayChanged(one, other, false);
    },
  };
}
