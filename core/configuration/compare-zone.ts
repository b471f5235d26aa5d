/** In what a zone differs from its recording. Pure. What was added since is nobody’s loss. */
import type { Settings } from '../settings.ts';
import type { Affected, RecordSetBackup } from './contracts.ts';

type Traffic = Pick<Settings['traffic'], 'hostedZoneName' | 'strategy' | 'recordName' | 'drillRecordName'>;

/** The record that a drill makes and loses, below the name that drills shift. */
export const drillRecordOf = ({ drillRecordName }: Pick<Traffic, 'drillRecordName'>): string =>
  `configuration.${drillRecordName}`;

const nameOf = ({ Name }: RecordSetBackup) => Name.replace(/\.$/, '').toLowerCase();
/** `api.example.com A PRIMARY` */
export const titleOf = (set: RecordSetBackup): string =>
  [nameOf(set), set.Type, ...(set.SetIdentifier === undefined ? [] : [set.SetIdentifier])].join(' ');

/** What is worth recording: Route 53 keeps SOA and NS of the apex itself, and a drill’s record is the drill’s. */
export const recordable = (sets: readonly RecordSetBackup[], traffic: Traffic): RecordSetBackup[] =>
  sets.filter((set) => {
    const isApex = nameOf(set) === traffic.hostedZoneName;
    return !(isApex && (set.Type === 'SOA' || set.Type === 'NS')) && nameOf(set) !== drillRecordOf(traffic);
  });

/** Deleted sets, and sets whose values are others; both come back from the recording. */
export function compareZone(
  recorded: readonly RecordSetBackup[],
  actual: readonly RecordSetBackup[],
  traffic: Traffic,
): Affected[] {
  const now = new Map(actual.map((set) => [titleOf(set), set]));
  return recorded.flatMap((set): Affected[] => {
    const found = now.get(titleOf(set));
    if (found !== undefined && (same(set, found) || isMoved(set, traffic))) return [];
    return [
      {
        kind: 'record',
        name: titleOf(set),
        is: found === undefined ? 'absent' : valuesOf(found),
        shouldBe: valuesOf(set),
        way: 'recorded-zone',
      },
    ];
  });
}

/** A failover changes these records itself where traffic follows no latch: where they lead says nothing. */
const isMoved = (set: RecordSetBackup, { strategy, recordName, drillRecordName }: Traffic): boolean =>
  strategy === 'change-record-sets' && [recordName, drillRecordName].includes(nameOf(set));

/** Whatever a set has, in an order of its own: Route 53 promises none for values. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => JSON.stringify(canonical(each))).sort();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, canonical(each)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
const same = (a: RecordSetBackup, b: RecordSetBackup): boolean =>
  JSON.stringify(canonical({ ...a, Name: nameOf(a) })) === JSON.stringify(canonical({ ...b, Name: nameOf(b) }));

interface Values {
  readonly TTL?: number;
  readonly ResourceRecords?: readonly { readonly Value?: string }[];
  readonly AliasTarget?: { readonly DNSName?: string };
  readonly HealthCheckId?: string;
}

/** Where it leads, in a line. */
function valuesOf(set: RecordSetBackup): string {
  const { TTL, ResourceRecords = [], AliasTarget, HealthCheckId } = set as Values;
  const target = AliasTarget ? `alias of ${AliasTarget.DNSName}` : ResourceRecords.map(({ Value }) => Value).join(', ');
  return [
    target,
    ...(TTL === undefined ? [] : [`TTL ${TTL} s`]),
    ...(HealthCheckId ? [`by ${HealthCheckId}`] : []),
  ].join(', ');
}
