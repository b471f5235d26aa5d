/**
 * What an authoritative server answers (RFC 1034, 4.3.2; RFC 2308; RFC 4592): records, a CNAME with what it leads to in
 * the zone, a delegation, or nothing with the zone's SOA. Knows no API; routing policies are the zone's business.
 */
import type { RecordData, RecordType, Soa } from './data.ts';
import { isWithin, parentOf } from './names.ts';

export interface DnsRecord {
  /** Canonical. */
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  readonly data: RecordData;
}

/** A zone as it answers now. Names are canonical. */
export interface Zone {
  readonly name: string;
  /** Whether there is a record at this name or below it. */
  exists(name: string): boolean;
  /** What is answered for this name and type now; undefined where the zone has no such records. */
  records(name: string, type: RecordType): readonly Omit<DnsRecord, 'name' | 'type'>[] | undefined;
}

export interface Answer {
  readonly code: 'NOERROR' | 'NXDOMAIN' | 'REFUSED';
  readonly isAuthoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

const nothing = { answers: [], authorities: [], additionals: [] } as const;
/** A CNAME is followed so often within the zone. */
const longestChain = 8;

/** `type` undefined: one that no zone here has. */
export function lookUp(zones: readonly Zone[], name: string, type: RecordType | undefined): Answer {
  const zone = zoneOf(zones, name);
  if (zone === undefined) return { code: 'REFUSED', isAuthoritative: false, ...nothing };
  const answers: DnsRecord[] = [];
  let owner = name;
  for (let step = 0; step < longestChain; step++) {
    const cut = delegationOf(zone, owner);
    if (cut !== undefined) return referral(zone, cut, answers);
    const node = nodeOf(zone, owner);
    if (node === undefined) return negative(zone, 'NXDOMAIN', answers);
    const found = type === undefined ? undefined : recordsOf(zone, node, type);
    if (found !== undefined) {
      const own = found.map((record) => ({ ...record, name: owner }));
      return { code: 'NOERROR', isAuthoritative: true, ...nothing, answers: [...answers, ...own] };
    }
    const [alias] = zone.records(node, 'CNAME') ?? [];
    if (alias === undefined) return negative(zone, 'NOERROR', answers);
    answers.push({ ...alias, name: owner, type: 'CNAME' });
    owner = `${String(alias.data)}.`;
    if (!isWithin(owner, zone.name)) break;
  }
  return { code: 'NOERROR', isAuthoritative: true, ...nothing, answers };
}

function recordsOf(zone: Zone, name: string, type: RecordType): readonly DnsRecord[] | undefined {
  return zone.records(name, type)?.map((record) => ({ ...record, name, type }));
}

/** The closest one: a zone may have another below it. */
function zoneOf(zones: readonly Zone[], name: string): Zone | undefined {
  return zones
    .filter((zone) => isWithin(name, zone.name))
    .reduce<Zone | undefined>((best, zone) => (best && best.name.length >= zone.name.length ? best : zone), undefined);
}

/** The highest name below the apex, on the way to this one, that another server answers for. */
function delegationOf(zone: Zone, name: string): string | undefined {
  const path: string[] = [];
  for (let each = name; each !== zone.name; each = parentOf(each)) path.unshift(each);
  return path.find((each) => zone.records(each, 'NS') !== undefined);
}

/** The name itself, or the wildcard beside the closest name that exists. */
function nodeOf(zone: Zone, name: string): string | undefined {
  if (zone.exists(name)) return name;
  let encloser = parentOf(name);
  while (!zone.exists(encloser) && encloser !== zone.name) encloser = parentOf(encloser);
  const wildcard = `*.${encloser}`;
  return zone.exists(wildcard) ? wildcard : undefined;
}

function referral(zone: Zone, cut: string, answers: readonly DnsRecord[]): Answer {
  const authorities = recordsOf(zone, cut, 'NS') ?? [];
  const additionals = authorities
    .map(({ data }) => `${String(data)}.`)
    .filter((server) => isWithin(server, zone.name))
    .flatMap((server) => (['A', 'AAAA'] as const).flatMap((type) => recordsOf(zone, server, type) ?? []));
  return { code: 'NOERROR', isAuthoritative: answers.length > 0, answers, authorities, additionals };
}

/** A resolver may keep "there is none" for the lesser of the SOA's TTL and its minimum. */
function negative(zone: Zone, code: 'NOERROR' | 'NXDOMAIN', answers: readonly DnsRecord[]): Answer {
  const authorities = (recordsOf(zone, zone.name, 'SOA') ?? []).map((soa) => ({
    ...soa,
    ttl: Math.min(soa.ttl, (soa.data as Soa).minimum),
  }));
  return { code, isAuthoritative: true, ...nothing, answers, authorities };
}
