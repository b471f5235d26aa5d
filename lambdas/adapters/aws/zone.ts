/** A hosted zone and its record sets, by name. Route 53's control plane is in us-east-1 from wherever it is called. */
import {
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { clientFor } from './clients.ts';

/** A name without the dot in which Route 53 ends it. */
export const bare = (name: string | undefined): string => (name ?? '').replace(/\.$/, '');

export const route53 = (): Route53Client => clientFor(Route53Client, 'us-east-1');

/** Id of the zone; undefined: there is none. */
export async function zoneNamed(name: string): Promise<string | undefined> {
  const { HostedZones = [] } = await route53().send(new ListHostedZonesByNameCommand({ DNSName: name, MaxItems: 1 }));
  return HostedZones.find((each) => bare(each.Name) === name)?.Id;
}

/** The sets of one name: a page holds hundreds, and begins with it. */
export async function setsOf(HostedZoneId: string, name: string): Promise<ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await route53().send(
    new ListResourceRecordSetsCommand({ HostedZoneId, StartRecordName: name }),
  );
  return ResourceRecordSets.filter((each) => bare(each.Name) === name);
}
