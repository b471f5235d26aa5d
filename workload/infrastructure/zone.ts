/**
 * The hosted zone of STOCKER Pro and its records, as its Terraform makes them. On one machine Regions differ by port, which
 * SRV records tell; on AWS the same sets are aliases of load balancers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  GetChangeCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import type { Connection } from './provision.ts';

export interface ZonePlan {
  readonly name: string;
  readonly ttlSeconds: number;
  /** Names that always lead to one Region: host and port behind each. */
  readonly fixed: readonly { readonly name: string; readonly port: number }[];
  /** Names that lead to one of them; with a health check they fail over by it. */
  readonly shifted: readonly {
    readonly name: string;
    readonly primary: string;
    readonly secondary: string;
    readonly ports: { readonly primary: number; readonly secondary: number };
    readonly healthCheckId?: string | undefined;
  }[];
}

/** Makes the zone with its records; returns its id. `isAwaited`: once they are answered, which on AWS is a minute later. */
export async function makeZone(plan: ZonePlan, connection: Connection, isAwaited: boolean): Promise<string> {
  const client = new Route53Client({ ...connection, region: 'us-east-1' });
  const made = await client.send(new CreateHostedZoneCommand({ Name: plan.name, CallerReference: 'terraform' }));
  const HostedZoneId = made.HostedZone?.Id ?? '';
  const Changes = recordsOf(plan).map((ResourceRecordSet) => ({ Action: 'CREATE' as const, ResourceRecordSet }));
  const { ChangeInfo } = await client.send(
    new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }),
  );
  while (isAwaited) {
    const answer = await client.send(new GetChangeCommand({ Id: ChangeInfo?.Id }));
    if (answer.ChangeInfo?.Status === 'INSYNC') break;
    await sleep(50);
  }
  return HostedZoneId;
}

/** Every record set of the zone. */
export function recordsOf({ ttlSeconds, fixed, shifted }: ZonePlan): ResourceRecordSet[] {
  const srv = (Name: string, target: string, port: number): ResourceRecordSet => ({
    Name,
    Type: 'SRV',
    TTL: ttlSeconds,
    ResourceRecords: [{ Value: `0 0 ${port} ${target}` }],
  });
  const always = fixed.flatMap(({ name, port }): ResourceRecordSet[] => [
    { Name: name, Type: 'A', TTL: ttlSeconds, ResourceRecords: [{ Value: '127.0.0.1' }] },
    srv(name, name, port),
  ]);
  return [
    ...always,
    ...shifted.flatMap(({ name, primary, secondary, ports, healthCheckId }): ResourceRecordSet[] =>
      healthCheckId === undefined
        ? [srv(name, primary, ports.primary)]
        : [
            // The primary's set alone has the health check; a secondary without one is used when the primary fails.
            { ...srv(name, primary, ports.primary), ...role('PRIMARY'), HealthCheckId: healthCheckId },
            { ...srv(name, secondary, ports.secondary), ...role('SECONDARY') },
          ],
    ),
  ];
}

const role = (Failover: 'PRIMARY' | 'SECONDARY') => ({ SetIdentifier: Failover.toLowerCase(), Failover });
