/** ReportBackup: what became of every part, on record, as a report, as metrics, and told. */

import type * as z from 'zod';
import type { Metrics } from '../database/ports.ts';
import { readFailure } from '../errors.ts';
import type { EvidenceStore } from '../evidence/ports.ts';
import { recordVersion } from '../incident/contracts.ts';
import { formatSeconds, secondsBetween } from '../incident/moments.ts';
import type { Announcer, Clock } from '../incident/ports.ts';
import type { BackupRecord, BackupRun, FailedPart, Outcome } from './contracts.ts';
import type { Backups } from './ports.ts';

export interface ReportBackupContext {
  readonly clock: Clock;
  readonly backups: Pick<Backups, 'record'>;
  readonly evidence: EvidenceStore;
  readonly metrics: Metrics;
  readonly announcer: Announcer;
}

export interface ReportBackupInput {
  readonly run: BackupRun;
  readonly outcomes: readonly (Outcome | z.infer<typeof FailedPart>)[];
}

export interface ReportedBackup {
  readonly verdict: BackupRecord['verdict'];
  readonly summary: string;
  readonly report: string;
}

/** The record first: it is what the alarms rest on. A report or metric that fails does not hide it, and is told. */
export async function reportBackup(
  { run, outcomes: given }: ReportBackupInput,
  { clock, backups, evidence, metrics, announcer }: ReportBackupContext,
): Promise<ReportedBackup> {
  const outcomes = given.map(asOutcome);
  const failed = outcomes.filter(({ verdict }) => verdict === 'failed');
  const verdict = failed.length === 0 && outcomes.length > 0 ? 'succeeded' : 'failed';
  const finishedAt = clock.now().toISOString();
  const key = `backups/reports/${run.id}-${run.task}.json`;
  const report = evidence.location(key);
  const record: BackupRecord = { version: recordVersion, run, finishedAt, verdict, outcomes, report };
  await backups.record(record);
  const troubles = await troublesOf([
    evidence.put(key, JSON.stringify(record, undefined, 2), 'application/json'),
    metrics.put([
      {
        name: 'BackupSucceeded',
        value: verdict === 'succeeded' ? 1 : 0,
        unit: 'Count',
        dimensions: { Task: run.task },
      },
      {
        name: 'BackupDurationSeconds',
        value: secondsBetween(run.startedAt, finishedAt),
        unit: 'Seconds',
        dimensions: { Task: run.task },
      },
    ]),
  ]);
  const what = run.task === 'backup' ? `The backup ${run.id}` : `The proof ${run.id}`;
  const summary =
    verdict === 'succeeded'
      ? `${what} succeeded`
      : `${what} FAILED: ${failed.map(({ part }) => part).join(', ') || 'nothing was done'}`;
  await announcer.announce(undefined, {
    kind: verdict === 'succeeded' ? 'update' : 'failed',
    headline: summary,
    lines: [
      ...outcomes.toSorted(failedFirst).map((each) => `${marks[each.verdict]} ${each.part}: ${each.summary}`),
      ...troubles,
      `Took ${formatSeconds(secondsBetween(run.startedAt, finishedAt))}. Report: ${report}`,
    ],
    next: verdict === 'succeeded' ? 'Nothing to do.' : (nextOf(failed) ?? 'Read the report and correct the cause.'),
  });
  return { verdict, summary, report };
}

const marks: Readonly<Record<Outcome['verdict'], string>> = { passed: 'ok', repaired: 'REPAIRED', failed: 'FAILED' };
const order: Readonly<Record<Outcome['verdict'], number>> = { failed: 0, repaired: 1, passed: 2 };
const failedFirst = (a: Outcome, b: Outcome) => order[a.verdict] - order[b.verdict];

/** A part that threw says the same to people as one that judged itself. */
function asOutcome(given: Outcome | z.infer<typeof FailedPart>): Outcome {
  if (!('failure' in given)) return given;
  const { name, message, next } = readFailure(given.failure);
  return {
    part: given.part,
    verdict: 'failed',
    summary: message === '' ? name : `${name}: ${message}`,
    facts: { error: name, next },
  };
}

function nextOf(failed: readonly Outcome[]): string | undefined {
  const said = failed.map(({ facts }) => facts.next).find((next) => typeof next === 'string');
  return typeof said === 'string' ? said : undefined;
}

async function troublesOf(writes: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(writes);
  return settled.flatMap((each) =>
    each.status === 'rejected'
      ? [`Could not be written: ${each.reason instanceof Error ? each.reason.message : each.reason}`]
      : [],
  );
}
