/** A SHA-256 chain over the records of an incident: whoever changes, drops or reorders one breaks every later link. */
import { createHash } from 'node:crypto';
import type { IncidentRecord, MessageRecord, StepRecord } from '../incident/contracts.ts';
import type { Report } from './contracts.ts';

type Records = Pick<Report, 'record' | 'timeline' | 'messages'>;
type Link = Report['chain'][number];

export function hashChain({ record, timeline, messages }: Records): Link[] {
  const links: Link[] = [];
  for (const each of [record, ...timeline, ...messages]) {
    const previous = links.at(-1)?.sha256 ?? '';
    const sha256 = createHash('sha256').update(previous).update(canonical(each)).digest('hex');
    links.push({ record: nameOf(each), sha256 });
  }
  return links;
}

/** The first record that is not what the chain was made over; undefined: nothing was changed. */
export function firstBrokenLink(report: Records & Pick<Report, 'chain'>): string | undefined {
  const actual = hashChain(report);
  const length = Math.max(actual.length, report.chain.length);
  for (let index = 0; index < length; index++) {
    const [is, was] = [actual[index], report.chain[index]];
    if (is?.sha256 !== was?.sha256) return was?.record ?? is?.record;
  }
  return undefined;
}

function nameOf(record: IncidentRecord | StepRecord | MessageRecord): string {
  if ('step' in record) return record.piece === undefined ? record.step : `${record.step} ${record.piece}`;
  if ('kind' in record) return `message ${record.at} ${record.kind}`;
  return `incident ${record.incident.id}`;
}

/** JSON with sorted keys: the same record always gives the same text, wherever it was stored. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each ?? null)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`);
  return `{${members.join()}}`;
}
