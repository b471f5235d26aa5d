/** The records that traffic is shifted by, and the health checks that they name. */
import { GetHealthCheckCommand, type ResourceRecordSet } from '@aws-sdk/client-route-53';
import { ask } from '../../../core/readiness/answer.ts';
import type { ReadinessRun } from '../../../core/readiness/contracts.ts';
import type { FactsOf, HealthCheck, RecordSet } from '../../../core/readiness/facts.ts';
import type { Runtime } from '../../handler.ts';
import { bare, route53, setsOf, zoneNamed } from '../aws/zone.ts';

/** One call after the other: an account has five a second, for everybody (Route 53 quotas). */
export function lookAtDns(_: ReadinessRun, { settings }: Pick<Runtime, 'settings'>): Promise<FactsOf<'dns'>> {
  const { hostedZoneName, recordName, drillRecordName, primaryRecordName, drRecordName } = settings.traffic;
  return ask('Route 53', async () => {
    const zone = await zoneNamed(hostedZoneName);
    if (zone === undefined) return null;
    const records: RecordSet[] = [];
    for (const name of [recordName, drillRecordName, primaryRecordName, drRecordName])
      records.push(...(await setsOf(zone, name)).map(shown));
    const healthChecks: Record<string, HealthCheck | null> = {};
    for (const { healthCheck } of records)
      if (healthCheck !== null) healthChecks[healthCheck] ??= await healthCheckOf(healthCheck);
    return { records, healthChecks };
  });
}

function shown(set: ResourceRecordSet): RecordSet {
  const { Name, Type = '', Failover, SetIdentifier, AliasTarget, ResourceRecords = [], TTL, HealthCheckId } = set;
  return {
    name: bare(Name),
    type: Type,
    routing: Failover ?? (SetIdentifier === undefined ? 'simple' : 'other'),
    leadsTo: AliasTarget ? [bare(AliasTarget.DNSName)] : ResourceRecords.map(({ Value = '' }) => targetOf(Type, Value)),
    ttlSeconds: TTL ?? null,
    evaluatesTarget: AliasTarget?.EvaluateTargetHealth ?? false,
    healthCheck: HealthCheckId ?? null,
  };
}

/** Of a service its target, which is the last of four (RFC 2782). */
const targetOf = (type: string, value: string) =>
  type === 'SRV' || type === 'CNAME' ? bare(value.split(' ').at(-1)) : value;

async function healthCheckOf(HealthCheckId: string): Promise<HealthCheck | null> {
  try {
    const { HealthCheck } = await route53().send(new GetHealthCheckCommand({ HealthCheckId }));
    const { Type, AlarmIdentifier, InsufficientDataHealthStatus, Inverted, Disabled } =
      HealthCheck?.HealthCheckConfig ?? {};
    const { Name, Region } = AlarmIdentifier ?? {};
    return {
      type: Type ?? '',
      alarm: Name === undefined || Region === undefined ? null : { name: Name, region: Region },
      insufficientData: InsufficientDataHealthStatus ?? null,
      inverted: Inverted ?? false,
      disabled: Disabled ?? false,
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchHealthCheck') return null;
    throw error;
  }
}
