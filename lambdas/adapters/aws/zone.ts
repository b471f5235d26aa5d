/** A hosted zone and its record sets, by name. Route 53's control plane is in us-east-1 from wherever it is called. */
import {
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { ZoneAmbiguous } from '../../../core/configuration/errors.ts';
import { clientFor } from './clients.ts';

/** A name without the dot in which Route 53 ends it. */
export const bare = (name: string | undefined): string => (name ?? '').replace(/\.$/, '');

export const route53 = (): Route53Client => clientFor(Route53Client, 'us-east-1');

/**
 * Id of the public zone; undefined: there is none. With split-view DNS a private one bears the same name, and several
 * public ones may (Developer Guide: hosted-zone-private-considerations). Throws ZoneAmbiguous where there are several: which
 * of them the registrar leads to is not Route 53's to say.
 */
export async function zoneNamed(name: string): Promise<string | undefined> {
  // Those of this name come first.
  const { HostedZones = [] } = await route53().send(new ListHostedZonesByNameCommand({ DNSName: name }));
  const [zone, ...others] = HostedZones.filter(({ Name, Config }) => bare(Name) === name && !Config?.PrivateZone);
  if (others.length > 0)
    throw ZoneAmbiguous(
      `There are ${others.length + 1} public hosted zones ${name}: ${[zone, ...others].map((each) => each?.Id?.replace('/hostedzone/', '')).join(', ')}`,
    );
  return zone?.Id;
}

/** The sets of one name: a page holds hundreds, and begins with it. */
export async function setsOf(HostedZoneId: string, name: string): Promise<ResourceRecordSet[]> {
  const { ResourceRecordSets = [] } = await route53().send(
    new ListResourceRecordSetsCommand({ HostedZoneId, StartRecordName: name }),
  );
  return ResourceRecordSets.filter((each) => bare(each.Name) === name);
}
