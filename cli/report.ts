/** The report of the product, with the independent measurement added, written for people and for programs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Report } from '../core/evidence/contracts.ts';
import { renderReport } from '../core/evidence/render-html.ts';
import type { Clients } from './clients.ts';
import { type Measurement, measuredOf, objectionsTo } from './judge.ts';
import { readIncident } from './timeline.ts';

/** How long clean-up-stopped is given to close an incident that its own execution could not. */
const closingMs = 15_000;

/**
 * The report of an incident, from where its record says it is; undefined where the incident was never opened. A failed
 * execution has no output, but its incident has a report all the same.
 */
export async function fetchReport(
  { dynamodb, s3 }: Pick<Clients, 'dynamodb' | 's3'>,
  table: string,
  incidentId: string,
): Promise<Report | undefined> {
  const until = performance.now() + closingMs;
  let record = await readIncident(dynamodb, table, incidentId);
  while (record?.status === 'open' && performance.now() < until) {
    await sleep(200);
    record = await readIncident(dynamodb, table, incidentId);
  }
  if (!record) return undefined;
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(record.reports?.json ?? '') ?? [];
  if (!Bucket || !Key) throw new Error(`The incident ${incidentId} is ${record.status} and has no report.`);
  const object = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Report.parse(JSON.parse((await object.Body?.transformToString()) ?? ''));
}

export interface Judged {
  readonly report: Report;
  /** Why the drill did not pass; none: it passed. */
  readonly objections: readonly string[];
}

/** Writes report.json and report.html into `directory`, with the measurement in both. */
export function writeReports(report: Report, measurement: Measurement, directory: string): Judged {
  const complete: Report = { ...report, measured: measuredOf(measurement) };
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(complete, undefined, 2)}\n`);
  writeFileSync(join(directory, 'report.html'), renderReport(complete));
  return { report: complete, objections: objectionsTo(complete, measurement) };
}
