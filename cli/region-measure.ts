/** What the move of production to another Region cost its clients: from their ledger and the prober, never from the product. */
import type { Measured, Report } from '../core/evidence/contracts.ts';
import type { StepRecord } from '../core/incident/contracts.ts';
import type { GuardRecord } from '../core/region/contracts.ts';
import type { Ledger } from '../workload/clients/ledger.ts';
import { longestOutage, type Outage, outageSeconds } from '../workload/clients/outage.ts';
import { type Accepted, type Overlap, overlaps } from '../workload/clients/prober.ts';
import type { Ended } from './follow.ts';

export interface MoveObserved {
  readonly ledger: Pick<Ledger, 'entries' | 'failures'>;
  /** Of acknowledged writes, what production holds after the move. */
  readonly present: ReadonlySet<string>;
  /** When the primary was lost, or the switchover asked for; epoch milliseconds. */
  readonly startedAt: number;
  readonly timeline: readonly StepRecord[];
}

export interface MoveCost {
  readonly outage: Outage | undefined;
  /** Acknowledged before the cut-over, and not there: what the move gave up. */
  readonly lost: number;
  /** Acknowledged after the cut-over, and missing: must be none. */
  readonly missingSince: number;
  readonly keptSince: number;
  /** From the latch to the first write that was acknowledged after it; undefined: none was. */
  readonly servedSeconds: number | undefined;
}

const succeeded = (timeline: readonly StepRecord[], name: string) =>
  timeline.find(({ step, status, piece }) => step === name && status === 'succeeded' && piece === undefined);
const momentOf = (moment: string | undefined) => (moment === undefined ? undefined : Date.parse(moment));

/** Nothing is acknowledged between fence, or loss, and cut-over: whatever was sent before the cut-over went to the old database. */
export function moveCost({ ledger, present, startedAt, timeline }: MoveObserved): MoveCost {
  const divide = momentOf(succeeded(timeline, 'CutOver')?.startedAt) ?? Number.POSITIVE_INFINITY;
  const shifted = momentOf(succeeded(timeline, 'ShiftTraffic')?.startedAt);
  const before = ledger.entries.filter(({ sentAt }) => sentAt < divide);
  const since = ledger.entries.filter(({ sentAt }) => sentAt >= divide);
  const kept = (entries: Ledger['entries']) => entries.filter(({ reference }) => present.has(reference)).length;
  const first = since.reduce((least, { acknowledgedAt }) => Math.min(least, acknowledgedAt), Number.POSITIVE_INFINITY);
  const servedSeconds = (first - (shifted ?? Number.NaN)) / 1000;
  return {
    outage: longestOutage(ledger, startedAt),
    lost: before.length - kept(before),
    missingSince: since.length - kept(since),
    keptSince: kept(since),
    servedSeconds: Number.isFinite(servedSeconds) ? servedSeconds : undefined,
  };
}

export interface MoveMeasurement {
  readonly style: 'graceful' | 'ungraceful';
  readonly title: string;
  readonly startedAt: number;
  readonly ended: Ended;
  readonly cost: MoveCost;
  readonly acceptance: readonly Accepted[];
  /** What the guard met when the Region came back; undefined: it had nothing to do. */
  readonly guard: Pick<GuardRecord, 'openFrom' | 'fencedAt' | 'windowSeconds' | 'rows'> | undefined;
  readonly clockFactor: number;
}

