import { describe, expect, test } from 'vitest';
import { type MoveMeasurement, moveCost, moveMeasured, moveObjections } from '../../cli/region-measure.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import type { StepRecord } from '../../core/incident/contracts.ts';
import type { Accepted } from '../../workload/clients/prober.ts';

const zero = Date.parse('2026-11-22T20:00:00Z');
const at = (seconds: number) => zero + seconds * 1000;
const moment = (seconds: number) => new Date(at(seconds)).toISOString();
const step = (name: string, started: number): StepRecord => ({
  version: 1,
  incidentId: 'recovery-1',
  step: name,
  status: 'succeeded',
  startedAt: moment(started),
  finishedAt: moment(started),
  attempts: 1,
  summary: '',
  facts: {},
});
const timeline = [step('CutOver', 20), step('ShiftTraffic', 25)];
const ledger = (...seconds: number[]) => ({
  entries: seconds.map((each) => ({ reference: String(each), sentAt: at(each) - 5, acknowledgedAt: at(each) })),
  failures: [{ at: at(17), reason: 'fetch failed' }],
});
const cost = (present: number[]) =>
  moveCost({ ledger: ledger(8, 9, 28, 29), present: new Set(present.map(String)), startedAt: at(10), timeline });

test('counts what was acknowledged before the cut-over and is not there, and when clients were served again', () => {
  expect(cost([8, 28, 29])).toMatchObject({
    lost: 1,
    missingSince: 0,
    keptSince: 2,
    servedSeconds: 3,
    outage: { from: at(9), until: at(28) },
  });
});
test('finds a write of the new database missing (control)', () => {
  expect(cost([8, 9, 28])).toMatchObject({ lost: 0, missingSince: 1, keptSince: 1 });
});

const report = (change: Partial<Report> = {}): Report =>
  ({
    objectives: [{ name: 'RTO', met: 'met' }],
    validation: [],
    timeline,
    record: { incident: { detectedAt: moment(12), trigger: { kind: 'alarm' } } },
    ...change,
  }) as unknown as Report;
const accepted = (instance: string, from: number, until: number): Accepted => ({
  instance,
  first: { sentAt: at(from), acknowledgedAt: at(from) },
  last: { sentAt: at(until), acknowledgedAt: at(until) },
  writes: 9,
});
const guard = { openFrom: moment(30), fencedAt: moment(33), windowSeconds: 3, rows: { 'stocker.stock_movement': 9 } };
const measurement = (change: Partial<MoveMeasurement> = {}): MoveMeasurement => ({
  style: 'ungraceful',
  title: 'the primary Region is lost',
  startedAt: at(10),
  ended: { status: 'SUCCEEDED', error: undefined, cause: undefined },
  cost: cost([8, 9, 28, 29]),
  acceptance: [accepted('old', 0, 10), accepted('new', 20, 40)],
  guard: undefined,
  clockFactor: 20,
  ...change,
});

describe('a move passes', () => {
  test('where nothing speaks against it', () => {
    expect(moveObjections(report(), measurement())).toEqual([]);
  });
  test('with both accepting, within the window that the guard reported', () => {
    const acceptance = [accepted('new', 20, 40), accepted('old', 31, 33)];
    expect(moveObjections(report(), measurement({ acceptance, guard }))).toEqual([]);
    const facts = moveMeasured(report(), measurement({ acceptance, guard })).facts;
    expect(facts.find(({ label }) => label === 'both accepting')).toMatchObject({
      value: '2.0 s',
      note: expect.stringContaining('a window of 3.0 s, and 9 rows'),
    });
  });
});

describe('a move does not pass (control)', () => {
  const both = [accepted('new', 20, 40), accepted('old', 31, 36)];
  test.each<{ case: string; change: Partial<MoveMeasurement>; of?: Partial<Report>; says: RegExp }>([
    { case: 'both accept, and no guard said so', change: { acceptance: both }, says: /both accepted/ },
    { case: 'both accept for longer than the guard said', change: { acceptance: both, guard }, says: /both accepted/ },
    {
      case: 'both accept in a switchover, whatever the guard says',
      change: { style: 'graceful', acceptance: [accepted('new', 20, 40), accepted('old', 31, 32)], guard },
      says: /both accepted/,
    },
    {
      case: 'a switchover loses a write',
      change: { style: 'graceful', cost: cost([8, 28, 29]) },
      says: /1 acknowledged/,
    },
    {
      case: 'a write of the new database is missing',
      change: { cost: cost([8, 9, 28]) },
      says: /after the cut-over are missing/,
    },
    { case: 'the prober wrote nowhere', change: { acceptance: [] }, says: /proves nothing/ },
    {
      case: 'an objective is missed',
      change: {},
      of: { objectives: [{ name: 'RTO', met: 'missed' }] as never },
      says: /objective RTO/,
    },
    { case: 'it failed', change: { ended: { status: 'FAILED', error: 'Boom', cause: '' } }, says: /FAILED Boom/ },
  ])('where $case', ({ change, of, says }) => {
    expect(moveObjections(report(of), measurement(change)).join('\n')).toMatch(says);
  });
});
