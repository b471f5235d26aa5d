import { afterEach, describe, expect, test } from 'vitest';
import { clientsOf } from '../../cli/clients.ts';
import { nextSteps, readStatus, type Status, statusRows } from '../../cli/commands/status.ts';
import { hintsAreFor } from '../../cli/hints.ts';
import type { Operator } from '../../cli/operator.ts';
import { namesOf } from '../../config/names.ts';
import { production } from '../../config/production.ts';
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
  environment: 'production',
  active: undefined,
  lease: undefined,
  incidents: [],
  steps: [],
  approval: undefined,
  ringing: [],
  decisions: [],
  drills: [],
  silent: [],
};
const active = {
  version: 1 as const,
  identifier: 'stocker-pro-production',
  resourceId: 'db-1',
  region: 'us-east-1',
  address: 'host',
  port: 5432,
  epoch: 3,
  since: '2026-11-01T00:00:00Z',
};
const now = Date.parse('2026-11-22T20:20:00Z');

const told = (change: Partial<Status>) =>
  statusRows({ ...quiet, active, ...change }, now)
    .map((row) => row.join(' | '))
    .join('\n');
const next = (change: Partial<Status>) => nextSteps({ ...quiet, active, ...change }, now).join('\n');

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

afterEach(() => hintsAreFor('production', undefined));

test('tells that nothing is known, and what to do about it', () => {
  const rows = told({ active: undefined });
  expect(rows).toMatch(/production \| not registered/);
  expect(rows).toMatch(/recovery \| none is running/);
  expect(rows).toMatch(/alarms \| quiet/);
  expect(rows).toMatch(/last drills \| none/);
  expect(next({ active: undefined })).toMatch(/register-database/);
  expect(next({})).toBe('Nothing to do.');
});

test('tells what Terraform still believes, and the command that shows it', () => {
  const debt = {
    ...{ version: 1 as const, resourceId: 'db-1', region: 'us-east-1', parameter: '/p', incidentId: 'recovery-1' },
    ...{ import: 'stocker-2', old: 'stocker-1', since: '2026-11-22T20:15:00Z' },
  };
  expect(told({ debt })).toMatch(/terraform debt \| since .*state holds stocker-1, and production is stocker-2/);
  expect(next({ debt })).toMatch(/undo the cut-over.*dr -- debt/);
});

test('tells which database is production, what the recovery does now, and its time against the RTO', () => {
  const working: Partial<Status> = {
    incidents: [record('recovery-1', { status: 'open' })],
    steps: [
      step('FenceSource', { finishedAt: '2026-11-22T20:15:09Z', status: 'succeeded' }),
      step('AwaitAvailable', { status: 'waiting', finishedAt: '2026-11-22T20:16:09Z', summary: 'creating' }),
    ],
  };
  const rows = told(working);
  expect(rows).toMatch(/production \| stocker-pro-production in us-east-1, epoch 3/);
  expect(rows).toMatch(/recovery \| recovery-1: test/);
  expect(rows).toMatch(/5 min of the RTO of 1 h, since 2026-11-22 20:15:00 UTC \(person\)/);
  expect(rows).toMatch(/now \| AwaitAvailable: creating/);
  expect(rows).toMatch(/forecast \| no forecast/);
  const drill = {
    version: 1 as const,
    incidentId: 'drill-1',
    scenario: 'database' as const,
    mode: 'drill' as const,
    closedAt: '2026-11-01T00:00:00Z',
    succeeded: true,
    rtoSeconds: 1200,
  };
  expect(told({ ...working, drills: [drill] })).toMatch(/forecast \| healthy in about 15 min 00 s, 20 min 00 s after/);
  expect(next(working)).toMatch(/npm run dr -- watch recovery-1\nTo stop it: npm run dr -- cancel recovery-1/);
});

test('once the application is healthy, its time is told and the clock runs no further', () => {
  const recoveredAt = '2026-11-22T20:19:00Z';
  const rows = told({ incidents: [record('recovery-1', { status: 'open', recoveredAt })] });
  expect(rows).toMatch(/healthy since 2026-11-22 20:19:00 UTC/);
  expect(rows).not.toMatch(/of the RTO/);
});

test('works on the incident that holds the lease, and names the other one that is open', () => {
  const incidents = ['recovery-2', 'recovery-1'].map((id) => record(id, { status: 'open' }));
  const lease = {
    version: 1 as const,
    incidentId: 'recovery-1',
    executionArn: 'arn',
    region: 'us-east-1',
    mode: 'recovery' as const,
    scenario: 'database' as const,
    takenAt: '2026-11-22T20:15:01Z',
  };
  expect(told({ incidents, lease })).toMatch(/recovery \| recovery-1: test[\s\S]*also open \| recovery-2/);
  expect(told({ lease })).toMatch(/lease \| held by recovery-1 since/);
  // A failover is at work in the other Region: its incident is there.
  const elsewhere = { ...lease, region: 'us-west-2' };
  const ringing = [{ AlarmName: 'stocker-dr-production-backup-missed' }];
  expect(nextSteps({ ...quiet, active, ringing, lease: elsewhere }, now)).toEqual([
    'The recovery runs in us-west-2: npm run dr -- watch recovery-1 --region us-west-2',
  ]);
  expect(nextSteps({ ...quiet, active, ringing, lease }, now).join()).not.toContain('The recovery runs in');
});

