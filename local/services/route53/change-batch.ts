/** Applies a batch of changes to the record sets of a zone: all of them in their order, or none. */
import { escapedName, isWithin } from '../../dns/names.ts';
import { notImplemented } from '../declare.ts';
import { invalidChangeBatch } from './errors.ts';
import {
  described,
  groupOf,
  keyOf,
  malformedValue,
  policyOf,
  type RecordSet,
  type RecordSets,
  showRecordSet,
} from './record-sets.ts';

export interface Change {
  readonly action: 'CREATE' | 'UPSERT' | 'DELETE';
  readonly set: RecordSet;
}

export interface ZoneIdentity {
  readonly id: string;
  readonly name: string;
}

/** Throws InvalidChangeBatch with every reason. */
export function applyBatch(zone: ZoneIdentity, current: RecordSets, changes: readonly Change[]): RecordSets {
  const next = new Map(current);
  const troubles = changes.flatMap((change) => {
    const trouble = change.action === 'DELETE' ? refusedDeletion(zone, next, change.set) : refused(zone, next, change);
    if (trouble !== undefined) return [trouble];
    if (change.action === 'DELETE') next.delete(keyOf(change.set));
    else next.set(keyOf(change.set), change.set);
    return [];
  });
  if (troubles.length === 0) troubles.push(...danglingAliases(zone, next));
  if (troubles.length > 0) throw invalidChangeBatch(troubles);
  return next;
}

function refusedDeletion(zone: ZoneIdentity, sets: RecordSets, set: RecordSet): string | undefined {
  const existing = sets.get(keyOf(set));
  if (existing === undefined) return `Tried to delete resource record set ${described(set)} but it was not found`;
  if (!isSame(existing, set)) {
    return `Tried to delete resource record set ${described(set)} but the values provided do not match the current values`;
  }
  if (set.name !== zone.name) return undefined;
  if (set.type === 'SOA') return 'A HostedZone must contain exactly one SOA record.';
  return set.type === 'NS' ? 'A HostedZone must contain at least one NS record for the zone itself.' : undefined;
}

/** Values are a set: their order does not count. */
function isSame(one: RecordSet, other: RecordSet): boolean {
  const form = (set: RecordSet) => JSON.stringify(showRecordSet({ ...set, values: [...set.values].sort() }));
  return form(one) === form(other);
}

function refused(zone: ZoneIdentity, sets: RecordSets, { action, set }: Change): string | undefined {
  const name = escapedName(set.name);
  const rrset = `RRSet with DNS name ${name}, type ${set.type}`;
  if (!isWithin(set.name, zone.name)) return `RRSet with DNS name ${name} is not permitted in zone ${zone.name}`;
  if (action === 'CREATE' && sets.has(keyOf(set))) {
    return `Tried to create resource record set ${described(set)} but it already exists`;
  }
  const malformed = malformedValue(set);
  if (malformed !== undefined) return `Invalid Resource Record: '${malformed}' is no value of type ${set.type}`;
  if (set.alias !== undefined && set.alias.zoneId !== zone.id) {
    throw notImplemented(`an alias to ${set.alias.name}, which is outside of its zone`);
  }
  const conflict = typeConflict(zone, sets, set);
  if (conflict !== undefined) return conflict;
  const others = groupOf(sets, set.name, set.type).filter((other) => keyOf(other) !== keyOf(set));
  if (others.some((other) => policyOf(other) !== policyOf(set))) {
    return `${rrset} cannot be created as other RRSets exist with the same name and type.`;
  }
  if (set.failover !== undefined && others.some((other) => other.failover === set.failover)) {
    return `${rrset}, SetIdentifier ${set.identifier} cannot be created as a ${set.failover} failover RRSet exists with the same name and type.`;
  }
  if (set.weight === undefined || set.alias !== undefined) return undefined;
  if (set.values.length > 1) return `${rrset}: a weighted RRSet has one resource record.`;
  return others.some(({ ttl }) => ttl !== undefined && ttl !== set.ttl)
    ? `${rrset}: all weighted RRSets of one name and type have the same TTL.`
    : undefined;
}

/** Beside a CNAME there is nothing else, and the apex has its SOA (RFC 1034, 3.6.2). */
function typeConflict(zone: ZoneIdentity, sets: RecordSets, { name, type }: RecordSet): string | undefined {
  const start = `RRSet of type ${type} with DNS name ${escapedName(name)} is not permitted`;
  if (type === 'CNAME' && name === zone.name) return `${start} at apex in zone ${zone.name}`;
  const others = [...sets.values()].filter((other) => other.name === name && other.type !== type);
  if (type === 'CNAME' && others.length > 0) {
    return `${start} as it conflicts with other records with the same DNS name in zone ${zone.name}`;
  }
  return others.some((other) => other.type === 'CNAME')
    ? `${start} because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${zone.name}`
    : undefined;
}

function danglingAliases(zone: ZoneIdentity, sets: RecordSets): string[] {
  return [...sets.values()].flatMap(({ alias, type }) => {
    if (alias === undefined || groupOf(sets, alias.name, type).length > 0) return [];
    return [
      `Tried to create an alias that targets ${escapedName(alias.name)}, type ${type} in zone ${zone.id}, but that target was not found`,
    ];
  });
}
