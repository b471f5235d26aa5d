/** What a recovery of production cost its clients: from their ledger and the prober, never from the product. */
import type { LookRecord } from '../core/database/contracts.ts';
import type { Measured, Report } from '../core/evidence/contracts.ts';
import type { StepRecord } from '../core/incident/contracts.ts';
import { Ledger, type LedgerVerdict } from '../workload/clients/ledger.ts';
import { longestOutage, type Outage, outageSeconds } from '../workload/clients/outage.ts';
import { type Acceptance, type Overlap, overlaps } from '../workload/clients/prober.ts';
import type { Ended } from './follow.ts';
import { restoreBounds } from './measure.ts';

export interface Observed {
  readonly ledger: Pick<Ledger, 'entries' | 'failures'>;
  /** Of acknowledged writes, what production holds now. */
  readonly present: ReadonlySet<string>;
  /** When production was destroyed, epoch milliseconds. */
  readonly struckAt: number;
  readonly timeline: readonly StepRecord[];
}

export interface Cost {
  readonly outage: Outage | undefined;
  /** Acknowledged before the cut-over, and not there now: what this recovery gave up. */
  readonly lost: number;
  /** Seconds of acknowledged writes that were given up; undefined where nothing of before is there. */
  readonly lostSeconds: number | undefined;
  /** Writes of before the cut-over, against the restore point. */
  readonly before: LedgerVerdict | undefined;
  /** Acknowledged by the recovered database, and missing: must be none. */
  readonly missingSince: number;
  readonly keptSince: number;
}

const succeeded = (timeline: readonly StepRecord[], name: string) =>
  timeline.find(({ step, status }) => step === name && status === 'succeeded');

/** The fence divides: what was sent before its proof went to the old database, everything later to the new one. */
export function costOf({ ledger, present, struckAt, timeline }: Observed): Cost {
  const isCutOver = succeeded(timeline, 'CutOver') !== undefined;
  // Without a cut-over the old database is production still, and everything must be there.
  const fenced = isCutOver ? succeeded(timeline, 'FenceSource')?.finishedAt : undefined;
  const divide = fenced === undefined ? Number.POSITIVE_INFINITY : Date.parse(fenced);
  const former = new Ledger();
  former.entries.push(...ledger.entries.filter(({ sentAt }) => sentAt < divide));
  const since = ledger.entries.filter(({ sentAt }) => sentAt >= divide);
  const kept = former.entries.filter(({ reference }) => present.has(reference));
  const last = (entries: Ledger['entries']) =>
    entries.reduce((latest, each) => Math.max(latest, each.acknowledgedAt), 0);
  const bounds = isCutOver ? restoreBounds(timeline) : undefined;
  const keptSince = since.filter(({ reference }) => present.has(reference)).length;
  return {
    outage: longestOutage(ledger, struckAt),
    lost: former.entries.length - kept.length,
    lostSeconds: kept.length === 0 ? undefined : (last(former.entries) - last(kept)) / 1000,
    before: bounds && former.compare(present, bounds),
    missingSince: since.length - keptSince,
    keptSince,
  };
}

export interface RecoveryMeasurement {
  readonly ended: Ended;
  readonly cost: Cost | undefined;
  /** Why production could not be read afterwards. */
  readonly unread: string | undefined;
  readonly disaster: { readonly title: string; readonly done: string; readonly struckAt: number };
  readonly acknowledged: number;
  readonly failures: number;
  readonly looks: readonly LookRecord[];
  readonly acceptance: Acceptance;
  readonly clockFactor: number;
}

