/** Resource record sets as Route 53 keeps them, and how their API form is read and shown. */
import type * as sdk from '@aws-sdk/client-route-53';
import { parseData, type RecordType, recordTypes } from '../../dns/data.ts';
import { canonicalName, compareNames, escapedName, isDomainName } from '../../dns/names.ts';
import { notImplemented, refuseUnknown } from '../declare.ts';
import { invalidInput } from './errors.ts';

export interface RecordSet {
  /** Canonical; a leading `*` is a wildcard. */
  readonly name: string;
  readonly type: RecordType;
  /** Of every set that is not simple. */
  readonly identifier: string | undefined;
  readonly weight: number | undefined;
  readonly failover: 'PRIMARY' | 'SECONDARY' | undefined;
  readonly healthCheckId: string | undefined;
  /** Seconds; an alias has its target's. */
  readonly ttl: number | undefined;
  readonly values: readonly string[];
  readonly alias: Alias | undefined;
}

/** Another record set of the same zone and type. */
export interface Alias {
  readonly zoneId: string;
  readonly name: string;
  readonly evaluatesTargetHealth: boolean;
}

export type Policy = 'simple' | 'weighted' | 'failover';

/** By `keyOf`. Never changed: a change makes a new one. */
export type RecordSets = ReadonlyMap<string, RecordSet>;

export const keyOf = ({ name, type, identifier }: Pick<RecordSet, 'name' | 'type' | 'identifier'>): string =>
  JSON.stringify([name, type, identifier ?? null]);

export const policyOf = ({ weight, failover }: RecordSet): Policy =>
  failover !== undefined ? 'failover' : weight !== undefined ? 'weighted' : 'simple';

export const groupOf = (sets: RecordSets, name: string, type: RecordType): readonly RecordSet[] =>
  [...sets.values()].filter((set) => set.name === name && set.type === type);

/** How error messages name a set. */
export const described = ({ name, type, identifier }: RecordSet): string =>
  `[name='${escapedName(name)}', type='${type}'${identifier === undefined ? '' : `, set-identifier='${identifier}'`}]`;

/** In the order of ListResourceRecordSets. */
export function compareSets(a: RecordSet, b: RecordSet): number {
  const [left, right] = [`${a.type} ${a.identifier ?? ''}`, `${b.type} ${b.identifier ?? ''}`];
  return compareNames(a.name, b.name) || (left < right ? -1 : left > right ? 1 : 0);
}

const members = [
  ...['Name', 'Type', 'SetIdentifier', 'Weight', 'Failover', 'HealthCheckId', 'TTL', 'ResourceRecords'],
  'AliasTarget',
];

/** Throws InvalidInput for a form that no zone could take, NotImplemented for a routing policy that is not here. */
export function readRecordSet(input: sdk.ResourceRecordSet | undefined): RecordSet {
  if (input?.Name === undefined || input.Type === undefined) throw invalidInput('Name and Type are required.');
  refuseUnknown('a resource record set', input, members);
  const type = recordTypes.find((each) => each === input.Type);
  if (type === undefined) throw notImplemented(`records of type ${input.Type}`);
  const set: RecordSet = {
    name: canonicalName(input.Name),
    type,
    identifier: input.SetIdentifier,
    weight: input.Weight,
    failover: input.Failover,
    healthCheckId: input.HealthCheckId,
    ttl: input.TTL,
    values: (input.ResourceRecords ?? []).map(({ Value = '' }) => Value),
    alias: input.AliasTarget && readAlias(input.AliasTarget),
  };
  const trouble = troubleOf(set);
  if (trouble !== undefined) throw invalidInput(`Invalid request: ${described(set)}: ${trouble}`);
  return set;
}

function readAlias({ HostedZoneId = '', DNSName = '', EvaluateTargetHealth = false }: sdk.AliasTarget): Alias {
  return { zoneId: HostedZoneId, name: canonicalName(DNSName), evaluatesTargetHealth: EvaluateTargetHealth };
}

function troubleOf(set: RecordSet): string | undefined {
  const { name, identifier, weight, failover, ttl, values, alias } = set;
  const isRouted = weight !== undefined || failover !== undefined;
  if (!isDomainName(name)) return 'Name is no domain name.';
  if (weight !== undefined && failover !== undefined) return 'Expected only one of Weight and Failover.';
  if (isRouted !== (identifier !== undefined)) {
    return isRouted ? 'Missing field SetIdentifier.' : 'SetIdentifier without Weight or Failover.';
  }
  if (weight !== undefined && !(weight >= 0 && weight <= 255)) return 'Weight must be between 0 and 255.';
  if (isRouted && ['NS', 'SOA'].includes(set.type)) return `Records of type ${set.type} are simple.`;
  if (alias !== undefined) {
    return ttl !== undefined || values.length > 0 ? 'An alias has neither TTL nor ResourceRecords.' : undefined;
  }
  if (ttl === undefined || values.length === 0) return 'Expected either AliasTarget, or TTL and ResourceRecords.';
  return ttl >= 0 && ttl <= 2_147_483_647 ? undefined : 'TTL must be between 0 and 2147483647.';
}

/** The first value that is none of the set's type. */
export const malformedValue = ({ type, values }: RecordSet): string | undefined =>
  values.find((value) => parseData(type, value) === undefined);

export function showRecordSet(set: RecordSet): sdk.ResourceRecordSet {
  const { identifier, weight, failover, healthCheckId, ttl, values, alias } = set;
  return {
    Name: escapedName(set.name),
    Type: set.type,
    ...(identifier !== undefined && { SetIdentifier: identifier }),
    ...(weight !== undefined && { Weight: weight }),
    ...(failover !== undefined && { Failover: failover }),
    ...(ttl !== undefined && { TTL: ttl }),
    ...(values.length > 0 && { ResourceRecords: values.map((Value) => ({ Value })) }),
    ...(alias && {
      AliasTarget: {
        HostedZoneId: alias.zoneId,
        DNSName: escapedName(alias.name),
        EvaluateTargetHealth: alias.evaluatesTargetHealth,
      },
    }),
    ...(healthCheckId !== undefined && { HealthCheckId: healthCheckId }),
  };
}
