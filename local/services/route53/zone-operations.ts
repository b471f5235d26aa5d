/** Operations on hosted zones, their records and changes. */
import type * as sdk from '@aws-sdk/client-route-53';
import { type RecordType, recordTypes, showData } from '../../dns/data.ts';
import { lookUp } from '../../dns/lookup.ts';
import { canonicalName, compareNames, escapedName, isWithin } from '../../dns/names.ts';
import { type Access, AwsError, type Operation } from '../../kernel.ts';
import { notImplemented, operation } from '../declare.ts';
import type { Change } from './change-batch.ts';
import { invalidInput } from './errors.ts';
import { compareSets, type RecordSet, readRecordSet, showRecordSet } from './record-sets.ts';
import { type HostedZone, plainId, showChange, type Zones } from './zones.ts';

/** What lists answer at most. */
const longestPage = 300;

export const zoneArn = (id: string | undefined): string => `arn:aws:route53:::hostedzone/${plainId(id)}`;

export function zoneOperations(zones: Zones, hasHealthCheck: (id: string) => boolean): Record<string, Operation> {
  return { ...hostedZoneOperations(zones), ...recordOperations(zones, hasHealthCheck) };
}

const on =
  (action: string) =>
  ({ Id, HostedZoneId }: { Id?: string | undefined; HostedZoneId?: string | undefined }): Access => ({
    action: `route53:${action}`,
    resources: [zoneArn(Id ?? HostedZoneId)],
  });
const onAll = (action: string) => (): Access => ({ action: `route53:${action}`, resources: ['*'] });

function hostedZoneOperations(zones: Zones): Record<string, Operation> {
  return {
    CreateHostedZone: operation<sdk.CreateHostedZoneRequest, sdk.CreateHostedZoneResponse>(
      ['Name', 'CallerReference', 'HostedZoneConfig', 'VPC'],
      onAll('CreateHostedZone'),
      ({ Name = '', CallerReference, HostedZoneConfig: { Comment: comment, PrivateZone } = {}, VPC }) => {
        if (!CallerReference) throw invalidInput('CallerReference is required.');
        // A VPC makes a zone private; the flag alone does not (API reference, CreateHostedZone).
        if (PrivateZone && !VPC) throw invalidInput('A private hosted zone is associated with a VPC.');
        const { zone, change } = zones.create(Name, CallerReference, { comment, isPrivate: VPC !== undefined });
        return {
          ...{ HostedZone: showZone(zone), ChangeInfo: showChange(change), DelegationSet: delegationSet(zone) },
          ...(VPC && { VPC }),
          Location: `https://route53.amazonaws.com/2013-04-01/hostedzone/${zone.id}`,
        };
      },
    ),
    GetHostedZone: operation<sdk.GetHostedZoneRequest, sdk.GetHostedZoneResponse>(
      ['Id'],
      on('GetHostedZone'),
      ({ Id }) => {
        const zone = zones.find(Id);
        return { HostedZone: showZone(zone), DelegationSet: delegationSet(zone) };
      },
    ),
    ListHostedZones: operation<sdk.ListHostedZonesRequest, sdk.ListHostedZonesResponse>(
      ['Marker', 'MaxItems'],
      onAll('ListHostedZones'),
      ({ Marker, MaxItems = 100 }) => {
        const all = zones.all().toSorted((a, b) => (a.id < b.id ? -1 : 1));
        const { items, next } = pageFrom(
          all,
          Marker === undefined ? 0 : all.findIndex(({ id }) => id === Marker),
          MaxItems,
        );
        const NextMarker = next && { NextMarker: next.id };
        return { HostedZones: items.map(showZone), Marker: Marker ?? '', IsTruncated: !!next, ...NextMarker, MaxItems };
      },
    ),
    ListHostedZonesByName: operation<sdk.ListHostedZonesByNameRequest, sdk.ListHostedZonesByNameResponse>(
      ['DNSName', 'HostedZoneId', 'MaxItems'],
      onAll('ListHostedZonesByName'),
      ({ DNSName, HostedZoneId, MaxItems = 100 }) => {
        const order = (a: HostedZone, b: HostedZone) => compareNames(a.name, b.name) || (a.id < b.id ? -1 : 1);
        const all = zones.all().toSorted(order);
        const start = DNSName && canonicalName(DNSName);
        const from = all.findIndex(({ id, name }) => {
          const after = start === undefined ? 1 : compareNames(name, start);
          return after > 0 || (after === 0 && (!HostedZoneId || id >= plainId(HostedZoneId)));
        });
        const { items, next } = pageFrom(all, from, MaxItems);
        return {
          HostedZones: items.map(showZone),
          ...(DNSName !== undefined && { DNSName }),
          ...(HostedZoneId !== undefined && { HostedZoneId }),
          IsTruncated: next !== undefined,
          ...(next && { NextDNSName: escapedName(next.name), NextHostedZoneId: next.id }),
          MaxItems,
        };
      },
    ),
    DeleteHostedZone: operation<sdk.DeleteHostedZoneRequest, sdk.DeleteHostedZoneResponse>(
      ['Id'],
      on('DeleteHostedZone'),
      ({ Id }) => ({ ChangeInfo: showChange(zones.delete(Id)) }),
    ),
    GetChange: operation<sdk.GetChangeRequest, sdk.GetChangeResponse>(
      ['Id'],
      ({ Id }) => ({ action: 'route53:GetChange', resources: [`arn:aws:route53:::change/${plainId(Id)}`] }),
      ({ Id }) => ({ ChangeInfo: showChange(zones.findChange(Id)) }),
    ),
  };
}

