import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { acceptBackup } from '../../../core/backup/accept-backup.ts';
import { assureProtection, planProtection } from '../../../core/backup/assure-protection.ts';
import { checkConfiguration } from '../../../core/backup/check-configuration.ts';
import { checkDump } from '../../../core/backup/check-dump.ts';
import type { RegionFacts, ReplicatedBackup } from '../../../core/backup/ports.ts';
import { awaitBackup, awaitCopy, copySnapshot, takeSnapshot } from '../../../core/backup/take-snapshot.ts';
import { verifyBackup } from '../../../core/backup/verify-backup.ts';
import type { ActiveDatabase, Lease } from '../../../core/incident/contracts.ts';
import { FakeDatabases } from '../database/fakes.ts';
import { executionArn, FakeClock, FakeExecutions, FakeIncidents, makeInstance, settings } from '../fakes.ts';
import {
  both,
  FakeAutomated,
  FakeBackups,
  FakeSnapshots,
  here,
  keyIn,
  makeBackup,
  makeRun,
  source,
  there,
} from './fakes.ts';

const run = makeRun();

describe('AcceptBackup', () => {
  const active: ActiveDatabase = {
    version: 1,
    ...source,
    region: here,
    address: 'db.internal',
    port: 5432,
    epoch: 1,
    since: '2026-01-01T00:00:00Z',
  };
  const lease: Lease = {
    version: 1,
    incidentId: 'drill-20261128T013000Z-0a1b2c3d',
    executionArn,
    region: here,
    mode: 'drill',
    scenario: 'database',
    takenAt: '2026-11-28T01:30:00Z',
  };
  const accept = (given: {
    active?: ActiveDatabase | undefined;
    lease?: Lease;
    running?: boolean;
    region?: string;
  }) => {
    const incidents = new FakeIncidents();
    const executions = new FakeExecutions();
    executions.statuses.set(executionArn, given.running ? 'RUNNING' : 'SUCCEEDED');
    const accepted = acceptBackup(
      { request: { task: 'backup' }, execution: { arn: run.executionArn, startedAt: run.startedAt } },
      {
        settings,
        region: given.region ?? here,
        clock: new FakeClock(run.startedAt),
        control: { readActiveDatabase: async () => given.active, readLease: async () => given.lease },
        executions,
        incidents,
      },
    );
    return { accepted, incidents };
  };

  it('makes the backup where the active database is, under a name of its time', async () => {
    const { accepted } = accept({ active });
    expect(await accepted).toEqual({ run });
    expect(run.snapshot).toBe('dr-backup-stocker-pro-staging-20261128-020000');
  });
  it('copies to the primary Region after a failover', async () => {
    const { accepted } = accept({ active: { ...active, region: there }, region: there });
    expect(await accepted).toMatchObject({ run: { region: there, otherRegion: here } });
  });
  it('is skipped and recorded where the active database is elsewhere', async () => {
    const { accepted, incidents } = accept({ active: { ...active, region: there } });
    expect(await accepted).toEqual({ skipped: expect.stringContaining(there) });
    expect(incidents.decisions).toMatchObject([{ verdict: 'skipped: BackupElsewhere' }]);
  });
  it('waits while an incident is open', async () => {
    await expect(accept({ active, lease, running: true }).accepted).rejects.toMatchObject({
      name: 'BackupDeferred',
      retryable: true,
    });
  });
  it('does not wait for a lease that nobody holds any more', async () => {
    expect(await accept({ active, lease, running: false }).accepted).toHaveProperty('run');
  });
  it('is refused where nothing says which database is production', async () => {
    await expect(accept({}).accepted).rejects.toMatchObject({ name: 'ActiveDatabaseUnknown' });
  });
});

