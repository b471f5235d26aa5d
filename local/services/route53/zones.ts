/** Hosted zones: what the API says of them at once, and what name servers answer once a change has reached them. */
import { randomBytes } from 'node:crypto';
import type * as sdk from '@aws-sdk/client-route-53';
import type { Zone } from '../../dns/lookup.ts';
import { canonicalName, isDomainName } from '../../dns/names.ts';
import { AwsError, type Home } from '../../kernel.ts';
import { applyBatch, type Change } from './change-batch.ts';
import { noSuchChange, noSuchHostedZone, priorRequestNotComplete } from './errors.ts';
import { keyOf, type RecordSet, type RecordSets } from './record-sets.ts';
import { type Routing, zoneOf } from './routing.ts';

export interface HostedZone {
  readonly id: string;
  /** Canonical. */
  readonly name: string;
  readonly callerReference: string;
  readonly comment: string | undefined;
  /** Answered within VPCs only, and so by nobody here. */
  readonly isPrivate: boolean;
  readonly nameServers: readonly string[];
  readonly tags: Map<string, string>;
  /** As the API has them. */
  sets: RecordSets;
  /** As the name servers have them; undefined before they have the zone. */
  answered: RecordSets | undefined;
  isChanging: boolean;
}

export interface ChangeRecord {
  readonly id: string;
  readonly comment: string | undefined;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  isPropagated: boolean;
}

/** "Changes generally propagate to all Route 53 name servers within 60 seconds" (API reference, ChangeResourceRecordSets). */
export const propagationMs = 60_000;
/** A batch is processed in less than a second; another for the same zone is refused meanwhile. */
export const processingMs = 500;

export class Zones {
  readonly #home: Home;
  readonly #routing: Routing;
  readonly #zones = new Map<string, HostedZone>();
  readonly #changes = new Map<string, ChangeRecord>();
  readonly #ended = new AbortController();

  constructor(home: Home, routing: Routing) {
    this.#home = home;
    this.#routing = routing;
  }

  /** Throws HostedZoneAlreadyExists for a caller reference that was used before, InvalidDomainName. */
  create(
    name: string,
    callerReference: string,
    { comment, isPrivate = false }: { comment?: string | undefined; isPrivate?: boolean } = {},
  ): { zone: HostedZone; change: ChangeRecord } {
    const canonical = canonicalName(name);
    if (!isDomainName(canonical)) throw new AwsError('InvalidDomainName', `The domain name is invalid: ${name}`);
    if (this.all().some((zone) => zone.callerReference === callerReference)) {
      throw new AwsError(
        'HostedZoneAlreadyExists',
        `A hosted zone has already been created with the specified caller reference: ${callerReference}`,
      );
    }
    const nameServers = delegationSet();
    const sets = apex(canonical, nameServers);
    const zone: HostedZone = {
      ...{ id: uniqueId('Z'), name: canonical, callerReference, comment, isPrivate, nameServers },
      ...{ tags: new Map(), sets, answered: undefined, isChanging: false },
    };
    this.#zones.set(zone.id, zone);
    return { zone, change: this.#propagate(comment, () => this.#answer(zone, sets)) };
  }

  /** By id, or by what the API answers as one: `/hostedzone/<id>`. Throws NoSuchHostedZone. */
  find(id: string | undefined): HostedZone {
    const zone = this.#zones.get(plainId(id));
    if (zone === undefined) throw noSuchHostedZone(plainId(id));
    return zone;
  }

  all(): readonly HostedZone[] {
    return [...this.#zones.values()];
  }

  /** Throws HostedZoneNotEmpty where there is more than the SOA and the NS record that every zone has. */
  delete(id: string | undefined): ChangeRecord {
    const zone = this.find(id);
    if ([...zone.sets.values()].some(({ name, type }) => name !== zone.name || !['NS', 'SOA'].includes(type))) {
      throw new AwsError(
        'HostedZoneNotEmpty',
        'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
      );
    }
    this.#zones.delete(zone.id);
    zone.answered = undefined;
    return this.#propagate(undefined, () => {});
  }

  /** Throws InvalidChangeBatch, or PriorRequestNotComplete while another batch is being processed. */
  async change(zone: HostedZone, changes: readonly Change[], comment?: string): Promise<ChangeRecord> {
    if (zone.isChanging) throw priorRequestNotComplete();
    const next = applyBatch(zone, zone.sets, changes);
    zone.isChanging = true;
    try {
      await this.#home.clock.sleep(processingMs, this.#ended.signal);
    } finally {
      zone.isChanging = false;
    }
    zone.sets = next;
    return this.#propagate(comment, () => this.#answer(zone, next));
  }

  /** Throws NoSuchChange. */
  findChange(id: string | undefined): ChangeRecord {
    const change = this.#changes.get(plainId(id));
    if (change === undefined) throw noSuchChange(plainId(id));
    return change;
  }

  /** Resolves when every name server has it. */
  async propagation(change: ChangeRecord): Promise<void> {
    while (!change.isPropagated) await this.#home.clock.sleep(1000, this.#ended.signal);
  }

  /** What name servers answer now. */
  answered(): readonly Zone[] {
    return this.all().flatMap(({ name, answered }) => (answered ? [zoneOf(name, answered, this.#routing)] : []));
  }

  stop(): void {
    this.#ended.abort();
  }

  /** A zone that was deleted meanwhile stays gone. */
  #answer(zone: HostedZone, sets: RecordSets): void {
    if (this.#zones.has(zone.id) && !zone.isPrivate) zone.answered = sets;
  }

  #propagate(comment: string | undefined, arrive: () => void): ChangeRecord {
    const { clock } = this.#home;
    const change: ChangeRecord = { id: uniqueId('C'), comment, submittedAt: clock.now(), isPropagated: false };
    this.#changes.set(change.id, change);
    clock.sleep(propagationMs, this.#ended.signal).then(
      () => {
        arrive();
        change.isPropagated = true;
      },
      () => {}, // the cloud ended
    );
    return change;
  }
}

export const plainId = (id: string | undefined): string => (id ?? '').split('/').at(-1) ?? '';

export const showChange = ({ id, isPropagated, submittedAt, comment }: ChangeRecord): sdk.ChangeInfo => ({
  Id: `/change/${id}`,
  Status: isPropagated ? 'INSYNC' : 'PENDING',
  SubmittedAt: new Date(submittedAt),
  ...(comment !== undefined && { Comment: comment }),
});

/** As Route 53 writes ids: a letter for what it is, then 20 capitals and digits. */
function uniqueId(kind: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return kind + Array.from(randomBytes(20), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Four servers under four top-level domains, as Route 53 assigns them. */
function delegationSet(): readonly string[] {
  return ['com', 'net', 'org', 'co.uk'].map((domain, index) => {
    const number = 512 * index + (randomBytes(2).readUInt16BE(0) % 512);
    return `ns-${number}.awsdns-${String(Math.floor(number / 8) % 64).padStart(2, '0')}.${domain}`;
  });
}

/** The records that every zone has, with Route 53's own values (Developer Guide, "NS and SOA records"). */
function apex(name: string, nameServers: readonly string[]): RecordSets {
  const simple = { name, identifier: undefined, weight: undefined, failover: undefined, healthCheckId: undefined };
  const soa = `${nameServers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400`;
  const sets: RecordSet[] = [
    { ...simple, type: 'NS', ttl: 172_800, values: nameServers.map((server) => `${server}.`), alias: undefined },
    { ...simple, type: 'SOA', ttl: 900, values: [soa], alias: undefined },
  ];
  return new Map(sets.map((set) => [keyOf(set), set]));
}
