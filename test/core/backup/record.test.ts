import { describe, expect, it } from 'vitest';
import type { BackupRecord, Outcome } from '../../../core/backup/contracts.ts';
import { judgeDay } from '../../../core/backup/days.ts';
import { awaitProof, judgeProof, startProof } from '../../../core/backup/prove-backup.ts';
import { reportBackup } from '../../../core/backup/report-backup.ts';
import { watchBackups } from '../../../core/backup/watch-backups.ts';
import { requestKey } from '../../../core/incident/identifiers.ts';
import { FakeMetrics } from '../database/fakes.ts';
import {
  FakeAnnouncer,
  FakeClock,
  FakeExecutions,
  FakeIncidents,
  makeInstance,
  makeRecord,
  makeStepRecord,
  settings,
} from '../fakes.ts';
import { both, FakeBackups, FakeSnapshots, here, makeBackup, makeRun, source, there } from './fakes.ts';

const recordOf = (startedAt: string, verdict: BackupRecord['verdict'] = 'succeeded'): BackupRecord => ({
  version: 1,
  run: makeRun(startedAt),
  finishedAt: startedAt.replace('T02:00', 'T02:40'),
  verdict,
  outcomes: [],
});
const long = '2026-01-01T00:00:00Z';

describe('a day', () => {
  const yesterday = recordOf('2026-11-27T02:00:10.000Z');
  const judge = (now: string, runs: readonly BackupRecord[], since = long) =>
    judgeDay(runs, { now: `2026-11-28T${now}.000Z`, since, backup: settings.backup }).verdict;
  const today = (verdict: BackupRecord['verdict'], time = '02:00:10') => recordOf(`2026-11-28T${time}.000Z`, verdict);

  it.each<{ case: string; now: string; runs: BackupRecord[]; verdict: string }>([
    { case: 'the backup is not due yet', now: '01:59:59', runs: [yesterday], verdict: 'good' },
    { case: 'it is being made', now: '02:30:00', runs: [yesterday], verdict: 'waiting' },
    { case: 'it succeeded', now: '02:45:00', runs: [today('succeeded'), yesterday], verdict: 'good' },
    { case: 'two hours have passed', now: '04:00:00', runs: [yesterday], verdict: 'late' },
    { case: 'twelve hours have passed', now: '14:00:00', runs: [yesterday], verdict: 'missed' },
    { case: 'it failed', now: '02:45:00', runs: [today('failed'), yesterday], verdict: 'failed' },
    { case: 'it failed long ago', now: '23:59:59', runs: [today('failed'), yesterday], verdict: 'failed' },
    {
      case: 'it failed and was made again by hand',
      now: '09:00:00',
      runs: [today('succeeded', '08:00:00'), today('failed')],
      verdict: 'good',
    },
    {
      case: 'a later run by hand failed after a good one',
      now: '09:00:00',
      runs: [today('failed', '08:00:00'), today('succeeded')],
      verdict: 'good',
    },
    { case: 'a proof is all that ran', now: '14:00:00', runs: [prove('2026-11-28T03:00:00.000Z')], verdict: 'missed' },
    { case: 'yesterday is missing, and today is not due', now: '01:00:00', runs: [], verdict: 'missed' },
    { case: 'yesterday is missing, and today is being made', now: '02:10:00', runs: [], verdict: 'missed' },
    {
      case: 'yesterday failed, and today is being made',
      now: '02:10:00',
      runs: [recordOf('2026-11-27T02:00:10.000Z', 'failed')],
      verdict: 'failed',
    },
    {
      case: 'it succeeded and the last proof failed',
      now: '09:00:00',
      runs: [{ ...prove('2026-11-28T03:00:00.000Z'), verdict: 'failed' }, today('succeeded')],
      verdict: 'failed',
    },
    {
      case: 'the proof of the dump failed a week ago, and no other came',
      now: '02:30:00',
      runs: [yesterday, { ...proveDump('2026-11-21T03:00:00.000Z'), verdict: 'failed' }],
      verdict: 'failed',
    },
    {
      case: 'the dump was proven after its proof had failed',
      now: '09:00:00',
      runs: [
        proveDump('2026-11-28T08:00:00.000Z'),
        today('succeeded'),
        { ...proveDump('2026-11-21T03:00:00.000Z'), verdict: 'failed' },
      ],
      verdict: 'good',
    },
    {
      case: 'a proof failed and the backup is late',
      now: '04:00:00',
      runs: [{ ...prove('2026-11-28T03:00:00.000Z'), verdict: 'failed' }, yesterday],
      verdict: 'late',
    },
  ])('is $verdict where $case', ({ now, runs, verdict }) => expect(judge(now, runs)).toBe(verdict));
  it('that was due before the database came here is not this Region’s', () => {
    expect(judge('14:00:00', [], '2026-11-28T02:00:01Z')).toBe('good');
    expect(judge('14:00:00', [], '2026-11-28T01:59:59Z')).toBe('missed');
  });
});

