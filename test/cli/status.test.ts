import { expect, test } from 'vitest';
import { type Status, statusRows } from '../../cli/commands/status.ts';
import type { IncidentRecord, StepRecord } from '../../core/incident/contracts.ts';

const record = (id: string, change: Partial<IncidentRecord> = {}): IncidentRecord => ({
  version: 1,
  incident: {
    id,
    environment: 'production',
    scenario: 'database',
    mode: id.startsWith('drill') ? 'drill' : 'recovery',
    reason: 'test',
    trigger: { kind: 'person' },
    region: 'us-east-1',
    executionArn: `arn:${id}`,
    detectedAt: '2026-11-22T20:15:00Z',
    target: 'stocker-pro-production',
    restoreTo: 'latest',
  },
  status: 'closed',
  openedAt: '2026-11-22T20:15:00Z',
  closedAt: '2026-11-22T20:16:00Z',
  objectives: { rtoSeconds: 3600, rpoSeconds: 900 },
  achieved: { rtoSeconds: 13.2, rpoSeconds: 1.5 },
  ...change,
});

const quiet: Status = {
  active: undefined,
  lease: undefined,
  incidents: [],
  steps: [],
  approval: undefined,
  ringing: [],
};

const told = (change: Partial<Status>) =>
  statusRows({ ...quiet, ...change })
    .map((row) => row.join(' | '))
    .join('\n');

const step = (name: string, change: Partial<StepRecord> = {}): StepRecord => ({
  version: 1,
  incidentId: 'recovery-1',
  step: name,
  status: 'running',
  startedAt: '2026-11-22T20:15:00Z',
  attempts: 1,
  summary: 'running',
  facts: {},
  ...change,
});

test('tells that nothing is known, and what to do about it', () => {
  const rows = told({});
  expect(rows).toMatch(/active database \| not registered \| invoke register-database/);
  expect(rows).toMatch(/lease \| free/);
  expect(rows).toMatch(/open incident \| none/);
  expect(rows).toMatch(/alarms \| quiet/);
  expect(rows).toMatch(/last drills \| none/);
});

test('tells which database is production, who holds the lease and what the recovery does now', () => {
  const rows = told({
    active: {
      version: 1,
      identifier: 'stocker-pro-production',
      resourceId: 'db-1',
      region: 'us-east-1',
      address: 'host',
      port: 5432,
      epoch: 3,
      since: '2026-11-01T00:00:00Z',
    },
    lease: {
      version: 1,
      incidentId: 'recovery-1',
      executionArn: 'arn',
      region: 'us-east-1',
      mode: 'recovery',
      scenario: 'database',
      takenAt: '2026-11-22T20:15:01Z',
    },
    incidents: [record('recovery-1', { status: 'open' })],
    steps: [
      step('FenceSource', { finishedAt: '2026-11-22T20:15:09Z' }),
      step('AwaitAvailable', { summary: 'creating' }),
    ],
  });
  expect(rows).toMatch(/stocker-pro-production \| us-east-1, epoch 3/);
  expect(rows).toMatch(/lease \| recovery-1 \| recovery in us-east-1/);
  expect(rows).toMatch(/open incident \| recovery-1 \| AwaitAvailable: creating/);
});

test('says how to approve while a recovery asks, and no more once it was decided', () => {
  const approval = {
    version: 1 as const,
    incidentId: 'recovery-1',
    executionArn: 'arn',
    region: 'us-east-1',
    askedAt: '2026-11-22T20:15:00Z',
    expiresAt: '2026-11-22T21:15:00Z',
    plan: { source: 'a', candidate: 'b', damage: [], estimatedLossSeconds: 5 },
  };
  const incidents = [record('recovery-1', { status: 'open' })];
  expect(told({ incidents, approval })).toMatch(/until 2026-11-22T21:15:00Z \| npm run dr -- approve recovery-1/);
  const decision = { approved: true, by: 'somebody', reason: 'yes', at: '2026-11-22T20:20:00Z' };
  expect(told({ incidents, approval: { ...approval, decision } })).not.toMatch(/approve/);
});

test('lists every ringing alarm and the last three drills, not recoveries', () => {
  const ringing = [
    { AlarmName: 'database-damage-found', StateUpdatedTimestamp: new Date('2026-11-22T20:14:00Z') },
    { AlarmName: 'sentinel-silent' },
  ] as Status['ringing'];
  const incidents = ['drill-4', 'recovery-9', 'drill-3', 'drill-2', 'drill-1'].map((id) => record(id));
  const failed = record('drill-5', { status: 'failed', achieved: {} });
  const rows = told({ ringing, incidents: [failed, ...incidents] });
  expect(rows).toMatch(/database-damage-found \| rings since 2026-11-22T20:14:00.000Z/);
  expect(rows).toMatch(/sentinel-silent \| rings/);
  expect(rows).toMatch(/drill-5 \| failed .*RTO unknown/);
  expect(rows).toMatch(/drill-3 \| passed .*RTO 13.2 s, RPO 1.5 s/);
  expect(rows).not.toMatch(/drill-2|recovery-9/);
});
