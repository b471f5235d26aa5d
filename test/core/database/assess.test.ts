import { describe, expect, test } from 'vitest';
import { assessDatabase } from '../../../core/database/assess-database.ts';
import type { DamageFinding, LookRecord } from '../../../core/database/contracts.ts';
import { listDamage } from '../../../core/database/damage-list.ts';
import { damageIn, recoveryCandidate } from '../../../core/database/plan-recovery.ts';
import type { Sessions } from '../../../core/database/ports.ts';
import { judgeSource } from '../../../core/database/source.ts';
import { secondsBetween } from '../../../core/incident/moments.ts';
import {
  activeDatabase,
  settings as common,
  FakeClock,
  FakeControl,
  FakeDumps,
  makeIncident,
  makeInstance,
  makeSnapshot,
} from '../fakes.ts';
import { FakeBaselines, FakeDatabases, FakeLooks, FakeProfiles } from './fakes.ts';

const settings = { ...common, automatic: { ...common.automatic, database: 'auto' as const } };
const id = 'recovery-20261122T201500Z-1a2b3c4d';
const incident = makeIncident({ id, mode: 'recovery', trigger: { kind: 'alarm', name: 'database-damage-found' } });
const now = '2026-11-22T20:15:00.000Z';
const window = { earliest: '2026-11-01T00:00:00.000Z', latest: '2026-11-22T20:10:00.000Z' };

const finding = (change: Partial<DamageFinding> = {}): DamageFinding => ({
  check: 'rows',
  subject: 'stocker.stock',
  detail: 'it is gone',
  kind: 'suspicious',
  lastSound: '2026-11-22T20:05:00.000Z',
  seenAt: '2026-11-22T20:10:00.000Z',
  ...change,
});

const makeLook = (findings: DamageFinding[], change: Partial<LookRecord> = {}): LookRecord => ({
  version: 1,
  begunAt: now,
  at: now,
  resourceId: 'db-PRODUCTION',
  verdict: findings.length > 0 ? 'damaged' : 'sound',
  findings,
  unknown: [],
  progress: { passed: {}, rehash: {} },
  ...change,
});

const failing = (code: string): Sessions => ({
  open: () => Promise.reject(Object.assign(new Error(`connect ${code}`), { code })),
});
const answering: Sessions = {
  open: async () => ({ query: async () => [{ at: '2026-11-22T20:14:30.000000Z' }], close: async () => {} }),
};
const secrets = { credentials: async (username: string) => ({ username, password: 'secret' }) };

describe('what is left of production', () => {
  const refuses = { kind: 'refuses', why: 'ECONNREFUSED' } as const;
  const silent = { kind: 'silent', why: 'timeout' } as const;
  test.each([
    {
      case: 'answers although RDS calls it failed',
      status: 'failed',
      answer: { kind: 'answers' } as const,
      is: 'alive',
    },
    { case: 'is failed and nobody listens', status: 'failed', answer: refuses, is: 'gone' },
    { case: 'is deleted and its name is gone', status: undefined, answer: refuses, is: 'gone' },
    { case: 'is failed and silent', status: 'failed', answer: silent, is: 'unknown' },
    { case: 'is available and nobody listens', status: 'available', answer: refuses, is: 'unknown' },
    { case: 'is stopped, which ends by itself', status: 'stopped', answer: refuses, is: 'unknown' },
    { case: 'is deleted and silent', status: undefined, answer: silent, is: 'unknown' },
  ])('is $is when it $case', ({ status, answer, is }) => {
    expect(judgeSource(status === undefined ? undefined : { status }, answer)).toBe(is);
  });
});

