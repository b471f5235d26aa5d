import { describe, expect, it } from 'vitest';
import { type Backup, type BackupList, backupRows, lastRun } from '../../cli/commands/backups.ts';
import type { BackupRecord, Outcome } from '../../core/backup/contracts.ts';
import { makeRun } from '../core/backup/fakes.ts';

const now = Date.parse('2026-11-28T04:00:00.000Z');
const run = makeRun();
const outcome = (part: Outcome['part'], change: Partial<Outcome> = {}): Outcome => ({
  part,
  verdict: 'passed',
  summary: 'fine',
  facts: {},
  ...change,
});
const recordOf = (...outcomes: Outcome[]): BackupRecord => ({
  version: 1,
  run,
  finishedAt: '2026-11-28T02:40:00.000Z',
  verdict: outcomes.some(({ verdict }) => verdict === 'failed') ? 'failed' : 'succeeded',
  outcomes,
});
const daily: Backup = { kind: 'daily backup', name: run.snapshot, region: 'us-east-1', at: '2026-11-28T02:00:00Z' };
const dump: Backup = {
  kind: 'dump',
  name: 'stocker-db-20261128-013000.sql.gz',
  region: 'us-east-1',
  at: '2026-11-28T01:30:00Z',
};
const none: BackupList = { backups: [], runs: [], proofs: [], drills: [], silent: [] };
const proof = (verdict: 'passed' | 'failed' | 'unknown') => ({
  version: 1 as const,
  backup: run.snapshot,
  verdict,
  why: 'JudgeGate failed',
  at: '2026-11-28T03:30:00Z',
});
const proofs = (list: Partial<BackupList>) => backupRows({ ...none, ...list }, now).map((row) => row.at(-1));

describe('dr backups', () => {
  it('tells kind, Region, age, name and proof', () => {
    expect(backupRows({ ...none, backups: [daily] }, now)).toEqual([
      ['daily backup', 'us-east-1', '2 h', run.snapshot, 'not proven yet'],
    ]);
  });
  it('lists kind by kind, newest first, and days where hours say nothing', () => {
    const old = { ...daily, name: 'old', at: '2026-11-18T02:00:00Z' };
    const window: Backup = { ...daily, kind: 'point in time', name: 'window', at: undefined };
    const rows = backupRows({ ...none, backups: [dump, window, old, daily] }, now);
    expect(rows.map(([, , age, name]) => `${name} ${age}`)).toEqual([
      `${run.snapshot} 2 h`,
      'old 10 days',
      'window ?',
      `${dump.name} 2 h 30 min`,
    ]);
  });
  it.each<{ case: string; list: Partial<BackupList>; said: string }>([
    {
      case: 'a drill restored it',
      list: { proofs: [proof('passed')] },
      said: 'restored by a drill at 2026-11-28 03:30:00 UTC',
    },
    { case: 'a drill could not', list: { proofs: [proof('failed')] }, said: 'NO BACKUP: JudgeGate failed' },
    { case: 'a drill ended for another reason', list: { proofs: [proof('unknown')] }, said: 'not proven yet' },
    {
      case: 'it is flawed',
      list: { backups: [{ ...daily, flaw: 'it is creating' }], proofs: [proof('passed')] },
      said: 'NO BACKUP: it is creating',
    },
  ])('says of a daily backup where case: $said', ({ list, said }) => {
    expect(proofs({ backups: [daily], ...list })).toEqual([said]);
  });
  it.each<{ case: string; outcomes: Outcome[]; said: string }>([
    { case: 'nobody read it', outcomes: [], said: 'not read' },
    {
      case: 'it was read whole',
      outcomes: [outcome('dump', { facts: { dump: `s3://dumps/backups/${dump.name}`, sha256: 'ab' } })],
      said: 'read whole at 2026-11-28 02:40:00 UTC',
    },
    {
      case: 'it is broken',
      outcomes: [outcome('dump', { verdict: 'failed', summary: 'cut off', facts: { dump: `s3://x/${dump.name}` } })],
      said: 'NO BACKUP: cut off',
    },
  ])('says of a dump where case: $said', ({ outcomes, said }) => {
    expect(proofs({ backups: [dump], runs: [recordOf(...outcomes)] })).toEqual([said]);
  });
  it('says of a dump that a drill loaded it, or could not, whatever was read', () => {
    const read = outcome('dump', { facts: { dump: `s3://dumps/backups/${dump.name}`, sha256: 'ab' } });
    const said = (verdict: 'passed' | 'failed' | 'unknown') =>
      proofs({ backups: [dump], runs: [recordOf(read)], proofs: [{ ...proof(verdict), backup: dump.name }] });
    expect(said('passed')).toEqual(['restored by a drill at 2026-11-28 03:30:00 UTC']);
    expect(said('failed')).toEqual(['NO BACKUP: JudgeGate failed']);
    expect(said('unknown')).toEqual(['read whole at 2026-11-28 02:40:00 UTC']);
  });
  it('says of an export what its run said', () => {
    const state: Backup = { ...daily, kind: 'cluster state', name: `${run.id}/stocker.json` };
    const bad = outcome('cluster-state', { verdict: 'failed', summary: 'not exported: ingresses' });
    expect(proofs({ backups: [state], runs: [recordOf(outcome('cluster-state'))] })).toEqual(['complete']);
    expect(proofs({ backups: [state], runs: [recordOf(bad)] })).toEqual(['not exported: ingresses']);
  });
  it('names what failed in the last run', () => {
    expect(lastRun(none)).toBe('No backup was made yet.');
    const failed = recordOf(outcome('dump'), outcome('copy', { verdict: 'failed', summary: 'quota' }));
    expect(lastRun({ runs: [failed] })).toContain('\ncopy: quota');
  });
});