/** Every reason why the rehearsal did not pass; none: it passed. */
export function recoveryObjections(report: Report, { ended, cost, unread, acceptance }: RecoveryMeasurement): string[] {
  const { failure } = report;
  const objections: string[] = [];
  if (failure) objections.push(`${failure.step ?? 'The recovery'} failed: ${failure.name}`);
  else if (ended.status !== 'SUCCEEDED')
    objections.push(`the recovery ended ${ended.status} ${ended.error ?? ''}`.trim());
  for (const { name, met } of report.objectives)
    if (met === 'missed' || (met === 'unknown' && !failure)) objections.push(`the objective ${name} is ${met}`);
  for (const { check, subject, verdict, reason } of report.validation)
    if (verdict !== 'passed') objections.push(`${check} of ${subject || 'the database'}: ${verdict}, ${reason}`);
  for (const overlap of overlaps(acceptance.intervals)) objections.push(describeOverlap(overlap));
  if (acceptance.intervals.length === 0) objections.push('the prober could write nowhere: it proves nothing');
  if (!cost)
    return [...objections, ...(failure ? [] : [`production could not be compared with the ledger: ${unread ?? ''}`])];
  const { outage, before, missingSince, keptSince, lost } = cost;
  // Without a cut-over there is one database all the while, and nothing of it may go.
  const isOneDatabase = report.record.incident.scenario !== 'database';
  if (isOneDatabase && lost > 0) objections.push(`${lost} acknowledged writes are missing, and no data was restored`);
  if (outage && outage.until === undefined)
    objections.push('the clients do not go on: no write was acknowledged again');
  if (keptSince === 0 && !failure && !isOneDatabase)
    objections.push('no write was acknowledged by the recovered database');
  if (missingSince > 0) objections.push(`${missingSince} writes that the recovered database acknowledged are missing`);
  if (before && before.missing.length > 0)
    objections.push(`${before.missing.length} writes acknowledged before the restore point are missing`);
  if (before && before.surplus.length > 0)
    objections.push(`${before.surplus.length} writes from after the restore point are there`);
  return objections;
}

const describeOverlap = ({ instances: [one, other], from, until }: Overlap) =>
  `${one} and ${other} both accepted the application’s writes, from ${moment(from)} to ${moment(until)}`;

const seconds = (value: number | undefined) => (value === undefined ? 'unknown' : `${value.toFixed(1)} s`);
const moment = (epoch: number) => new Date(epoch).toISOString();

/** The measurement as the report shows it. */
export function recoveryMeasured(report: Report, measurement: RecoveryMeasurement): Measured {
  const { disaster, acknowledged, failures, cost, acceptance, clockFactor } = measurement;
  // The time of an RDS event is cut to the second.
  const detected = Math.max(0, (Date.parse(report.record.incident.detectedAt) - disaster.struckAt) / 1000);
  return {
    by: 'the clients’ ledger and a prober that writes to every instance',
    clockFactor,
    facts: [
      { label: 'disaster', value: disaster.title, note: `${disaster.done}, at ${moment(disaster.struckAt)}` },
      {
        label: 'detected after',
        value: seconds(detected),
        note: `by ${report.record.incident.trigger.name ?? report.record.incident.trigger.kind}`,
      },
      ...foundBy(report, measurement),
      { label: 'acknowledged writes', value: acknowledged },
      { label: 'failed requests', value: failures },
      ...(cost ? costFacts(cost, report) : []),
      {
        label: 'both accepting',
        value: overlaps(acceptance.intervals).length,
        note: `must be 0; the prober wrote to ${new Set(acceptance.intervals.map(({ instance }) => instance)).size} instances and was refused ${[...acceptance.refused.values()].reduce((sum, each) => sum + each, 0)} times`,
      },
    ],
  };
}

function costFacts(
  { outage, lost, lostSeconds, before, missingSince, keptSince }: Cost,
  { timeline, record }: Report,
): Measured['facts'] {
  const downtime = {
    label: 'downtime of clients',
    value: outage ? seconds(outageSeconds(outage)) : 'none',
    note: outage ? `last to next acknowledged write, ${outage.failures} failed in between` : 'no request failed',
  };
  if (record.incident.scenario !== 'database')
    return [downtime, { label: 'writes lost', value: lost, note: 'the database was there all the while: must be 0' }];
  const estimate = (succeeded(timeline, 'Replan') ?? succeeded(timeline, 'AssessDatabase'))?.facts.estimatedLossSeconds;
  return [
    downtime,
    {
      label: 'writes lost',
      value: lost,
      note: `acknowledged over ${seconds(lostSeconds)}; the product estimated ${seconds(typeof estimate === 'number' ? estimate : undefined)} when it assessed`,
    },
    { label: 'missing', value: before?.missing.length ?? 'unknown', note: 'from before the restore point: must be 0' },
    { label: 'surplus', value: before?.surplus.length ?? 'unknown', note: 'from after the restore point: must be 0' },
    {
      label: 'acknowledged since',
      value: keptSince,
      note: `by the recovered database; ${missingSince} of them missing: must be 0`,
    },
  ];
}