describe('snapshot and copy', () => {
  const regions = () => {
    const snapshots = both((region) => new FakeSnapshots(region));
    return { settings, snapshots };
  };
  it('are adopted by a repeated step', async () => {
    const context = regions();
    for (const step of [takeSnapshot, takeSnapshot, awaitBackup, copySnapshot, copySnapshot, awaitCopy])
      expect(await step({ run }, context)).toMatchObject({ verdict: 'passed' });
    expect(context.snapshots.there.all.get(run.snapshot)?.keyArn).toBe(keyIn(there));
    expect(context.snapshots.here.all.size).toBe(1);
  });
  it.each([takeSnapshot, copySnapshot])('of somebody else are not adopted (%o)', async (step) => {
    const context = regions();
    const stranger = { tags: { 'stocker-dr:backup': 'another' } };
    if (step === copySnapshot) context.snapshots.here.add(makeBackup(run));
    context.snapshots[step === copySnapshot ? 'there' : 'here'].add(makeBackup(run, stranger));
    await expect(step({ run }, context)).rejects.toMatchObject({ name: 'SnapshotNotOurs', retryable: false });
  });
  it.each(['creating', 'copying', 'pending'])('are waited for while %s', async (status) => {
    const context = regions();
    context.snapshots.there.add(makeBackup(run, { status }, there));
    await expect(awaitCopy({ run }, context)).rejects.toMatchObject({ name: 'SnapshotUnderWay', retryable: true });
  });
  it.each(['failed', 'incompatible-restore'])('are given up when %s', async (status) => {
    const context = regions();
    context.snapshots.here.add(makeBackup(run, { status }));
    await expect(awaitBackup({ run }, context)).rejects.toMatchObject({ name: 'SnapshotFailed', retryable: false });
  });
});

describe('verification', () => {
  const verify = (change: (at: ReturnType<typeof makeContext>) => void = () => {}) => {
    const context = makeContext();
    change(context);
    return verifyBackup({ run }, context);
  };
  const makeContext = () => {
    const snapshots = both((region) => new FakeSnapshots(region));
    snapshots.here.add(makeBackup(run));
    snapshots.there.add(makeBackup(run, {}, there));
    return { settings, snapshots, databases: new FakeDatabases(), backups: new FakeBackups() };
  };
  const seenBefore = (latest: string) => ({
    version: 1 as const,
    run: makeRun('2026-11-27T02:00:00.000Z'),
    finishedAt: '2026-11-27T02:30:00.000Z',
    verdict: 'succeeded' as const,
    outcomes: [
      { part: 'verification' as const, verdict: 'passed' as const, summary: '', facts: { window: { latest } } },
    ],
  });
  it('passes where both Regions hold it and the window moves', async () => {
    const outcome = await verify(({ backups }) => backups.runs.push(seenBefore('2026-11-21T20:10:00.000Z')));
    expect(outcome).toMatchObject({ verdict: 'passed', facts: { flaws: [] } });
  });
  it('says nothing of a window that RDS had no time to move since the run before', async () => {
    const justNow = { ...seenBefore('2026-11-22T20:10:00.000Z'), finishedAt: '2026-11-28T01:50:00.000Z' };
    expect(await verify(({ backups }) => backups.runs.push(justNow))).toMatchObject({ verdict: 'passed' });
  });
  it('takes the key of the instance, too', async () => {
    const outcome = await verify(({ snapshots, databases }) => {
      snapshots.here.add(makeBackup(run, { keyArn: 'arn:of-the-instance' }));
      const instance = makeInstance({ settings: { kmsKey: 'arn:of-the-instance' } });
      databases.instances.set(instance.identifier, instance);
    });
    expect(outcome.verdict).toBe('passed');
  });
  it.each<{ case: string; change: Parameters<typeof verify>[0]; flaw: string }>([
    {
      case: 'the copy is missing',
      change: ({ snapshots }) => snapshots.there.all.clear(),
      flaw: `${there}: it is not`,
    },
    {
      case: 'the copy has the key of another Region',
      change: ({ snapshots }) => snapshots.there.add(makeBackup(run, { keyArn: keyIn(here) }, there)),
      flaw: 'another key',
    },
    {
      case: 'the window stands still',
      change: ({ backups }) => backups.runs.push(seenBefore('2026-11-22T20:10:00.000Z')),
      flaw: 'has not moved since',
    },
    {
      case: 'there is no window',
      change: ({ databases }) => {
        databases.window = undefined;
      },
      flaw: 'no automated backup',
    },
  ])('fails where $case', async ({ change, flaw }) => {
    const outcome = await verify(change);
    expect(outcome.verdict).toBe('failed');
    expect(outcome.summary).toContain(flaw);
  });
});

