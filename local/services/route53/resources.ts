/** Route 53's resource types. As on AWS, a stack goes on when a change has reached every name server. */
import type * as sdk from '@aws-sdk/client-route-53';
import type { ResourceContext, ResourceProvider } from '../../kernel.ts';
import { isTrue, provider } from '../declare.ts';
import { invalidInput } from './errors.ts';
import type { HealthChecks } from './health-checks.ts';
import { readConfig } from './health-config.ts';
import { readRecordSet } from './record-sets.ts';
import { type HostedZone, plainId, type Zones } from './zones.ts';

type TagList = readonly { Key: string; Value: string }[];
interface HealthCheckProperties {
  HealthCheckConfig: sdk.HealthCheckConfig;
  HealthCheckTags?: TagList;
}
interface HostedZoneProperties {
  Name: string;
  HostedZoneConfig?: { Comment?: string };
  HostedZoneTags?: TagList;
}
interface RecordSetProperties {
  HostedZoneId?: string;
  HostedZoneName?: string;
  Name: string;
  Type: sdk.RRType;
  TTL?: string | number;
  ResourceRecords?: readonly string[];
  SetIdentifier?: string;
  Weight?: string | number;
  Failover?: sdk.ResourceRecordSetFailover;
  HealthCheckId?: string;
  AliasTarget?: { HostedZoneId: string; DNSName: string; EvaluateTargetHealth?: boolean | string };
  Comment?: string;
}

/** A reference of CloudFormation's own: a resource is made once. */
const referenceOf = ({ region, stackName, logicalId }: ResourceContext) => `${region}/${stackName}/${logicalId}`;

export function route53Resources(zones: Zones, checks: HealthChecks): Record<string, ResourceProvider> {
  return {
    ...provider<HealthCheckProperties>(
      'AWS::Route53::HealthCheck',
      ['HealthCheckConfig', 'HealthCheckTags'],
      ({ HealthCheckConfig, HealthCheckTags = [] }, context) => {
        const check = checks.create(referenceOf(context), readConfig(HealthCheckConfig));
        for (const { Key, Value } of HealthCheckTags) check.tags.set(Key, Value);
        return { ref: check.id, attributes: { HealthCheckId: check.id } };
      },
    ),
    ...provider<HostedZoneProperties>(
      'AWS::Route53::HostedZone',
      ['Name', 'HostedZoneConfig', 'HostedZoneTags'],
      async ({ Name, HostedZoneConfig, HostedZoneTags = [] }, context) => {
        const { zone, change } = zones.create(Name, referenceOf(context), { comment: HostedZoneConfig?.Comment });
        for (const { Key, Value } of HostedZoneTags) zone.tags.set(Key, Value);
        await zones.propagation(change);
        return { ref: zone.id, attributes: { Id: zone.id, NameServers: zone.nameServers } };
      },
    ),
    ...provider<RecordSetProperties>(
      'AWS::Route53::RecordSet',
      [
        ...(['HostedZoneId', 'HostedZoneName', 'Name', 'Type', 'TTL', 'ResourceRecords', 'SetIdentifier'] as const),
        ...(['Weight', 'Failover', 'HealthCheckId', 'AliasTarget', 'Comment'] as const),
      ],
      async (properties) => {
        const set = readRecordSet(recordSetOf(properties));
        const zone = zoneNamed(zones, properties);
        await zones.propagation(await zones.change(zone, [{ action: 'CREATE', set }], properties.Comment));
        return { ref: properties.Name };
      },
    ),
  };
}

function zoneNamed(zones: Zones, { HostedZoneId, HostedZoneName }: RecordSetProperties): HostedZone {
  if (HostedZoneId !== undefined) return zones.find(HostedZoneId);
  const [zone, ...others] = zones.all().filter(({ name }) => name === HostedZoneName);
  if (zone === undefined || others.length > 0) throw invalidInput(`Not one hosted zone is named ${HostedZoneName}`);
  return zone;
}

function recordSetOf(properties: RecordSetProperties): sdk.ResourceRecordSet {
  const { TTL, ResourceRecords, Weight, AliasTarget } = properties;
  const { HostedZoneId: _id, HostedZoneName: _name, Comment: _comment, ...rest } = properties;
  return {
    ...rest,
    TTL: TTL === undefined ? undefined : Number(TTL),
    Weight: Weight === undefined ? undefined : Number(Weight),
    ResourceRecords: ResourceRecords?.map((Value) => ({ Value })),
    AliasTarget: AliasTarget && {
      DNSName: AliasTarget.DNSName,
      HostedZoneId: plainId(AliasTarget.HostedZoneId),
      EvaluateTargetHealth: isTrue(AliasTarget.EvaluateTargetHealth),
    },
  };
}