const showZone = (zone: HostedZone): sdk.HostedZone => ({
  Id: `/hostedzone/${zone.id}`,
  Name: escapedName(zone.name),
  CallerReference: zone.callerReference,
  Config: { ...(zone.comment !== undefined && { Comment: zone.comment }), PrivateZone: zone.isPrivate },
  ResourceRecordSetCount: zone.sets.size,
});

const delegationSet = ({ nameServers }: HostedZone): sdk.DelegationSet => ({ NameServers: [...nameServers] });

function recordOperations(zones: Zones, hasHealthCheck: (id: string) => boolean): Record<string, Operation> {
  return {
    ChangeResourceRecordSets: operation<sdk.ChangeResourceRecordSetsRequest, sdk.ChangeResourceRecordSetsResponse>(
      ['HostedZoneId', 'ChangeBatch'],
      changeAccess,
      async ({ HostedZoneId, ChangeBatch }) => {
        const zone = zones.find(HostedZoneId);
        const changes = readChanges(ChangeBatch);
        for (const { action, set } of changes) {
          if (action === 'DELETE' || set.healthCheckId === undefined || hasHealthCheck(set.healthCheckId)) continue;
          throw new AwsError('NoSuchHealthCheck', `No health check found with ID: ${set.healthCheckId}`);
        }
        return { ChangeInfo: showChange(await zones.change(zone, changes, ChangeBatch?.Comment)) };
      },
    ),
    ListResourceRecordSets: operation<sdk.ListResourceRecordSetsRequest, sdk.ListResourceRecordSetsResponse>(
      ['HostedZoneId', 'StartRecordName', 'StartRecordType', 'StartRecordIdentifier', 'MaxItems'],
      on('ListResourceRecordSets'),
      ({ HostedZoneId, MaxItems = longestPage, ...start }) => {
        const all = [...zones.find(HostedZoneId).sets.values()].sort(compareSets);
        const { items, next } = pageFrom(all, startOf(all, start), Math.min(MaxItems, longestPage));
        return {
          ResourceRecordSets: items.map(showRecordSet),
          IsTruncated: next !== undefined,
          ...(next && { NextRecordName: escapedName(next.name), NextRecordType: next.type }),
          ...(next?.identifier !== undefined && { NextRecordIdentifier: next.identifier }),
          MaxItems,
        };
      },
    ),
    TestDNSAnswer: operation<sdk.TestDNSAnswerRequest, sdk.TestDNSAnswerResponse>(
      ['HostedZoneId', 'RecordName', 'RecordType'],
      onAll('TestDNSAnswer'),
      ({ HostedZoneId, RecordName = '', RecordType }) => {
        const zone = zones.find(HostedZoneId);
        const name = canonicalName(RecordName);
        if (!isWithin(name, zone.name)) throw invalidInput(`${RecordName} is not in the zone ${zone.name}`);
        const type = recordTypes.find((each): each is RecordType => each === RecordType);
        if (type === undefined) throw notImplemented(`records of type ${RecordType}`);
        const { code, answers } = lookUp(zones.answered(), name, type);
        return {
          ...{ Nameserver: zone.nameServers[0], RecordName, RecordType, ResponseCode: code, Protocol: 'UDP' },
          RecordData: answers.map((record) => showData(record.data, record.type)),
        };
      },
    ),
  };
}