describe('protection', () => {
  const replicating: ReplicatedBackup = { status: 'replicating', retentionDays: 7, window: undefined };
  const wanted = settings.backup;
  it.each<{ case: string; days: number; replicated: ReplicatedBackup | undefined; plan: object }>([
    { case: 'all is set', days: 7, replicated: replicating, plan: { left: [] } },
    { case: 'the retention is too short', days: 3, replicated: replicating, plan: { raise: 7, left: [] } },
    { case: 'the retention is longer', days: 35, replicated: replicating, plan: { left: [] } },
    { case: 'nothing is replicated', days: 7, replicated: undefined, plan: { replicate: true, left: [] } },
    {
      case: 'replication has stopped',
      days: 7,
      replicated: { ...replicating, status: 'retained' },
      plan: { replicate: true, left: [] },
    },
    {
      case: 'replicated backups are kept too short',
      days: 7,
      replicated: { ...replicating, retentionDays: 1 },
      plan: { left: [expect.stringContaining('kept for 1 days')] },
    },
  ])('where $case', ({ days, replicated, plan }) => {
    expect(planProtection(days, replicated, wanted)).toEqual(plan);
  });
  it('replicates nothing where a replica does it', () => {
    expect(planProtection(7, undefined, { ...wanted, regionProtection: 'replica' })).toEqual({ left: [] });
  });

  const assure = async (backupRetentionDays: number, replicated?: ReplicatedBackup) => {
    const automated = both(() => new FakeAutomated());
    automated.there.backup = replicated;
    const snapshots = both((region) => new FakeSnapshots(region));
    const databases = new FakeDatabases(makeInstance({ settings: { backupRetentionDays } }));
    const outcome = assureProtection({ run }, { settings, databases, automated, snapshots });
    return { outcome, automated };
  };
  it('repairs drift and says so', async () => {
    const { outcome, automated } = await assure(1);
    expect(await outcome).toMatchObject({
      verdict: 'repaired',
      summary: expect.stringMatching(/for 1 days; now for 7.*now they are/),
    });
    expect(automated.here.calls).toEqual(['stocker-pro-staging 7']);
    expect(automated.there.calls).toEqual([`${makeInstance().arn} ${keyIn(there)} 7`]);
  });
  it('touches nothing where all is set', async () => {
    const { outcome, automated } = await assure(7, replicating);
    expect(await outcome).toMatchObject({ verdict: 'passed' });
    expect([...automated.here.calls, ...automated.there.calls]).toEqual([]);
  });
  it('leaves to a person what would interrupt production', async () => {
    const { outcome, automated } = await assure(0);
    await expect(outcome).rejects.toMatchObject({ name: 'AutomatedBackupsOff' });
    expect(automated.here.calls).toEqual([]);
  });
});

