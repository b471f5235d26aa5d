/** Hosted zones as a whole: every record set, read and put back. */
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { RecordSetBackup } from '../../../core/configuration/contracts.ts';
import type { Zones } from '../../../core/configuration/ports.ts';
import { route53, zoneNamed } from './zone.ts';

/** Route 53 takes 1000 changes at a time, and counts an UPSERT twice (quotas). */
const batchSize = 500;

export function hostedZones(): Zones {
  const client = route53();
  const change = async (zone: string, Action: 'UPSERT' | 'DELETE', sets: readonly RecordSetBackup[]) => {
    const HostedZoneId = await zoneNamed(zone);
    if (HostedZoneId === undefined) throw new Error(`there is no hosted zone ${zone}`);
    for (let from = 0; from < sets.length; from += batchSize) {
      const Changes = sets
        .slice(from, from + batchSize)
        .map((set): Change => ({ Action, ResourceRecordSet: set as ResourceRecordSet }));
      await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch: { Changes } }));
    }
  };
  return {
    async read(zone) {
      const HostedZoneId = await zoneNamed(zone);
      if (HostedZoneId === undefined) return undefined;
      const sets: RecordSetBackup[] = [];
      let from = {};
      for (;;) {
        const page = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId, ...from }));
        sets.push(
          ...(page.ResourceRecordSets ?? []).map((set) => RecordSetBackup.parse(JSON.parse(JSON.stringify(set)))),
        );
        if (!page.IsTruncated) return sets;
        from = {
          StartRecordName: page.NextRecordName,
          StartRecordType: page.NextRecordType,
          StartRecordIdentifier: page.NextRecordIdentifier,
        };
      }
    },
    put: (zone, sets) => change(zone, 'UPSERT', sets),
    async remove(zone, sets) {
      try {
        await change(zone, 'DELETE', sets);
      } catch (error) {
        // A DELETE names values exactly: a set that is not there is this error.
        if (!(error instanceof Error && error.name === 'InvalidChangeBatch' && /not found/.test(error.message)))
          throw error;
      }
    },
  };
}