/** The condition keys name what the batch touches: names in lower case, without their dot, escaped. */
function changeAccess({ HostedZoneId, ChangeBatch }: sdk.ChangeResourceRecordSetsRequest): Access {
  const changes = ChangeBatch?.Changes ?? [];
  const sets = changes.map(({ ResourceRecordSet }) => ResourceRecordSet);
  const key = 'route53:ChangeResourceRecordSets';
  const distinct = (values: readonly (string | undefined)[]) => [
    ...new Set(values.filter((each) => each !== undefined)),
  ];
  const names = sets.map((set) => escapedName(canonicalName(set?.Name ?? '')).slice(0, -1));
  return {
    action: 'route53:ChangeResourceRecordSets',
    resources: [zoneArn(HostedZoneId)],
    conditions: {
      [`${key}NormalizedRecordNames`]: distinct(names),
      [`${key}RecordTypes`]: distinct(sets.map((set) => set?.Type)),
      [`${key}Actions`]: distinct(changes.map(({ Action }) => Action)),
    },
  };
}

function readChanges(batch: sdk.ChangeBatch | undefined): readonly Change[] {
  const changes = batch?.Changes ?? [];
  // An UPSERT counts twice (Developer Guide, "Quotas").
  const weight = changes.reduce((sum, { Action }) => sum + (Action === 'UPSERT' ? 2 : 1), 0);
  if (changes.length === 0 || weight > 1000) throw invalidInput('A batch has between 1 and 1000 changes.');
  return changes.map(({ Action, ResourceRecordSet }) => {
    if (Action !== 'CREATE' && Action !== 'UPSERT' && Action !== 'DELETE') throw invalidInput(`No action ${Action}`);
    return { action: Action, set: readRecordSet(ResourceRecordSet) };
  });
}

type Start = Pick<sdk.ListResourceRecordSetsRequest, 'StartRecordName' | 'StartRecordType' | 'StartRecordIdentifier'>;

/** The index of the first that does not come before what is asked for. */
function startOf(sets: readonly RecordSet[], start: Start): number {
  const { StartRecordName, StartRecordType = '', StartRecordIdentifier = '' } = start;
  if (StartRecordName === undefined) {
    if (start.StartRecordType !== undefined) throw invalidInput('StartRecordType without StartRecordName.');
    return 0;
  }
  const asked = { name: canonicalName(StartRecordName), type: StartRecordType, identifier: StartRecordIdentifier };
  return sets.findIndex((set) => compareSets(set, { ...set, ...asked } as RecordSet) >= 0);
}

/** Nothing from a negative index. */
function pageFrom<T>(all: readonly T[], from: number, limit: number): { items: readonly T[]; next: T | undefined } {
  if (from < 0) return { items: [], next: undefined };
  return { items: all.slice(from, from + limit), next: all[from + limit] };
}
