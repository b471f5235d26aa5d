/** Changes of records, by Route 53's control plane. */
import { ChangeResourceRecordSetsCommand, GetChangeCommand, type ResourceRecordSet } from '@aws-sdk/client-route-53';
import { StandbyMissing } from '../../../core/region/errors.ts';
import type { Records } from '../../../core/region/ports.ts';
import { route53, setsOf, zoneNamed } from './zone.ts';

export function records(): Records {
  const client = route53();
  return {
    async copy(zone, like, name) {
      const HostedZoneId = await zoneNamed(zone);
      if (HostedZoneId === undefined) throw StandbyMissing(`There is no hosted zone ${zone}.`);
      const sets = await setsOf(HostedZoneId, like);
      const own = await setsOf(HostedZoneId, name);
      // Only what the name has already: an UPSERT is safe to repeat.
      const wanted = sets.filter(({ Type }) => own.some((each) => each.Type === Type));
      const Changes = wanted.map((set) => ({ Action: 'UPSERT' as const, ResourceRecordSet: renamed(set, name) }));
      if (Changes.length === 0) throw StandbyMissing(`${name} and ${like} have no records of the same type.`);
      const { ChangeInfo } = await client.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }),
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
