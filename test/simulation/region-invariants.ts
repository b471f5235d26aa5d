/** What must be true when a run about Regions is over, beside what is always. */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { GuardRecord, Latch } from '../../core/region/contracts.ts';
import type { Acknowledged } from './load.ts';
import type { RegionWitness } from './region-witness.ts';
import type { Instance, Site } from './site.ts';
import { leadOf } from './standby.ts';
import type { Witness } from './witness.ts';

/** Clocks of two Regions differ by seconds, and a window is told in whole ones. */
const toleranceMs = 5_000;
/** From one look of the guard to the next, and what a look takes. */
const boundMs = 3 * 60_000;

export interface RegionAfter {
  /** The replica of the DR Region before anything happened. */
  readonly replica: Instance | undefined;
  readonly ledger: readonly Acknowledged[];
  readonly incidents: readonly Readonly<Record<string, unknown>>[];
}

export async function judgeRegions(
  site: Site,
  witness: Witness,
  seen: RegionWitness,
  after: RegionAfter,
): Promise<void> {
  const { configuration, names } = site;
  const asked = { TableName: names.controlTable };
  const { Items = [] } = await site.call<{ Items?: Parameters<typeof unmarshall>[0][] }>(
    'dynamodb',
    'Scan',
    asked,
    configuration.dr.region,
  );
  const control = Items.map((item) => unmarshall(item));
  const guards = control.filter(({ pk }) => pk === 'guard') as unknown as GuardRecord[];
  const latch = control.find(({ pk }) => pk === 'latch#traffic') as unknown as Latch | undefined;
  windowsAreTold(witness, seen, guards);
  productionIsWhereItIsSaid(site, witness, seen, latch);
  await replicaIsUntouched(site, witness, seen, after);
  lossesAreTold(witness, seen, guards, { ...after, primary: configuration.primary.region });
}

/** Invariant 1: what took writes beside production was fenced by its guard in time, which says for how long it did. */
function windowsAreTold(witness: Witness, { overlaps, records }: RegionWitness, guards: readonly GuardRecord[]): void {
  for (const { former, from, until } of overlaps) {
    if (until === undefined) {
      witness.violate(1, `${former} still takes the application's writes beside production`);
      continue;
    }
    const measured = until - from;
    // By then there was a production beside which it took them.
    const isBeside = records.some(({ identifier, at }) => identifier !== former && at <= until);
    const told = guards.filter(
      ({ identifier, openFrom, fencedAt }) =>
        identifier === former &&
        Date.parse(openFrom) <= from + toleranceMs &&
        Date.parse(fencedAt) >= until - toleranceMs,
    );
    const longest = Math.max(0, ...told.map(({ windowSeconds }) => windowSeconds * 1000));
    if (isBeside && measured > longest + toleranceMs)
      witness.violate(1, `${former} took writes beside production for ${measured} ms; ${longest} ms were reported`);
    if (measured > boundMs) witness.violate(1, `${former} took writes beside production for ${measured} ms`);
  }
}

/** Invariants 2 and 5: the record, what is open, where clients are led and the latch say the same: people finish what failed behind its cut-over. */
function productionIsWhereItIsSaid(site: Site, witness: Witness, seen: RegionWitness, latch: Latch | undefined): void {
  const { traffic, primary, dr, database } = site.configuration;
  const active = seen.records.at(-1) ?? { identifier: database.identifier, region: primary.region };
  const accepting = witness.accepting();
  if (accepting.length === 1 && accepting[0] !== active.identifier)
    witness.violate(1, `${active.identifier} is production by the record, and ${accepting[0]} takes its writes`);
  const led = leadOf(site, traffic.recordName)?.target === traffic.drRecordName ? dr.region : primary.region;
  if (led !== active.region) witness.violate(2, `clients are led to ${led}, and production is in ${active.region}`);
  if ((latch?.on ?? false) !== (led === dr.region))
    witness.violate(2, `the latch is ${latch?.on ? 'on' : 'off'}, and clients are led to ${led}`);
  if (isDrillShifted(site))
    witness.violate(5, `the drill's record was left leading to ${leadOf(site, traffic.drillRecordName)?.target}`);
}

