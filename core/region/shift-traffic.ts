/** ShiftTraffic and AwaitTraffic: what DNS answers is changed, and seen to have changed, as clients see it. */

import * as z from 'zod';
import type { RestorePlan } from '../database/contracts.ts';
import type { Metrics, Parameters } from '../database/ports.ts';
import { type Incident, recordVersion } from '../incident/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Announcer, Clock } from '../incident/ports.ts';
import type { RegionSettings, Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { TrafficNotMoved } from './errors.ts';
import { setLatch } from './latch.ts';
import type { Names, Records, RegionStore } from './ports.ts';
import { failoverOf } from './promote-replica.ts';

export interface ShiftContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly store: Pick<RegionStore, 'writeLatch'>;
  /** Of the DR Region, where the latch's alarm is. */
  readonly metrics: Metrics;
  /** Loaded where the strategy needs Route 53's control plane, and only then. */
  readonly records: () => Promise<Records>;
  readonly announcer: Announcer;
}

interface ShiftInput {
  readonly incident: Incident;
  readonly plan: RestorePlan;
}

export interface Shifted {
  readonly shiftedAt: string;
  /** Where the change of a record set is asked for. */
  readonly change?: string;
}

/** Which record, and where it is to lead. */
function wayOf({ mode }: Incident, plan: RestorePlan, { traffic, dr }: Settings) {
  const isHome = failoverOf(plan).to !== dr.region;
  return {
    record: mode === 'drill' ? traffic.drillRecordName : traffic.recordName,
    target: isHome ? traffic.primaryRecordName : traffic.drRecordName,
    former: isHome ? traffic.drRecordName : traffic.primaryRecordName,
    latch: mode === 'drill' ? ('drill-traffic' as const) : ('traffic' as const),
    on: !isHome,
  };
}

/** Repeated, it says the same once more. */
export async function shiftTraffic(
  { incident, plan }: ShiftInput,
  context: ShiftContext,
): Promise<StepResult<Shifted>> {
  const { settings, clock, announcer } = context;
  const way = wayOf(incident, plan, settings);
  const shiftedAt = clock.now().toISOString();
  const { strategy, hostedZoneName } = settings.traffic;
  let change: string | undefined;
  // The latch says where traffic belongs under either strategy: deployments and people read it.
  await setLatch(
    { version: recordVersion, name: way.latch, on: way.on, since: shiftedAt, incidentId: incident.id },
    context,
  );
  if (strategy === 'change-record-sets') {
    const records = await context.records();
    change = await records.copy(hostedZoneName, way.target, way.record);
  }
  await announcer.announce(incident, {
    kind: 'milestone',
    headline: `Traffic of ${way.record} is shifted to ${failoverOf(plan).to}`,
    lines: [
      strategy === 'health-check'
        ? `The latch is ${way.on ? 'on' : 'off'}: the record's health check follows it`
        : `Route 53 was asked to change the record (${change})`,
      `Resolvers keep the old answer for at most ${formatSeconds(settings.traffic.ttlSeconds)}`,
    ],
  });
  return {
    output: { shiftedAt, ...(change === undefined ? {} : { change }) },
    summary: `${way.record} is to lead to ${way.target}, by ${strategy === 'health-check' ? 'the latch' : 'a change of the record'}`,
    facts: { ...way, strategy, shiftedAt, ...(change === undefined ? {} : { change }) },
  };
}

export interface AwaitTrafficContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly parameters: Pick<Parameters, 'read'>;
  readonly names: Names;
  readonly records: () => Promise<Pick<Records, 'isInSync'>>;
}

const Servers = z.object({ authoritative: z.array(z.string()).min(1), resolvers: z.array(z.string()).min(1) });

/**
 * Moved: every authoritative server, and then every resolver that clients use, leads to the Region that took over. Throws
 * the retryable TrafficNotMoved until then. That the change is INSYNC says nothing of resolvers (aws-facts).
 */
export async function awaitTraffic(
  { incident, plan, shifted }: ShiftInput & { readonly shifted: Shifted },
  { settings, clock, parameters, names, records }: AwaitTrafficContext,
): Promise<StepResult<{ movedAt: string }>> {
  if (shifted.change !== undefined && !(await (await records()).isInSync(shifted.change)))
    throw TrafficNotMoved(`Change ${shifted.change} is not INSYNC yet.`);
  const { record, target, former } = wayOf(incident, plan, settings);
  const text = await parameters.read(settings.traffic.nameServersParameter);
  const servers = Servers.parse(JSON.parse(text ?? 'null'));
  const seen: Record<string, readonly string[]> = {};
  for (const server of [...servers.authoritative, ...servers.resolvers]) {
    const [wanted, before, found] = await Promise.all([
      names.leadsTo(server, target),
      names.leadsTo(server, former),
      names.leadsTo(server, record),
    ]);
    seen[server] = found;
    const hasMoved = found.length > 0 && found.every((each) => wanted.includes(each) && !before.includes(each));
    if (!hasMoved)
      throw TrafficNotMoved(
        `${server} leads ${record} to ${found.join(', ') || 'nothing'}, not to ${target} (${wanted.join(', ') || 'nothing'}).`,
      );
  }
  const movedAt = clock.now().toISOString();
  const seconds = secondsBetween(shifted.shiftedAt, movedAt);
  return {
    output: { movedAt },
    summary: `${record} leads to ${target}, by every server asked, ${formatSeconds(seconds)} after it was shifted`,
    facts: { record, target, seen, secondsAfterShift: seconds, ttlSeconds: settings.traffic.ttlSeconds },
  };
}