describe('the list of damage', () => {
  const seenLater = { at: now, accepted: false };
  const last = { findings: [finding()], progress: { passed: {}, rehash: {} } };
  test('keeps what this look did not reach, and drops what it found sound', () => {
    expect(listDamage({ findings: [], passed: [] }, last, seenLater)).toEqual([finding()]);
    expect(listDamage({ findings: [], passed: ['rows stocker.stock'] }, last, seenLater)).toEqual([]);
  });

  test('remembers when it was last sound, however often it is found', () => {
    const progress = { passed: { 'query balance': '2026-11-22T20:00:00.000Z' }, rehash: {} };
    const found = { check: 'query', subject: 'balance', detail: '3, expected 0', kind: 'suspicious' } as const;
    const [first] = listDamage({ findings: [found], passed: [] }, { findings: [], progress }, seenLater);
    expect(first).toMatchObject({ lastSound: '2026-11-22T20:00:00.000Z', seenAt: now });
    const again = { findings: first ? [first] : [], progress };
    const later = { at: '2026-11-22T20:20:00.000Z', accepted: false };
    expect(listDamage({ findings: [found], passed: [] }, again, later)).toEqual([first]);
  });

  test('gives up what a person accepts, and never a corrupted page', () => {
    const page = finding({ check: 'index', subject: 'stocker.stock_pkey', kind: 'corrupted' });
    const both = { ...last, findings: [finding(), page] };
    expect(listDamage({ findings: [], passed: [] }, both, { at: now, accepted: true })).toEqual([page]);
  });

  test('is bounded by what was sound the longest time ago, and not at all by what never was', () => {
    const old = finding({ subject: 'stocker.product', lastSound: '2026-11-22T19:00:00.000Z' });
    const look = makeLook([finding(), old]);
    expect(damageIn(look, 'db-PRODUCTION')).toMatchObject({
      after: '2026-11-22T19:00:00.000Z',
      by: '2026-11-22T20:10:00.000Z',
      found: ['stocker.stock: it is gone', 'stocker.product: it is gone'],
    });
    const never = makeLook([finding(), finding({ lastSound: undefined })]);
    expect(damageIn(never, 'db-PRODUCTION')).not.toHaveProperty('after');
    expect(damageIn(look, 'db-OTHER')).toBeUndefined();
    expect(damageIn(makeLook([finding({ check: 'connection' })]), 'db-PRODUCTION')).toBeUndefined();
  });
});