function prove(startedAt: string): BackupRecord {
  return { ...recordOf(startedAt), run: makeRun(startedAt, { task: 'prove' }) };
}

function proveDump(startedAt: string): BackupRecord {
  return { ...recordOf(startedAt), run: makeRun(startedAt, { task: 'prove-dump' }) };
}

describe('the watch', () => {
  const watch = async (region: string, runs: readonly BackupRecord[] = []) => {
    const metrics = new FakeMetrics();
    const backups = new FakeBackups();
    backups.runs.push(...runs);
    const active = { version: 1 as const, ...source, region: here, address: 'db', port: 5432, epoch: 1, since: long };
    const clock = new FakeClock('2026-11-28T14:30:00.000Z');
    const control = { readActiveDatabase: async () => active };
    await watchBackups({ settings, region, clock, control, backups, metrics });
    return metrics.values;
  };
  it('rings for exactly one reason', async () => {
    expect(await watch(here)).toEqual({ BackupLate: 0, BackupMissed: 1, BackupFailed: 0 });
    const failed = recordOf('2026-11-28T02:00:00.000Z', 'failed');
    expect(await watch(here, [failed])).toEqual({ BackupLate: 0, BackupMissed: 0, BackupFailed: 1 });
  });
  it('rests where the active database is elsewhere, and says so', async () => {
    expect(await watch(there)).toEqual({ BackupLate: 0, BackupMissed: 0, BackupFailed: 0 });
  });
});

describe('the report', () => {
  const fine: Outcome = { part: 'dump', verdict: 'passed', summary: 'whole', facts: {} };
  const repaired: Outcome = { part: 'protection', verdict: 'repaired', summary: 'retention raised', facts: {} };
  const thrown = {
    part: 'copy' as const,
    failure: {
      Error: 'SnapshotFailed',
      Cause: JSON.stringify({ errorType: 'SnapshotFailed', errorMessage: 'it is failed\nNext: read the events' }),
    },
  };
  const report = async (outcomes: Parameters<typeof reportBackup>[0]['outcomes'], broken = false) => {
    const backups = new FakeBackups();
    const announcer = new FakeAnnouncer();
    const metrics = new FakeMetrics();
    const put = async () => {
      if (broken) throw new Error('no bucket');
    };
    const answer = await reportBackup(
      { run: makeRun(), outcomes },
      {
        clock: new FakeClock('2026-11-28T02:40:00.000Z'),
        backups,
        evidence: { put, location: (key) => `s3://evidence/${key}` },
        metrics,
        announcer,
      },
    );
    return { answer, record: backups.runs[0], told: announcer.announced[0], metrics: metrics.values };
  };
  it('succeeds where every part passed or was repaired, and says what was', async () => {
    const { answer, record, told, metrics } = await report([fine, repaired]);
    expect(answer.verdict).toBe('succeeded');
    expect(record).toMatchObject({ verdict: 'succeeded', outcomes: [fine, repaired] });
    expect(metrics.BackupSucceeded).toBe(1);
    expect(told).toMatchObject({ kind: 'update', next: 'Nothing to do.' });
    expect(told?.lines[0]).toBe('REPAIRED protection: retention raised');
  });
  it('fails by one part, names it first, and says what to do', async () => {
    const { answer, record, told, metrics } = await report([fine, thrown]);
    expect(answer).toMatchObject({ verdict: 'failed', summary: expect.stringContaining('FAILED: copy') });
    expect(record?.outcomes[1]).toMatchObject({
      part: 'copy',
      verdict: 'failed',
      summary: 'SnapshotFailed: it is failed',
    });
    expect(metrics.BackupSucceeded).toBe(0);
    expect(told).toMatchObject({ kind: 'failed', next: 'read the events' });
    expect(told?.lines[0]).toContain('FAILED copy');
  });
  it('fails where nothing was done', async () => expect((await report([])).answer.verdict).toBe('failed'));
  it('is on record and told also where it cannot be written', async () => {
    const { record, told } = await report([fine], true);
    expect(record).toBeDefined();
    expect(told?.lines.join()).toContain('no bucket');
  });
});

