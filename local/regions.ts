/** The services of a cloud by Region: regional ones once in each, global ones once for all. */
import {
  AwsError,
  type Home,
  type ResourceProvider,
  type Service,
  type ServiceDefinition,
  type ServiceName,
} from './kernel.ts';

/** Where global services live, as on AWS. */
const globalRegion = 'us-east-1';

export interface Regions {
  /** Throws AwsError when there is no such Region or service. */
  service(name: ServiceName, region: string): Service;
  provider(type: string, region: string): ResourceProvider | undefined;
  all(): readonly Service[];
}

/** Makes every service. `homeOf` is what a service in that Region is given. */
export function createRegions(
  definitions: readonly ServiceDefinition[],
  regions: readonly string[],
  homeOf: (region: string) => Home,
): Regions {
  const instances = new Map<string, Service>();
  const key = (name: ServiceName, region: string) => `${region}/${name}`;
  for (const definition of definitions) {
    const shared = definition.global ? definition.create(homeOf(globalRegion)) : undefined;
    for (const region of regions) {
      instances.set(key(definition.name, region), shared ?? definition.create(homeOf(region)));
    }
  }
  return {
    service(name, region) {
      const service = instances.get(key(name, region));
      if (service !== undefined) return service;
      if (!regions.includes(region)) throw new AwsError('NotImplemented', `the Region ${region} is not in this cloud`);
      throw new AwsError('NotImplemented', `${name} is not implemented by the embedded cloud`);
    },
    provider: (type, region) =>
      definitions
        .map(({ name }) => instances.get(key(name, region))?.resources?.[type])
        .find((provider) => provider !== undefined),
    all: () => [...new Set(instances.values())],
  };
}
