import { expect, test } from 'vitest';
import { measureLoss, restoreBounds } from '../../cli/measure.ts';
import { Ledger } from '../../workload/clients/ledger.ts';
import { makeStepRecord } from '../core/fakes.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22) + seconds * 1000).toISOString();
const assessed = (restore: object) =>
  makeStepRecord('AssessDatabase', {
    facts: { restore, restorePoint: at(100), candidate: 'c', sourceStatus: 'available' },
  });
const restored = makeStepRecord('RestoreDatabase', { finishedAt: at(103) });
const latest = assessed({ kind: 'time', at: 'latest' });

test.each([
  { case: 'the latest time lies up to the end of the call', plan: latest, notAfter: 103 },
  { case: 'a given time lies exactly there', plan: assessed({ kind: 'time', at: at(100) }), notAfter: 100 },
  { case: 'a snapshot lies exactly there', plan: assessed({ kind: 'snapshot', snapshot: 's' }), notAfter: 100 },
])('a restore to $case', ({ plan, notAfter }) => {
  const bounds = { notBefore: Date.parse(at(100)), notAfter: Date.parse(at(notAfter)) };
  expect(restoreBounds([plan, restored])).toEqual(bounds);
});

test.each([
  { case: 'nothing was assessed', timeline: [restored] },
  { case: 'nothing was restored', timeline: [latest] },
  { case: 'the restore failed', timeline: [latest, { ...restored, status: 'failed' as const }] },
])('there is no measurement where $case', ({ timeline }) => {
  expect(measureLoss(new Ledger(), new Set(), at(90), timeline)).toBeUndefined();
});

const freshness = makeStepRecord('CheckGate', {
  piece: 'heartbeat-freshness-1',
  facts: { check: 'heartbeat-freshness', items: [{ subject: 'heartbeat', facts: { newestHeartbeat: at(96) } }] },
});

test.each([
  { case: 'before the detection it is that long', detected: 120, lossSeconds: 21, estimatedSeconds: 24 },
  { case: 'after it, nothing is lost, and it says by how much', detected: 90, lossSeconds: -9, estimatedSeconds: -6 },
])(
  'loss by the ledger: where the newest write in the copy lies $case',
  ({ detected, lossSeconds, estimatedSeconds }) => {
    const ledger = new Ledger();
    ledger.entries.push({ reference: 'there', sentAt: Date.parse(at(98)), acknowledgedAt: Date.parse(at(99)) });
    ledger.entries.push({ reference: 'later', sentAt: Date.parse(at(105)), acknowledgedAt: Date.parse(at(106)) });
    const timeline = [latest, restored, freshness];
    expect(measureLoss(ledger, new Set(['there']), at(detected), timeline)).toMatchObject({
      lossSeconds,
      estimatedSeconds,
      verdict: { provenPresent: 1, provenAbsent: 1, missing: [], surplus: [], inverted: [] },
    });
  },
);
