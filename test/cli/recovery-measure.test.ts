import { expect, test } from 'vitest';
import { costOf, recoveryMeasured, recoveryObjections } from '../../cli/recovery-measure.ts';
import type { Report } from '../../core/evidence/contracts.ts';
import type { StepRecord } from '../../core/incident/contracts.ts';

const zero = Date.parse('2026-11-22T20:00:00Z');
const at = (seconds: number) => zero + seconds * 1000;
const moment = (seconds: number) => new Date(at(seconds)).toISOString();
const step = (name: string, finished: number, facts: StepRecord['facts'] = {}): StepRecord => ({
  version: 1,
  incidentId: 'recovery-1',
  step: name,
  status: 'succeeded',
  startedAt: moment(finished),
  finishedAt: moment(finished),
  attempts: 1,
  summary: '',
  facts,
});
const plan = { restore: { kind: 'time', at: moment(10) }, restorePoint: moment(10) };
const recovered = [
  step('AssessDatabase', 13, plan),
  step('FenceSource', 14),
  step('RestoreDatabase', 15),
  step('CutOver', 20),
];
/** Writes named by the second in which they were acknowledged. */
const ledger = (...seconds: number[]) => ({
  entries: seconds.map((each) => ({ reference: String(each), sentAt: at(each) - 5, acknowledgedAt: at(each) })),
  failures: [{ at: at(17), reason: 'HTTP 503' }],
});
const cost = (present: number[], timeline = recovered) =>
  costOf({ ledger: ledger(8, 9, 12, 13, 22, 23), present: new Set(present.map(String)), struckAt: at(11), timeline });

test('counts what was acknowledged after the restore point as lost, and what the new database took as kept', () => {
  expect(cost([8, 9, 22, 23])).toMatchObject({
    lost: 2,
    lostSeconds: 4,
    keptSince: 2,
    missingSince: 0,
    outage: { from: at(13), until: at(22), failures: 1 },
    before: { missing: [], surplus: [], provenAbsent: 2, provenPresent: 2 },
  });
});

test.each([
  { case: 'a write from before the restore point', present: [8, 22, 23], finds: { before: { missing: ['9'] } } },
  { case: 'a write of the new database', present: [8, 9, 22], finds: { missingSince: 1 } },
])('finds $case missing (control)', ({ present, finds }) => {
  expect(cost(present)).toMatchObject(finds);
});

test('finds a write from after the restore point that is there (control)', () => {
  expect(cost([8, 9, 12, 22, 23])).toMatchObject({ before: { surplus: ['12'] } });
});

test('compares with no restore point where nothing was cut over: everything must be there', () => {
  const failed = recovered.slice(0, 3);
  expect(cost([8, 9, 12, 13, 22, 23], failed)).toMatchObject({ lost: 0, before: undefined });
  expect(cost([8, 9, 12, 13, 22], failed)).toMatchObject({ lost: 1 });
});

const ofCluster = {
  record: {
    incident: { scenario: 'cluster', detectedAt: moment(13), trigger: { kind: 'alarm', name: 'cluster-lost' } },
  },
  timeline: [
    step('AssessCluster', 13, { level: 'cluster', reasons: ['EKS knows no cluster'] }),
    step('RequestApproval', 14),
  ],
  validation: [],
  objectives: [],
} as unknown as Report;
const measured = (present: number[]) => ({
  ended: { status: 'SUCCEEDED' } as never,
  cost: cost(present, ofCluster.timeline as StepRecord[]),
  unread: undefined,
  disaster: { title: 'the cluster is deleted', done: 'DeleteCluster', struckAt: at(11) },
  acknowledged: 6,
  failures: 1,
  looks: [],
  acceptance: { intervals: [{ instance: 'a', from: at(8), until: at(23) }], refused: new Map() } as never,
  clockFactor: 60,
});

test('tells of a cluster what was decided and what its clients felt, and nothing of a restore', () => {
  const { facts } = recoveryMeasured(ofCluster, measured([8, 9, 12, 13, 22, 23]));
  expect(facts).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ label: 'decision', value: 'cluster-level', note: 'EKS knows no cluster' }),
      expect.objectContaining({ label: 'approval', value: 'asked' }),
      expect.objectContaining({ label: 'downtime of clients', value: '9.0 s' }),
      expect.objectContaining({ label: 'writes lost', value: 0 }),
    ]),
  );
  const labels = facts.map(({ label }) => label);
  for (const ofRestores of ['missing', 'surplus', 'seen by']) expect(labels).not.toContain(ofRestores);
});

test('objects to a write that is lost though no database was touched (control)', () => {
  expect(recoveryObjections(ofCluster, measured([8, 9, 12, 13, 22, 23]))).toEqual([]);
  expect(recoveryObjections(ofCluster, measured([8, 9, 12, 13, 22]))).toEqual([
    '1 acknowledged writes are missing, and no data was restored',
  ]);
});

test('tells of configuration what was found, and that a second look found nothing', () => {
  const lost = { kind: 'record', name: 'api.example.com SRV', is: 'absent', shouldBe: 'there', way: 'recorded-zone' };
  const timeline = [
    step('OpenIncident', 15),
    step('JudgeFindings', 16, { affected: [lost] }),
    { ...step('JudgeRestored', 18), summary: 'nothing differs any more' },
  ];
  const trigger = { kind: 'event', name: 'ChangeResourceRecordSets of api.example.com' };
  const incident = { scenario: 'configuration', detectedAt: moment(11), trigger };
  const report = { ...ofCluster, record: { incident }, timeline } as unknown as Report;
  const { facts } = recoveryMeasured(report, measured([8, 9, 12, 13, 22, 23]));
  const told = Object.fromEntries(facts.map(({ label, value, note }) => [label, { value, note }]));
  expect(told).toMatchObject({
    'detected after': { value: '0.0 s' },
    'told after': { value: '4.0 s' },
    affected: { value: 1, note: 'record api.example.com SRV: absent' },
    approval: { value: 'not needed' },
    'drift left': { value: 'none', note: 'nothing differs any more' },
    'writes lost': { value: 0 },
  });
  const unverified = { ...report, timeline: timeline.slice(0, 2) } as unknown as Report;
  expect(recoveryMeasured(unverified, measured([8])).facts).toContainEqual(
    expect.objectContaining({ label: 'drift left', value: 'unknown' }),
  );
});
