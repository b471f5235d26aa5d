/** How clients find STOCKER Pro on the embedded cloud: a hosted zone whose records follow the product's health checks. */
import type { Configuration } from '../config/schema.ts';
import type { Cloud } from '../local/cloud.ts';
import { Resolver } from '../workload/clients/resolver.ts';
import { writeParameters } from '../workload/infrastructure/provision.ts';
import { makeZone } from '../workload/infrastructure/zone.ts';
import type { ApplicationUrls } from './applications.ts';
import type { OperatorConnection } from './clients.ts';

export interface Traffic {
  /** What clients are told; its name is resolved. */
  readonly url: string;
  readonly hostedZoneId: string;
  /** A resolver of clients' own: it keeps an answer for its TTL, scaled as the cloud's clock is. */
  resolver(): Resolver;
}

/** Terraform's part after the deployment: zone and records, which refer to the health checks of the stack. */
export async function leadTraffic(
  configuration: Configuration,
  cloud: Cloud,
  connection: OperatorConnection,
  { apiUrl, standbyUrl, canaryUrls }: ApplicationUrls,
): Promise<Traffic> {
  const { traffic, primary, dr } = configuration;
  const { strategy, recordName, drillRecordName, primaryRecordName, drRecordName } = traffic;
  const outputs = cloud.stacks().find(({ region }) => region === dr.region)?.outputs ?? {};
  const checked = (output: string) => (strategy === 'health-check' ? checkOf(outputs, output) : undefined);
  const shifted = (name: string, urls: readonly [string, string], healthCheckId: string | undefined) => ({
    name,
    primary: primaryRecordName,
    secondary: drRecordName,
    ports: { primary: portOf(urls[0]), secondary: portOf(urls[1]) },
    healthCheckId,
  });
  const canaries = [canaryUrls[primary.region] ?? '', canaryUrls[dr.region] ?? ''] as const;
  const hostedZoneId = await makeZone(
    {
      name: traffic.hostedZoneName,
      ttlSeconds: traffic.ttlSeconds,
      fixed: [
        { name: primaryRecordName, port: portOf(apiUrl) },
        { name: drRecordName, port: portOf(standbyUrl) },
      ],
      shifted: [
        shifted(recordName, [apiUrl, standbyUrl], checked('LatchHealthCheck')),
        shifted(drillRecordName, canaries, checked('DrillLatchHealthCheck')),
      ],
    },
    connection,
    // A minute on the real clock, which nobody spends who only looks.
    cloud.clock.factor > 1,
  );
  const servers = JSON.stringify({ authoritative: [cloud.nameServer], resolvers: [cloud.nameServer] });
  for (const { region } of [primary, dr])
    await writeParameters(region, connection, { [traffic.nameServersParameter]: servers });
  return {
    url: `http://${recordName}`,
    hostedZoneId,
    resolver: () => new Resolver({ server: cloud.nameServer, factor: cloud.clock.factor }),
  };
}

const portOf = (url: string) => Number(new URL(url).port);

function checkOf(outputs: Readonly<Record<string, unknown>>, output: string): string {
  const found = outputs[output];
  if (found === undefined) throw new Error(`The stack in the DR Region has no output ${output}`);
  return String(found);
}
