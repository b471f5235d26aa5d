/** The report of the product, with the independent measurement added, written for people and for programs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Configuration } from '../config/schema.ts';
import { type Measured, Report } from '../core/evidence/contracts.ts';
import { renderReport } from '../core/evidence/render-html.ts';
import type { Ended } from './follow.ts';
import type { LossMeasurement } from './measure.ts';
import { duration, type Screen } from './screen.ts';

export interface Measurement {
  readonly loss: LossMeasurement | undefined;
  readonly acknowledged: number;
  readonly failures: number;
  readonly clockFactor: number;
  readonly ended: Ended;
}

export interface Judged {
  readonly report: Report;
  /** Everything passed: the drill, the objectives, the ledger. */
  readonly ok: boolean;
  /** Why not, in words. */
  readonly objections: readonly string[];
}

/** Reads report.json from where the recovery's output says it is; undefined where there is none. */
export async function fetchReport(s3: S3Client, output: unknown): Promise<Report | undefined> {
  const location = (output as { reports?: { json?: string } } | undefined)?.reports?.json;
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '');
  if (!match) return undefined;
  const object = await s3.send(new GetObjectCommand({ Bucket: match[1], Key: match[2] }));
  return Report.parse(JSON.parse((await object.Body?.transformToString()) ?? ''));
}

/** The product's own estimate of the loss, as the gate's heartbeat check measured it. */
const estimatedLoss = (report: Report) => report.record.achieved.rpoSeconds;

function measured({ loss, acknowledged, failures, clockFactor }: Measurement, report: Report): Measured {
  const estimate = estimatedLoss(report);
  const facts: Measured['facts'] = [
    { label: 'writes acknowledged to clients', value: acknowledged },
    { label: 'requests that failed', value: failures, note: 'production is not touched by a drill' },
  ];
  if (loss) {
    facts.push(
      { label: 'proven present', value: loss.verdict.provenPresent, note: `acknowledged by ${loss.restorePoint}` },
      { label: 'proven absent', value: loss.verdict.provenAbsent, note: 'sent after it' },
      { label: 'missing', value: loss.verdict.missing.length, note: 'must be 0' },
      { label: 'surplus', value: loss.verdict.surplus.length, note: 'must be 0' },
      { label: 'in flight at the restore point', value: loss.verdict.undetermined },
    );
    if (loss.measuredLossSeconds !== undefined) {
      facts.push({ label: 'loss by the ledger', value: `${loss.measuredLossSeconds.toFixed(1)} s` });
      if (estimate !== undefined)
        facts.push({
          label: 'error of the product’s estimate',
          value: `${(estimate - loss.measuredLossSeconds).toFixed(1)} s`,
          note: `it estimated ${estimate.toFixed(1)} s from heartbeats`,
        });
    }
  }
  return { by: 'the ledger of the workload’s clients', clockFactor, facts };
}

function objectionsTo(report: Report, { loss, ended }: Measurement): string[] {
  const objections: string[] = [];
  if (ended.status !== 'SUCCEEDED') objections.push(`the recovery ended ${ended.status}: ${ended.error ?? ''}`);
  for (const { name, met } of report.objectives) if (met !== 'met') objections.push(`the objective ${name} is ${met}`);
  for (const { check, subject, verdict, reason } of report.validation)
    if (verdict !== 'passed') objections.push(`${check} ${subject}: ${verdict}, ${reason}`);
  if (!loss) objections.push('the restored copy could not be compared with the ledger');
  else {
    if (loss.verdict.provenPresent === 0) objections.push('the ledger proves no row present');
    if (loss.verdict.missing.length > 0)
      objections.push(`${loss.verdict.missing.length} acknowledged writes are missing from the copy`);
    if (loss.verdict.surplus.length > 0)
      objections.push(`${loss.verdict.surplus.length} writes from after the restore point are in the copy`);
  }
  return objections;
}

/** Writes report.json and report.html into `directory`, with the measurement in both. */
export function writeReports(report: Report, measurement: Measurement, directory: string): Judged {
  const complete: Report = { ...report, measured: measured(measurement, report) };
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(complete, undefined, 2)}\n`);
  writeFileSync(join(directory, 'report.html'), renderReport(complete));
  const objections = objectionsTo(complete, measurement);
  return { report: complete, ok: objections.length === 0, objections };
}

/** The table at the end, and what to do next. */
export function showOutcome(
  { report, ok, objections }: Judged,
  directory: string,
  configuration: Configuration,
  screen: Screen,
): void {
  const count = (verdict: string) => report.validation.filter((each) => each.verdict === verdict).length;
  screen.heading(ok ? screen.good('The drill passed.') : screen.bad('The drill did not pass.'));
  for (const objection of objections) screen.line(`  ${objection}`);
  if (report.failure) screen.line(`  Next: ${report.failure.next}`);
  screen.line();
  screen.table([
    ['', 'objective', 'achieved', ''],
    ...report.objectives.map(({ name, objectiveSeconds, achievedSeconds, met, basis }) => [
      name,
      duration(objectiveSeconds),
      achievedSeconds === undefined ? 'unknown' : duration(achievedSeconds),
      `${met} · ${basis}`,
    ]),
    [
      'Validation',
      'all pass',
      `${count('passed')} of ${report.validation.length}`,
      `${count('failed')} failed, ${count('unknown')} unknown`,
    ],
    ...(report.measured?.facts ?? []).map(({ label, value, note }) => [label, '', String(value), note ?? '']),
    [
      'Clock',
      '',
      `× ${report.measured?.clockFactor ?? 1}`,
      'waits that AWS owns were divided by this; timestamps are real',
    ],
  ]);
  screen.line();
  screen.line(`  ${join(directory, 'report.html')}`);
  screen.line(`  ${join(directory, 'report.json')}`);
  screen.line(
    `  ${ok ? 'Next: open the report; the plan’s checklist in it is ticked from facts.' : `Next: read the timeline in the report; runbook docs/runbooks/database.md (${configuration.environment}).`}`,
  );
}