/** Every reason why the move did not pass; none: it passed. */
export function moveObjections(report: Report, { style, ended, cost, acceptance, guard }: MoveMeasurement): string[] {
  const { failure } = report;
  const objections: string[] = [];
  if (failure) objections.push(`${failure.step ?? 'The move'} failed: ${failure.name}`);
  else if (ended.status !== 'SUCCEEDED') objections.push(`the move ended ${ended.status} ${ended.error ?? ''}`.trim());
  for (const { name, met } of report.objectives)
    if (met === 'missed' || (met === 'unknown' && !failure)) objections.push(`the objective ${name} is ${met}`);
  for (const { check, subject, verdict, reason } of report.validation)
    if (verdict !== 'passed') objections.push(`${check} of ${subject || 'the database'}: ${verdict}, ${reason}`);
  if (acceptance.length === 0) objections.push('the prober could write nowhere: it proves nothing');
  for (const overlap of overlaps(acceptance))
    if (!isReported(overlap, style === 'ungraceful' ? guard : undefined)) objections.push(describeOverlap(overlap));
  if (style === 'graceful' && cost.lost > 0)
    objections.push(`${cost.lost} acknowledged writes were lost: a switchover loses none`);
  if (cost.missingSince > 0)
    objections.push(`${cost.missingSince} writes that were acknowledged after the cut-over are missing`);
  if (cost.keptSince === 0 && !failure) objections.push('no write was acknowledged after the cut-over');
  if (cost.outage && cost.outage.until === undefined)
    objections.push('the clients do not go on: no write was acknowledged again');
  return objections;
}

/** What the product says of the window must hold what was seen from outside; by the prober's own pause and a clock's rounding. */
const toleranceMs = 250;

function isReported({ from, until }: Overlap, guard: MoveMeasurement['guard']): boolean {
  if (guard === undefined) return false;
  return from >= Date.parse(guard.openFrom) - toleranceMs && until <= Date.parse(guard.fencedAt) + toleranceMs;
}

const moment = (epoch: number) => new Date(epoch).toISOString();
const describeOverlap = ({ instances: [one, other], from, until }: Overlap) =>
  `${one} and ${other} both accepted the application’s writes, from ${moment(from)} to ${moment(until)}, and no guard reported it`;

const seconds = (value: number | undefined) => (value === undefined ? 'unknown' : `${value.toFixed(1)} s`);

/** The measurement as the report shows it. */
export function moveMeasured(report: Report, measurement: MoveMeasurement): Measured {
  const { title, startedAt, cost, acceptance, guard, clockFactor, style } = measurement;
  const { outage, lost, missingSince, keptSince, servedSeconds } = cost;
  const both = overlaps(acceptance);
  const bothSeconds = both.reduce((sum, { from, until }) => sum + Math.max(0, until - from), 0) / 1000;
  const estimate = (succeeded(report.timeline, 'Replan') ?? succeeded(report.timeline, 'AssessRegion'))?.facts
    .estimatedLossSeconds;
  const detected = (Date.parse(report.record.incident.detectedAt) - startedAt) / 1000;
  return {
    by: 'the clients’ ledger, through DNS, and a prober that writes to every instance',
    clockFactor,
    facts: [
      { label: 'begun by', value: title, note: moment(startedAt) },
      { label: 'detected after', value: seconds(Math.max(0, detected)), note: report.record.incident.trigger.kind },
      {
        label: 'downtime of clients',
        value: outage ? seconds(outageSeconds(outage)) : 'none',
        note: outage ? `last to next acknowledged write, ${outage.failures} failed in between` : 'no request failed',
      },
      // A drill shifts a record of its own, which no client follows.
      ...(report.record.incident.mode === 'drill'
        ? []
        : [
            {
              label: 'served after the shift',
              value: seconds(servedSeconds),
              note: 'from the latch to the first acknowledged write, resolvers’ TTL within',
            },
          ]),
      {
        label: 'writes lost',
        value: lost,
        note:
          style === 'graceful'
            ? 'must be 0'
            : `acknowledged and not there; the product estimated ${seconds(typeof estimate === 'number' ? estimate : undefined)}`,
      },
      { label: 'acknowledged since', value: keptSince, note: `${missingSince} of them missing: must be 0` },
      {
        label: 'both accepting',
        value: seconds(bothSeconds),
        note:
          guard === undefined
            ? 'must be 0.0 s; no guard had to act'
            : `the guard reported a window of ${seconds(guard.windowSeconds)}, and ${Object.values(guard.rows).reduce((sum, rows) => sum + rows, 0)} rows in it`,
      },
    ],
  };
}