test('shows the question and what to type while a recovery asks, and no more once it was decided', () => {
  const approval = {
    version: 1 as const,
    incidentId: 'recovery-1',
    executionArn: 'arn',
    region: 'us-east-1',
    askedAt: '2026-11-22T20:15:00Z',
    expiresAt: '2026-11-22T20:30:00Z',
    plan: { source: 'a', candidate: 'b', damage: ['table t is gone'], estimatedLossSeconds: 5 },
  };
  const incidents = [record('recovery-1', { status: 'open' })];
  const rows = told({ incidents, approval });
  expect(rows).toMatch(/approval wanted \| Damaged: table t is gone/);
  expect(rows).toMatch(/you choose the restore point/);
  expect(rows).toMatch(/declined at 2026-11-22 20:30:00 UTC, in 10 min/);
  expect(next({ incidents, approval })).toMatch(/^npm run dr -- approve recovery-1 --reason "…" --restore-to POINT\n/);
  hintsAreFor('staging', 'us-west-2');
  expect(next({ incidents, approval })).toMatch(
    /decline recovery-1 --reason "…" --environment staging --region us-west-2/,
  );
  const expired = { ...approval, expiresAt: '2026-11-22T20:19:00Z' };
  expect(next({ incidents, approval: expired })).not.toMatch(/approve/);
  const decision = { approved: true, by: 'somebody', reason: 'yes', at: '2026-11-22T20:20:00Z' };
  expect(next({ incidents, approval: { ...approval, decision } })).not.toMatch(/approve/);
});

test('names every ringing alarm, why triage started nothing, and how a person does', () => {
  const damageFound = 'stocker-dr-production-database-damage-found';
  const ringing = [
    { AlarmName: damageFound, StateUpdatedTimestamp: new Date('2026-11-22T20:14:00Z') },
    { AlarmName: 'stocker-dr-production-database-sentinel-silent' },
  ] as Status['ringing'];
  const decisions = [
    { at: '2026-11-22T20:14:02Z', alarm: damageFound, verdict: 'record', reasons: ['a blocked window'] },
  ];
  const rows = told({ ringing, decisions });
  expect(rows).toMatch(/alarms \| stocker-dr-production-database-damage-found rings since 2026-11-22 20:14:00 UTC/);
  expect(rows).toMatch(/sentinel-silent rings/);
  expect(rows).toMatch(/triage \| record at 2026-11-22 20:14:02 UTC, because a blocked window/);
  expect(next({ ringing })).toMatch(/docs\/runbooks[\s\S]*start --mode recovery --confirm production/);
  const incidents = [record('recovery-1', { status: 'open' })];
  expect(told({ ringing, decisions, incidents })).not.toMatch(/triage/);
});

test('does not have production recovered for an alarm of backups or readiness', () => {
  const ringing = [{ AlarmName: 'stocker-dr-production-backup-missed' }] as Status['ringing'];
  expect(told({ ringing })).toMatch(/alarms \| stocker-dr-production-backup-missed rings/);
  expect(next({ ringing })).toMatch(/No alarm tells of a lost database[\s\S]*dr -- readiness/);
  expect(next({ ringing })).not.toMatch(/start --mode recovery/);
});

test('offers to take up a recovery that failed lately, and forgets it after a day', () => {
  const failed = record('recovery-1', { status: 'failed', achieved: {}, outcome: 'The recovery was declined' });
  expect(told({ incidents: [failed] })).toMatch(/last recovery \| recovery-1 FAILED .*, The recovery was declined/);
  expect(next({ incidents: [failed] })).toMatch(/npm run dr -- retry recovery-1/);
  expect(next({ incidents: [{ ...failed, closedAt: '2026-11-20T20:16:00Z' }] })).toBe('Nothing to do.');
});

test('lists the last recovery and the last three drills', () => {
  const incidents = ['drill-4', 'recovery-9', 'drill-3', 'drill-2', 'drill-1'].map((id) => record(id));
  const failed = record('drill-5', { status: 'failed', achieved: {} });
  const rows = told({ incidents: [failed, ...incidents] });
  expect(rows).toMatch(/last recovery \| recovery-9 passed/);
  expect(rows).toMatch(/drill-5 FAILED/);
  expect(rows).toMatch(/drill-3 passed 2026-11-22 20:16:00 UTC, RTO 13.2 s, RPO 1.5 s/);
  expect(rows).not.toMatch(/drill-2/);
});

describe('where a Region does not answer', () => {
  const silence = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
  /** Clients of two Regions, of which these do not answer; the others know nothing. */
  function operatorOf(...silent: string[]): Operator {
    const clients = (region: string) => {
      const send = async () => {
        if (silent.includes(region)) throw silence;
        return { Items: [], MetricAlarms: [] };
      };
      const { dynamodb, cloudwatch, ...rest } = clientsOf({}, region);
      return { ...rest, dynamodb: Object.assign(dynamodb, { send }), cloudwatch: Object.assign(cloudwatch, { send }) };
    };
    const [here, dr] = [clients('us-east-1'), clients('us-west-2')] as const;
    return { configuration: production, names: namesOf(production), region: 'us-east-1', here, dr };
  }

  test('what it keeps is unknown, and never called quiet', async () => {
    const state = await readStatus(operatorOf('us-east-1'));
    expect(state.silent).toEqual(['us-east-1']);
    const rows = told({ ...state, active });
    expect(rows).toMatch(/UNKNOWN \| us-east-1 does not answer/);
    expect(rows).toMatch(/recovery \| unknown[\s\S]*alarms \| unknown/);
    expect(next({ ...state, active })).not.toContain('Nothing to do');
    // Control: both answer.
    expect((await readStatus(operatorOf())).silent).toEqual([]);
  });

  test('of two that do not answer nothing can be told', async () => {
    await expect(readStatus(operatorOf('us-east-1', 'us-west-2'))).rejects.toThrow('ETIMEDOUT');
  });
});
