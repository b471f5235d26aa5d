/** Route 53's control plane, which is in us-east-1 from wherever it is called. */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { StandbyMissing } from '../../../core/region/errors.ts';
import type { Records } from '../../../core/region/ports.ts';
import { clientFor } from './clients.ts';

const bare = (name: string | undefined) => (name ?? '').replace(/\.$/, '');

export function records(): Records {
  const client = clientFor(Route53Client, 'us-east-1');
  return {
    async copy(zone, like, name) {
      const { HostedZones = [] } = await client.send(new ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: 1 }));
      const [found] = HostedZones.filter((each) => bare(each.Name) === zone);
      if (found === undefined) throw StandbyMissing(`There is no hosted zone ${zone}.`);
      const { ResourceRecordSets = [] } = await client.send(
        new ListResourceRecordSetsCommand({ HostedZoneId: found.Id, StartRecordName: like }),
      );
      const sets = ResourceRecordSets.filter((each) => bare(each.Name) === like);
      const own = (
        await client.send(new ListResourceRecordSetsCommand({ HostedZoneId: found.Id, StartRecordName: name }))
      ).ResourceRecordSets?.filter((each) => bare(each.Name) === name);
      // Only what the name has already: an UPSERT is safe to repeat.
      const wanted = sets.filter(({ Type }) => own?.some((each) => each.Type === Type));
      const Changes = wanted.map((set) => ({ Action: 'UPSERT' as const, ResourceRecordSet: renamed(set, name) }));
      if (Changes.length === 0) throw StandbyMissing(`${name} and ${like} have no records of the same type.`);
      const { ChangeInfo } = await client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: found.Id, ChangeBatch: { Changes } }),
      );
      return ChangeInfo?.Id ?? '';
    },
    async isInSync(Id) {
      const { ChangeInfo } = await client.send(new GetChangeCommand({ Id }));
      return ChangeInfo?.Status === 'INSYNC';
    },
  };
}

const renamed = (set: ResourceRecordSet, Name: string): ResourceRecordSet => ({ ...set, Name });
