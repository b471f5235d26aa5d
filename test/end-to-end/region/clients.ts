/** What a move cost the clients: whether they go on, what they lost, and when two databases accepted their writes. */
import { expect } from 'vitest';
import { clientsOf } from '../../../cli/clients.ts';
import { readProduction } from '../../../cli/production.ts';
import { readLatch } from '../../../cli/records.ts';
import { type MoveCost, moveCost } from '../../../cli/region-measure.ts';
import type { RegionMachine } from '../../../cli/region-rehearsal.ts';
import { fetchReport } from '../../../cli/report.ts';
import type { Report } from '../../../core/evidence/contracts.ts';
import type { ActiveDatabase } from '../../../core/incident/contracts.ts';
import { overlaps } from '../../../workload/clients/prober.ts';
import { eventually } from '../../support/rehearsal.ts';
import { dr, installation, primary, recovery, site, start, watchers } from './site.ts';

/** References of writes that a move has lost: one after it has not lost them again. */
const gone = new Set<string>();

/** Nothing has moved, nobody holds the lease, and clients are served as before. */
export async function nothingMoved(before: ActiveDatabase, startedAt: number): Promise<void> {
  // Undoing a fence raises the epoch: a cut-over that is still on its way comes too late.
  expect(await site.active()).toEqual({ ...before, epoch: expect.any(Number) });
  expect(await site.lease()).toBeUndefined();
  const { dynamodb } = clientsOf(installation.connection, dr);
  expect(await readLatch(dynamodb, site.names.controlTable, 'traffic')).not.toMatchObject({ on: true });
  await clientsGoOn();
  const { ledger } = watchers.writers;
  // What is acknowledged while production is read may not be there yet.
  const askedAt = Date.now();
  const present = await readProduction(installation);
  const lost = ledger.entries.filter(({ reference }) => !gone.has(reference) && !present.has(reference));
  expect(lost.filter(({ acknowledgedAt }) => acknowledgedAt < askedAt)).toEqual([]);
  expect(both(startedAt)).toEqual([]);
}

/** A second of writes that succeed. */
export async function clientsGoOn(): Promise<void> {
  const { entries, failures } = watchers.writers.ledger;
  const begun = entries.length;
  await eventually(
    'clients that go on',
    () => entries.length > begun + 50,
    async () => `${failures.at(-1)?.reason}`,
  );
}

interface Moved {
  readonly report: Report;
  readonly cost: MoveCost;
}

/** What it cost, from the ledger and from what production holds now. */
export async function measured(
  machine: RegionMachine,
  incident: string | undefined,
  startedAt: number,
): Promise<Moved> {
  const region = machine === 'region-failover' ? dr : primary;
  const report = await fetchReport(
    clientsOf(installation.connection, region),
    site.names.incidentTable,
    incident ?? '',
  );
  if (report === undefined) throw new Error(`${incident} has no report`);
  const { ledger } = watchers.writers;
  const entries = ledger.entries.filter(({ reference }) => !gone.has(reference));
  const present = await readProduction(installation);
  for (const { reference } of entries) if (!present.has(reference)) gone.add(reference);
  const seen = { entries, failures: [...ledger.failures] };
  return { report, cost: moveCost({ ledger: seen, present, startedAt, timeline: report.timeline }) };
}

export const both = (since: number) =>
  overlaps(watchers.prober.acceptance.intervals.filter(({ last }) => last.acknowledgedAt >= since));

export async function comeHome(): Promise<Moved> {
  const startedAt = Date.now();
  const { status, cause, incident } = await start('region-failback', recovery);
  expect(status, cause).toBe('SUCCEEDED');
  await clientsGoOn();
  return measured('region-failback', incident, startedAt);
}