describe('the proof', () => {
  const run = makeRun('2026-11-29T03:00:00.000Z', { task: 'prove' });
  const newest = makeRun('2026-11-29T02:00:00.000Z');
  const start = async (
    change: (at: {
      snapshots: FakeSnapshots;
      backups: FakeBackups;
      files: { name: string; bytes: number }[];
    }) => void = () => {},
    task: 'prove' | 'prove-dump' = 'prove',
  ) => {
    const files = ['stocker-db-20261127-013000.sql.gz', 'stocker-db-20261128-013000.sql.gz', 'readme.txt'].map(
      (name) => ({
        name,
        bytes: 9,
      }),
    );
    const dumps = { list: async () => files };
    const snapshots = both((region) => new FakeSnapshots(region));
    const backups = new FakeBackups();
    const executions = new FakeExecutions();
    snapshots.here.add(makeBackup(makeRun('2026-11-28T02:00:00.000Z')), makeBackup(newest));
    change({ snapshots: snapshots.here, backups, files });
    const databases = { find: async () => makeInstance() };
    const started = startProof(
      { run: { ...run, task } },
      { settings, snapshots, databases, backups, dumps, executions },
    );
    return { started, executions };
  };
  it('is the drill that a disaster would run, on the newest good backup', async () => {
    const { started, executions } = await start();
    expect(await started).toMatchObject({ part: 'proof', backup: newest.snapshot, requestId: `proof-${run.id}` });
    expect(executions.started).toEqual([
      expect.objectContaining({
        machine: 'stocker-dr-staging-database-recovery',
        name: `proof-${run.id}`,
        input: expect.objectContaining({ mode: 'drill', restoreTo: { snapshot: newest.snapshot } }),
      }),
    ]);
  });
  it.each<{ case: string; change: Parameters<typeof start>[0] }>([
    { case: 'is not available', change: ({ snapshots }) => snapshots.add(makeBackup(newest, { status: 'creating' })) },
    {
      case: 'is of another instance',
      change: ({ snapshots }) => {
        const other = { ...newest, source: { identifier: source.identifier, resourceId: 'db-BEFORE' } };
        snapshots.add(makeBackup(other));
      },
    },
    {
      case: 'did not restore before',
      change: ({ backups }) =>
        backups.proven.push({ version: 1, backup: newest.snapshot, verdict: 'failed', why: '', at: long }),
    },
  ])('takes the one before where the newest $case', async ({ change }) => {
    const { started } = await start(change);
    expect((await started).backup).toContain('20261128');
  });
  it('is refused where there is no backup', async () => {
    const { started } = await start(({ snapshots }) => snapshots.all.clear());
    await expect(started).rejects.toMatchObject({ name: 'NoBackup' });
  });
  it('of the dumps loads the newest one, by the moment in its name', async () => {
    const { started, executions } = await start(() => {}, 'prove-dump');
    const name = 'stocker-db-20261128-013000.sql.gz';
    expect(await started).toMatchObject({ part: 'dump-proof', backup: name, requestId: `dump-proof-${run.id}` });
    expect(executions.started).toEqual([
      expect.objectContaining({ input: expect.objectContaining({ mode: 'drill', restoreTo: { dump: name } }) }),
    ]);
  });
  it('is refused where there is no dump', async () => {
    const { started } = await start(({ files }) => files.splice(0, 2), 'prove-dump');
    await expect(started).rejects.toMatchObject({
      name: 'NoBackup',
      message: expect.stringContaining('holds no dump'),
    });
  });

  it.each<{ case: string; status: string; steps: Parameters<typeof judgeProof>[1]; verdict: string }>([
    { case: 'the drill passed', status: 'closed', steps: [], verdict: 'passed' },
    {
      case: 'the restore failed',
      status: 'failed',
      steps: [makeStepRecord('AwaitAvailable', { status: 'failed' })],
      verdict: 'failed',
    },
    {
      case: 'the dump could not be loaded',
      status: 'failed',
      steps: [makeStepRecord('LoadDump', { status: 'failed', error: { name: 'DumpUnusable', message: '', next: '' } })],
      verdict: 'failed',
    },
    {
      case: 'the gate found damage',
      status: 'failed',
      steps: [makeStepRecord('JudgeGate', { status: 'failed' })],
      verdict: 'failed',
    },
    {
      case: 'the gate could not look',
      status: 'failed',
      steps: [
        makeStepRecord('JudgeGate', { status: 'failed', error: { name: 'ValidationUnknown', message: '', next: '' } }),
      ],
      verdict: 'unknown',
    },
    {
      case: 'the application failed after the gate had passed',
      status: 'failed',
      steps: [makeStepRecord('JudgeGate'), makeStepRecord('ValidateApplication', { status: 'failed' })],
      verdict: 'passed',
    },
    {
      case: 'the drill failed before it restored anything',
      status: 'failed',
      steps: [makeStepRecord('TakeLease', { status: 'failed' })],
      verdict: 'unknown',
    },
    { case: 'the drill was stopped', status: 'failed', steps: [], verdict: 'unknown' },
  ])('is $verdict where $case', ({ status, steps, verdict }) => {
    expect(judgeProof({ status }, steps, 'FAILED').verdict).toBe(verdict);
  });
  it('is unknown where no drill was opened', () => {
    expect(judgeProof(undefined, [], 'FAILED')).toMatchObject({ verdict: 'unknown' });
  });

  const proof = { part: 'proof' as const, backup: newest.snapshot, executionArn: 'arn:drill', requestId: 'proof-1' };
  const wait = async (status: 'RUNNING' | 'SUCCEEDED' | 'FAILED', incident?: 'open' | 'closed' | 'failed') => {
    const incidents = new FakeIncidents();
    const record = makeRecord({ status: incident ?? 'open' });
    if (incident) {
      incidents.records.set(record.incident.id, record);
      incidents.requests.set(requestKey(proof, proof.executionArn), record.incident.id);
    }
    const executions = new FakeExecutions();
    executions.statuses.set(proof.executionArn, status);
    const backups = new FakeBackups();
    const outcome = awaitProof({ run, proof }, { clock: new FakeClock(), executions, incidents, backups });
    return { outcome, backups, record };
  };
  it('is waited for while the drill runs, or is being closed', async () => {
    for (const each of [await wait('RUNNING'), await wait('FAILED', 'open')])
      await expect(each.outcome).rejects.toMatchObject({ name: 'ProofUnderWay', retryable: true });
  });
  it('is recorded against the backup', async () => {
    const { outcome, backups, record } = await wait('SUCCEEDED', 'closed');
    expect(await outcome).toMatchObject({ part: 'proof', verdict: 'passed' });
    expect(backups.proven).toEqual([
      expect.objectContaining({ backup: newest.snapshot, verdict: 'passed', incidentId: record.incident.id }),
    ]);
  });
  it('fails the run where it is unknown, and says nothing against the backup', async () => {
    const { outcome, backups } = await wait('FAILED');
    expect(await outcome).toMatchObject({ verdict: 'failed', summary: expect.stringContaining('not proven') });
    expect(backups.proven[0]?.verdict).toBe('unknown');
  });
});