function foundBy(report: Report, measurement: RecoveryMeasurement): Measured['facts'] {
  const { scenario } = report.record.incident;
  if (scenario === 'cluster') return decided(report);
  return scenario === 'configuration' ? restored(report, measurement) : seenBy(measurement);
}

const levels: Readonly<Record<string, string>> = {
  none: 'nothing is lost',
  node: 'node-level',
  cluster: 'cluster-level',
};

/** What the recovery of a cluster held for lost, why, and whether a person was asked. */
function decided({ timeline }: Report): Measured['facts'] {
  const assessed = succeeded(timeline, 'AssessCluster');
  return [
    {
      label: 'decision',
      value: levels[String(assessed?.facts.level)] ?? 'none was made',
      note: [assessed?.facts.reasons ?? []].flat().join('; '),
    },
    ...answered(timeline),
  ];
}

/** What of the configuration was found lost or changed, and what a second look found when it was restored. */
function restored({ timeline, record }: Report, { disaster }: RecoveryMeasurement): Measured['facts'] {
  const opened = succeeded(timeline, 'OpenIncident')?.startedAt ?? record.incident.detectedAt;
  const found = succeeded(timeline, 'JudgeFindings');
  const affected = [found?.facts.affected ?? []].flat() as { kind: string; name: string; is: string }[];
  const verified = timeline.find(({ step }) => step === 'JudgeRestored');
  return [
    {
      label: 'told after',
      value: seconds(Math.max(0, (Date.parse(opened) - disaster.struckAt) / 1000)),
      note: 'the RTO clock began with what somebody did, and not when it was told',
    },
    {
      label: 'affected',
      value: affected.length,
      note: affected.map(({ kind, name, is }) => `${kind} ${name}: ${is}`).join('; ') || (found?.summary ?? ''),
    },
    ...answered(timeline),
    {
      label: 'drift left',
      value: verified?.status === 'succeeded' ? 'none' : 'unknown',
      note: verified?.summary ?? '',
    },
  ];
}

function answered(timeline: Report['timeline']): Measured['facts'] {
  const asked = timeline.find(({ step }) => step === 'RequestApproval');
  const validated = timeline.find(({ step }) => step === 'ValidateApplication');
  return [
    { label: 'approval', value: asked ? 'asked' : 'not needed', note: asked?.summary ?? 'nothing was taken away' },
    { label: 'application', value: validated?.status ?? 'not validated', note: validated?.summary ?? '' },
  ];
}

/** Which of the sentinel's checks saw the disaster, and which looked and did not. */
function seenBy({ looks }: RecoveryMeasurement): Measured['facts'] {
  const findings = looks.flatMap((look) => look.findings);
  const saw = new Map(findings.map(({ check, subject, detail }) => [`${check} ${subject}`.trim(), detail]));
  const passed = new Set(looks.flatMap((look) => Object.keys(look.progress.passed)));
  const kinds = new Set(findings.map(({ check }) => String(check)));
  const blind = [...new Set([...passed].map((key) => key.split(' ')[0] ?? ''))].filter((kind) => !kinds.has(kind));
  return [
    {
      label: 'seen by',
      value: kinds.size === 0 ? 'no look' : [...kinds].join(', '),
      ...(saw.size > 0
        ? {
            note: [...saw]
              .slice(0, 3)
              .map(([what, detail]) => `${what}: ${detail}`)
              .join('; ')
              .slice(0, 300),
          }
        : {}),
    },
    ...(blind.length > 0 ? [{ label: 'not seen by', value: blind.join(', '), note: 'looked, and found nothing' }] : []),
  ];
}