describe('the assessment of production', () => {
  const assess = async (
    change: {
      look?: LookRecord;
      sessions?: Sessions;
      instance?: Parameters<typeof makeInstance>[0] | 'gone';
      control?: FakeControl;
      databases?: FakeDatabases;
      profiles?: FakeProfiles;
      dumps?: FakeDumps;
      asked?: Parameters<typeof makeIncident>[0];
      decision?: Parameters<typeof assessDatabase>[0]['decision'];
    } = {},
  ) => {
    const databases = change.databases ?? new FakeDatabases();
    databases.window = window;
    if (change.instance === 'gone') databases.instances.clear();
    else if (change.instance) databases.instances.set('stocker-pro-staging', makeInstance(change.instance));
    const looks = new FakeLooks();
    if (change.look) await looks.record(change.look);
    const context = {
      settings,
      clock: new FakeClock(now),
      baselines: new FakeBaselines(),
      control: change.control ?? new FakeControl(),
      databases,
      dumps: change.dumps ?? new FakeDumps(),
      looks,
      profiles: change.profiles ?? new FakeProfiles(),
      secrets,
      sessions: change.sessions ?? answering,
    };
    const asked = { ...incident, ...change.asked };
    return (await assessDatabase({ incident: asked, decision: change.decision }, context)).output;
  };
  const decision = { approved: true, by: 'arn:aws:iam::1:user/dba', reason: 'yes', at: now };

  test('names what can be restored to instead, and the heartbeat that the copy must hold', async () => {
    const databases = new FakeDatabases();
    databases.snapshots.set('nightly', makeSnapshot());
    expect(await assess({ databases, look: makeLook([finding()]) })).toMatchObject({
      others: [{ restoreTo: { snapshot: 'nightly' }, what: 'snapshot' }],
      heartbeat: '2026-11-22T20:14:30.000000Z',
    });
  });

  test('restores to just before damage that is bounded, and under `auto` asks nobody', async () => {
    expect(await assess({ look: makeLook([finding()]) })).toMatchObject({
      restore: { kind: 'time', at: '2026-11-22T20:05:00.000Z' },
      restorePoint: '2026-11-22T20:05:00.000Z',
      approval: 'none',
      estimatedLossSeconds: 600,
      source: { address: activeDatabase.address },
      candidate: expect.stringMatching(/^stocker-pro-staging-[0-9a-f]{8}$/),
    });
  });

  test('loses nothing of a living database without damage: it is fenced, and restored up to the fence', async () => {
    expect(await assess({})).toMatchObject({ restore: { kind: 'time', at: 'latest' }, estimatedLossSeconds: 0 });
    const gone = await assess({ sessions: failing('ECONNREFUSED'), instance: { status: 'failed' } });
    expect(gone.estimatedLossSeconds).toBeGreaterThan(0);
  });

  test('restores to the latest point when the instance is gone', async () => {
    const lost = { sessions: failing('ECONNREFUSED'), instance: { status: 'failed' } };
    expect(await assess(lost)).toMatchObject({
      restore: { kind: 'time', at: 'latest' },
      restorePoint: window.latest,
      approval: 'none',
    });
  });

  test.each([
    { case: 'production is there and sound', change: {} },
    { case: 'it is not reached and may be alive', change: { sessions: failing('ETIMEDOUT') } },
    { case: 'a person started it', change: { look: makeLook([finding()]), asked: { trigger: { kind: 'person' } } } },
    { case: 'nothing bounds the damage', change: { look: makeLook([finding({ lastSound: undefined })]) } },
  ] as { case: string; change: Parameters<typeof assess>[0] }[])(
    'asks, also under `auto`, when $case',
    async ({ change }) => {
      expect((await assess(change)).approval).toBe('ask');
    },
  );

  test('leaves the restore point to a person where nothing bounds the damage, and insists on it', async () => {
    const look = makeLook([finding({ lastSound: undefined })]);
    const open = await assess({ look });
    expect(open).not.toHaveProperty('restore');
    expect(open.damage?.found).toEqual(['stocker.stock: it is gone']);
    await expect(assess({ look, decision })).rejects.toMatchObject({ name: 'RestorePointUnknown' });
    const chosen = { ...decision, restoreTo: '2026-11-22T12:00:00Z' };
    expect(await assess({ look, decision: chosen })).toMatchObject({
      restorePoint: '2026-11-22T12:00:00Z',
      approval: 'none',
    });
  });

  test('a person’s restore point wins over the sentinel’s', async () => {
    const look = makeLook([finding()]);
    const asked = { restoreTo: '2026-11-22T11:00:00Z' };
    expect((await assess({ look, asked })).restorePoint).toBe('2026-11-22T11:00:00Z');
    const chosen = { ...decision, restoreTo: 'latest' as const };
    expect((await assess({ look, asked, decision: chosen })).restorePoint).toBe(window.latest);
    const outside = { ...decision, restoreTo: '2025-01-01T00:00:00Z' };
    await expect(assess({ look, decision: outside })).rejects.toMatchObject({ name: 'RestorePointUnavailable' });
  });

  test('knows a deleted instance from the last sound look, and refuses without one', async () => {
    const gone = { instance: 'gone', sessions: failing('ENOTFOUND') } as const;
    await expect(assess(gone)).rejects.toMatchObject({ name: 'DatabaseNotFound' });
    const profiles = new FakeProfiles();
    const seen = { engine: 'postgres', engineVersion: '17.4', settings: { multiAz: true }, tags: {} };
    const known = { version: 1, at: now, identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' } as const;
    await profiles.record({ ...known, seen, facts: {} });
    expect(await assess({ ...gone, profiles })).toMatchObject({ seen, restore: { at: 'latest' } });
  });

  test('finishes where an earlier execution had raised the epoch, and only for its own candidate', async () => {
    const candidate = makeInstance({
      identifier: 'stocker-pro-staging-0a1b2c3d',
      resourceId: 'db-NEW',
      tags: {
        'stocker-dr:incident': id,
        'stocker-dr:restore-point': '2026-11-22T20:05:00.000Z',
        'stocker-dr:restored-from': 'db-PRODUCTION',
      },
    });
    const since = '2026-11-22T20:30:00.000Z';
    const active = { ...activeDatabase, identifier: candidate.identifier, resourceId: 'db-NEW', epoch: 2, since };
    const control = Object.assign(new FakeControl(), { active });
    expect(await assess({ control, databases: new FakeDatabases(candidate) })).toMatchObject({
      resume: 'cut-over',
      candidate: candidate.identifier,
      restorePoint: '2026-11-22T20:05:00.000Z',
      // Nobody wrote down what was lost: at worst everything up to its becoming production.
      estimatedLossSeconds: secondsBetween('2026-11-22T20:05:00.000Z', active.since),
      epoch: 1,
      approval: 'none',
    });
    const told = { ...candidate, tags: { ...candidate.tags, 'stocker-dr:estimated-loss-seconds': '60' } };
    expect(await assess({ control, databases: new FakeDatabases(told) })).toMatchObject({ estimatedLossSeconds: 60 });
    const foreign = new FakeDatabases({ ...candidate, tags: { 'stocker-dr:incident': 'recovery-other' } });
    await expect(assess({ control, databases: foreign })).rejects.toMatchObject({ name: 'DatabaseNotFound' });
  });

  test('names the candidate by incident and restore point', () => {
    const at = (restorePoint: string) =>
      recoveryCandidate(settings, id, { restore: { kind: 'time', at: 'latest' }, restorePoint });
    expect(at(now)).toBe(at(now));
    expect(at(now)).not.toBe(at(window.latest));
    const long = { ...settings, database: { ...settings.database, identifier: 'x'.repeat(63) } };
    expect(recoveryCandidate(long, id, undefined)).toHaveLength(63);
  });
});