describe('configuration', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const image = `111122223333.dkr.ecr.us-east-1.amazonaws.com/stocker/api@${digest}`;
  const sound = (): RegionFacts => ({
    terraformState: async () => ({ version: 'v1', modifiedAt: '2026-11-01T00:00:00Z' }),
    secretVersion: async () => 'version-1',
    hasImage: async () => true,
  });
  const check = (
    change: { there?: Partial<RegionFacts>; commit?: string; images?: string[] | null; unresolved?: string[] } = {},
  ) => {
    const facts = both(sound);
    Object.assign(facts.there, change.there);
    const { commit = 'a'.repeat(40), images = [image], unresolved = [] } = change;
    return checkConfiguration(
      { run, images, unresolved },
      { settings, facts, parameters: { read: async () => commit } },
    );
  };
  it('passes where the other Region has all of it', async () => {
    expect(await check()).toMatchObject({ verdict: 'passed', facts: { 'deployed commit': 'a'.repeat(40) } });
  });
  it('does not ask for images of other registries', async () => {
    const asked = await check({
      images: [`docker.io/library/redis@${digest}`],
      there: { hasImage: async () => false },
    });
    expect(asked.verdict).toBe('passed');
  });
  it.each<{ case: string; change: Parameters<typeof check>[0]; flaw: string }>([
    { case: 'no commit is told', change: { commit: 'main' }, flaw: 'holds main, no commit' },
    { case: 'the state is gone', change: { there: { terraformState: async () => 'absent' } }, flaw: 'there is none' },
    {
      case: 'the bucket keeps no versions',
      change: { there: { terraformState: async () => 'unversioned' } },
      flaw: 'keeps no versions',
    },
    {
      case: 'a replica lags',
      change: { there: { secretVersion: async () => 'version-0' } },
      flaw: 'different versions',
    },
    {
      case: 'there is no replica',
      change: { there: { secretVersion: async () => undefined } },
      flaw: `none in ${there}`,
    },
    { case: 'an image is missing', change: { there: { hasImage: async () => false } }, flaw: 'has not got it' },
    { case: 'a pod tells no digest', change: { unresolved: ['stocker/api:latest'] }, flaw: 'no pod tells its digest' },
    { case: 'nobody knows the images', change: { images: null }, flaw: 'the export failed' },
    {
      case: 'the other Region does not answer',
      change: { there: { hasImage: () => Promise.reject(new Error('timed out')) } },
      flaw: 'timed out',
    },
  ])('fails where $case, and hides nothing else', async ({ change, flaw }) => {
    const outcome = await check(change);
    expect(outcome.verdict).toBe('failed');
    expect(outcome.summary).toContain(flaw);
  });
});

describe('the newest dump', () => {
  const text = [
    'SET client_encoding = UTF8;',
    'COPY stocker.product (id) FROM stdin;',
    '1',
    '2',
    '\\.',
    '-- PostgreSQL database dump complete',
    '',
  ].join('\n');
  const name = 'stocker-db-20261128-013000.sql.gz';
  const check = (files: Readonly<Record<string, Uint8Array>>) =>
    checkDump({
      settings,
      clock: new FakeClock('2026-11-28T02:00:00.000Z'),
      dumps: {
        list: async () => Object.entries(files).map(([each, bytes]) => ({ name: each, bytes: bytes.length })),
        async *read(each) {
          yield files[each] ?? new Uint8Array();
        },
        location: (each) => `s3://dumps/backups/${each}`,
      },
    });
  const whole = gzipSync(text);

  it('passes where it is young and whole', async () => {
    expect(await check({ 'stocker-db-20261127-013000.sql.gz': gzipSync(''), [name]: whole })).toMatchObject({
      verdict: 'passed',
      facts: {
        dump: `s3://dumps/backups/${name}`,
        ageSeconds: 1800,
        rowBlocks: 1,
        kept: 2,
        sha256: expect.any(String),
      },
    });
  });
  it.each<{ case: string; files: Readonly<Record<string, Uint8Array>>; flaw: string }>([
    { case: 'there is none', files: { 'readme.txt': whole }, flaw: 'there is no dump' },
    { case: 'it is old', files: { 'stocker-db-20261126-013000.sql.gz': whole }, flaw: 'h 30 min old; at most 26 h' },
    { case: 'it is cut off', files: { [name]: whole.subarray(0, whole.length - 9) }, flaw: 'not whole' },
    { case: 'a byte has changed', files: { [name]: changed(whole, 20) }, flaw: 'not whole' },
    { case: 'its checksum is another', files: { [name]: changed(whole, whole.length - 8) }, flaw: 'not whole' },
    { case: 'it is no gzip', files: { [name]: Buffer.from(text) }, flaw: 'not whole' },
    { case: 'pg_dump did not finish', files: { [name]: gzipSync(text.slice(0, 68)) }, flaw: 'it ends within the rows' },
  ])('fails where $case', async ({ files, flaw }) => {
    const outcome = await check(files);
    expect(outcome.verdict).toBe('failed');
    expect(outcome.summary).toContain(flaw);
  });
});

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
