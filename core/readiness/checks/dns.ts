/** Records and health checks have the shape by which a failover shifts traffic. Any other answers as well, and does not move. */
import { latchAlarm } from '../../incident/identifiers.ts';
import type { Settings } from '../../settings.ts';
import { within } from '../answer.ts';
import { defineCheck, judgeFlaws, notReady } from '../check.ts';
import type { HealthCheck, RecordSet } from '../facts.ts';

interface Zone {
  readonly records: readonly RecordSet[];
  readonly healthChecks: Readonly<Record<string, HealthCheck | null>>;
}

type Latch = Parameters<typeof latchAlarm>[1];

export const dns = defineCheck({
  name: 'dns',
  title: 'A record or its health check is not shaped as a failover shifts traffic',
  dependsOn: 'global',
  scenarios: ['region'],
  facts: ({ dns: source }) => within(source, (answer) => answer),
  judge: (zone, { settings }) => {
    const { hostedZoneName, strategy, recordName, drillRecordName } = settings.traffic;
    if (zone === null) return notReady(`Route 53 has no public zone ${hostedZoneName}`);
    const shifted: readonly [string, Latch][] = [
      [recordName, 'traffic'],
      [drillRecordName, 'drill-traffic'],
    ];
    const expected =
      strategy === 'health-check'
        ? shifted.map(([name, latch]) => `${name}: a failover pair, its primary by ${alarmOf(settings, latch)}`)
        : shifted.map(([name]) => `${name}: one simple record of each type`);
    return judgeFlaws(
      shifted.flatMap(([name, latch]) => flawsOf(name, latch, zone, settings)),
      `${recordName} and ${drillRecordName} are shaped as ${strategy} shifts them`,
      { evidence: { expected, records: zone.records, healthChecks: zone.healthChecks } },
    );
  },
});

const alarmOf = ({ environment }: Settings, latch: Latch) => latchAlarm(environment, latch);

function flawsOf(name: string, latch: Latch, zone: Zone, settings: Settings): string[] {
  const own = zone.records.filter((each) => each.name === name);
  const types = [...new Set(own.map(({ type }) => type))];
  if (types.length === 0) return [`${name} has no records`];
  return types.flatMap((type) => {
    const sets = own.filter((each) => each.type === type);
    const shape =
      settings.traffic.strategy === 'health-check'
        ? flawsOfPair(sets, latch, zone, settings)
        : flawsOfSimple(sets, zone, settings);
    return [...shape, ...sets.flatMap((each) => flawsOfTtl(each, settings))];
  });
}

const told = ({ name, type, routing }: RecordSet) => `${name} ${type}${routing === 'simple' ? '' : ` ${routing}`}`;

/** What resolvers keep longer than that leads to a lost Region for longer than the objectives allow. */
function flawsOfTtl(set: RecordSet, { traffic }: Settings): string[] {
  const { ttlSeconds } = set;
  return ttlSeconds === null || ttlSeconds <= traffic.ttlSeconds
    ? []
    : [`${told(set)} is kept for ${ttlSeconds} s, not ${traffic.ttlSeconds} s`];
}

/** By its name, or to the same values as it. */
function leadsTo({ leadsTo: own, type }: RecordSet, target: string, { records }: Zone): boolean {
  const fixed = records.filter((each) => each.name === target && each.type === type);
  const values = fixed.flatMap((each) => each.leadsTo);
  return own.every((each) => each === target || values.includes(each)) && own.length > 0;
}

function flawsOfPair(sets: readonly RecordSet[], latch: Latch, zone: Zone, settings: Settings): string[] {
  const primary = sets.find(({ routing }) => routing === 'PRIMARY');
  const secondary = sets.find(({ routing }) => routing === 'SECONDARY');
  if (primary === undefined || secondary === undefined || sets.length !== 2) {
    const [first] = sets;
    return [
      `${first?.name} ${first?.type} is ${sets.map(({ routing }) => routing).join(' and ')}, no PRIMARY and SECONDARY`,
    ];
  }
  const { primaryRecordName, drRecordName } = settings.traffic;
  const flaws = (set: RecordSet, target: string) => [
    ...(leadsTo(set, target, zone) ? [] : [`${told(set)} leads to ${set.leadsTo.join(', ')}, not to ${target}`]),
    // The health of a target would move traffic past validation, or back.
    ...(set.evaluatesTarget ? [`${told(set)} evaluates the health of its target`] : []),
  ];
  return [
    ...flaws(primary, primaryRecordName),
    ...flawsOfCheck(primary, latch, zone, settings),
    ...flaws(secondary, drRecordName),
    ...(secondary.healthCheck === null ? [] : [`${told(secondary)} has a health check: it must always be used`]),
  ];
}

function flawsOfCheck(primary: RecordSet, latch: Latch, { healthChecks }: Zone, settings: Settings): string[] {
  const { healthCheck: id } = primary;
  if (id === null) return [`${told(primary)} has no health check`];
  const check = healthChecks[id] ?? null;
  if (check === null) return [`${told(primary)} names the health check ${id}, which is gone`];
  const { alarm, insufficientData, inverted, disabled } = check;
  const wanted = alarmOf(settings, latch);
  const { region } = settings.dr;
  const said = `the health check of ${told(primary)}`;
  const isLatch = alarm?.name === wanted && alarm.region === region;
  const follows = alarm === null ? `is of type ${check.type}` : `follows ${alarm.name} in ${alarm.region}`;
  return [
    ...(isLatch ? [] : [`${said} ${follows}, not ${wanted} in ${region}`]),
    ...(!isLatch || insufficientData === 'LastKnownStatus'
      ? []
      : [`${said} is ${insufficientData} where data is missing, not LastKnownStatus: the latch would not hold`]),
    ...(inverted ? [`${said} is inverted`] : []),
    // One that is disabled counts as healthy.
    ...(disabled ? [`${said} is disabled`] : []),
  ];
}

/** A change gives the record what the Region's own name has, set by set of the same type. */
function flawsOfSimple(sets: readonly RecordSet[], zone: Zone, { traffic }: Settings): string[] {
  const [first] = sets;
  if (first === undefined) return [];
  if (sets.length > 1 || first.routing !== 'simple')
    return [`${told(first)} is not one simple record: it cannot be changed`];
  const targets = [traffic.primaryRecordName, traffic.drRecordName];
  const missing = targets.filter(
    (target) => !zone.records.some(({ name, type }) => name === target && type === first.type),
  );
  return [
    ...missing.map((target) => `${target} has no ${first.type} to give to ${first.name}`),
    ...(targets.some((target) => leadsTo(first, target, zone))
      ? []
      : [`${told(first)} leads to ${first.leadsTo.join(', ')}, to neither Region`]),
  ];
}