/** Where the latch is off, the alarm and the health check that follow it may need some minutes yet. */
export function isDrillShifted(site: Site): boolean {
  const { traffic } = site.configuration;
  return leadOf(site, traffic.drillRecordName)?.target !== traffic.primaryRecordName;
}

/** Invariant 4: as long as no recovery promotes it, the replica is what it was. */
async function replicaIsUntouched(
  site: Site,
  witness: Witness,
  seen: RegionWitness,
  { replica }: RegionAfter,
): Promise<void> {
  const wasPromoted = seen
    .recoveriesOf('region-failover')
    .some(({ states }) => states.some(({ name }) => name === 'PromoteReplica'));
  if (wasPromoted || replica === undefined) return;
  const found = await site.instances(site.configuration.dr.region);
  const now = found.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === replica.DBInstanceIdentifier);
  for (const field of [
    'DbiResourceId',
    'ReadReplicaSourceDBInstanceIdentifier',
    'VpcSecurityGroups',
    'TagList',
    'DeletionProtection',
  ] as const)
    if (JSON.stringify(now?.[field]) !== JSON.stringify(replica[field]))
      witness.violate(4, `${field} of the replica was changed`);
}

/** Invariant 3: nothing in a switchover; else what the failover said would be lost, and what a guard counted. */
function lossesAreTold(
  witness: Witness,
  seen: RegionWitness,
  guards: readonly GuardRecord[],
  { ledger, incidents, primary }: RegionAfter & { readonly primary: string },
): void {
  const [open] = witness.accepting();
  const server = witness.serverOf(witness.standing().find(({ identifier }) => identifier === open)?.port);
  if (server === undefined) return;
  const present = new Set(server.content.movements.map(({ id, at }) => `${id} ${Math.floor(at / 1000)}`));
  const lost = ledger.filter(({ id, sentAt }) => !present.has(`${id} ${sentAt}`));
  const moves = seen.records.filter(({ region }, index) => region !== (seen.records[index - 1]?.region ?? primary));
  const inWindow = (sentAt: number) =>
    guards.find(
      ({ openFrom, fencedAt }) =>
        sentAt >= Date.parse(openFrom) - toleranceMs && sentAt <= Date.parse(fencedAt) + toleranceMs,
    );
  const accounted = new Map<GuardRecord, number>();
  for (const { sentAt } of lost) {
    const guard = inWindow(sentAt);
    if (guard !== undefined) accounted.set(guard, (accounted.get(guard) ?? 0) + 1);
    const isTold = incidents.some(({ incident, achieved, closedAt }) => {
      const { mode, detectedAt, style } = incident as { mode: string; detectedAt: string; style?: string };
      const { rpoSeconds } = achieved as { rpoSeconds?: number };
      if (mode !== 'recovery' || style === 'graceful' || rpoSeconds === undefined) return false;
      const cutOver = moves.find(
        ({ at }) => at >= Date.parse(detectedAt) && at <= Date.parse(String(closedAt)) + toleranceMs,
      );
      return (
        cutOver !== undefined &&
        sentAt <= cutOver.at + toleranceMs &&
        (Date.parse(detectedAt) - sentAt) / 1000 <= rpoSeconds + toleranceMs / 1000
      );
    });
    if (isTold || guard !== undefined) continue;
    const when = new Date(sentAt).toISOString();
    witness.violate(3, `a write of ${when} is lost, and nothing that was reported covers it`);
    return;
  }
  for (const [guard, count] of accounted) {
    const counted = Object.values(guard.rows).reduce((sum, rows) => sum + rows, 0);
    // What was lost before the cut-over is the failover's to tell.
    const after = lost.filter(
      ({ sentAt }) => inWindow(sentAt) === guard && sentAt > Date.parse(guard.openFrom) + toleranceMs,
    );
    if (counted < after.length)
      witness.violate(3, `${guard.identifier} took ${count} writes beside production; ${counted} were reported`);
  }
}
