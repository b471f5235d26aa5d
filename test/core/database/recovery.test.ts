import { describe, expect, test } from 'vitest';
import { awaitWorkload } from '../../../core/database/await-workload.ts';
import { compareFacts } from '../../../core/database/parity.ts';
import type { Sessions } from '../../../core/database/ports.ts';
import { awaitProtected, protectDatabase } from '../../../core/database/protect-database.ts';
import { awaitSnapshot, snapshotSource } from '../../../core/database/secure-source.ts';
import { databaseUndos } from '../../../core/database/undo.ts';
import { judgeFreshness } from '../../../core/validation/state-checks.ts';
import {
  activeDatabase,
  settings as common,
  FakeClock,
  FakeControl,
  makeIncident,
  makeInstance,
  makeSnapshot,
} from '../fakes.ts';
import { FakeDatabases, FakeParameters, makePlan, recoveryPlan as plan, seenProduction as seen } from './fakes.ts';

const settings = { ...common, automatic: { ...common.automatic, database: 'auto' as const } };
const id = 'recovery-20261122T201500Z-1a2b3c4d';
const incident = makeIncident({ id, mode: 'recovery', trigger: { kind: 'alarm', name: 'database-damage-found' } });
const answering: Sessions = {
  open: async () => ({ query: async () => [{ at: '2026-11-22T20:14:30.000000Z' }], close: async () => {} }),
};
const secrets = { credentials: async (username: string) => ({ username, password: 'secret' }) };

const candidate = {
  identifier: plan.candidate,
  resourceId: 'db-COPY',
  address: 'new',
  port: 5432,
  database: 'stocker',
};

describe('a safety snapshot', () => {
  const name = 'dr-safety-1a2b3c4d';
  test('is taken once, tagged, and adopted when the step is repeated', async () => {
    const databases = new FakeDatabases();
    const take = () => snapshotSource({ incident, plan }, { settings, databases });
    expect((await take()).output).toEqual({ snapshot: name, outcome: 'started' });
    expect((await take()).output.outcome).toBe('adopted');
    const waiting = awaitSnapshot({ incident, plan }, { databases });
    await expect(waiting).rejects.toMatchObject({ name: 'SnapshotNotReady' });
    databases.snapshots.set(name, makeSnapshot({ identifier: name, status: 'available' }));
    expect((await awaitSnapshot({ incident, plan }, { databases })).output.status).toBe('available');
  });

  test('is taken anew by a retry: the source took writes in between', async () => {
    const databases = new FakeDatabases();
    const retry = { ...incident, retryOf: incident.executionArn, executionArn: 'arn:retry' };
    await snapshotSource({ incident, plan }, { settings, databases });
    const { output } = await snapshotSource({ incident: retry, plan }, { settings, databases });
    expect(output).toEqual({ snapshot: expect.stringMatching(`^${name}-[0-9a-f]{8}$`), outcome: 'started' });
  });

  test('is refused when another incident’s bears its name', async () => {
    const databases = new FakeDatabases();
    databases.snapshots.set(name, makeSnapshot({ identifier: name, tags: { 'stocker-dr:incident': 'other' } }));
    await expect(snapshotSource({ incident, plan }, { settings, databases })).rejects.toMatchObject({
      name: 'CandidateNotOurs',
    });
  });

  test.each([
    { case: 'the source is gone', instance: undefined },
    { case: 'another instance took its name', instance: makeInstance({ resourceId: 'db-OTHER' }) },
    { case: 'RDS has given it up', instance: makeInstance({ status: 'failed' }) },
  ])('is skipped, and said to be, when $case', async ({ instance }) => {
    const databases = new FakeDatabases();
    databases.instances.clear();
    if (instance) databases.instances.set(instance.identifier, instance);
    const result = await snapshotSource({ incident, plan }, { settings, databases });
    expect(result.output.outcome).toBe('skipped');
    expect(result.summary).toContain('no safety snapshot');
    expect((await awaitSnapshot({ incident, plan }, { databases })).output.status).toBe('none');
  });
});

describe('parity of a recovery', () => {
  const compare = (setting: string, change = {}) =>
    compareFacts({ [setting]: 'a' }, { [setting]: 'b' }, { settings, mode: 'recovery', ...change })[0]?.expected;
  test.each([
    { setting: 'instance multiAz', expected: true },
    { setting: 'instance deletionProtection', expected: true },
    { setting: 'instance securityGroupIds', expected: false },
    { setting: 'relations owned by stocker in stocker', expected: false },
  ])('$setting may differ: $expected', ({ setting, expected }) => {
    expect(compare(setting) !== undefined).toBe(expected);
  });

  test('lets what the data brings along be as old as the restore point, and nothing else', () => {
    expect(compare('relations owned by stocker in stocker', { restoredEarlier: true })).toBeDefined();
    expect(compare('instance encrypted', { restoredEarlier: true })).toBeUndefined();
  });
});

describe('protection', () => {
  test('gives the new instance what the old one had, and waits until it shows and a backup is there', async () => {
    const copy = makeInstance({ identifier: plan.candidate, resourceId: 'db-COPY', settings: { multiAz: false } });
    const databases = new FakeDatabases(copy);
    const input = { incident, plan, candidate };
    const { facts } = await protectDatabase(input, { settings, databases });
    expect(databases.protected.get(plan.candidate)).toEqual(seen);
    expect(facts?.terraformDebt).toEqual({
      import: plan.candidate,
      old: 'stocker-pro-staging',
      parameter: '/stocker/database',
    });
    const waiting = () => awaitProtected(input, { settings, databases });
    await expect(waiting()).rejects.toMatchObject({ name: 'DatabaseNotReady' });
    databases.instances.set(plan.candidate, { ...copy, settings: seen.settings });
    await expect(waiting()).resolves.toBeDefined();
    databases.window = undefined;
    await expect(waiting()).rejects.toMatchObject({ name: 'DatabaseNotReady' });
  });

  test('touches nothing that took the candidate’s name', async () => {
    const databases = new FakeDatabases(makeInstance({ identifier: plan.candidate, resourceId: 'db-OTHER' }));
    await expect(protectDatabase({ incident, plan, candidate }, { settings, databases })).rejects.toMatchObject({
      name: 'DatabaseNotFound',
    });
    expect(databases.protected.size).toBe(0);
  });
});

test('a recovery moves the application, a drill its canary', async () => {
  const asked: string[] = [];
  const status = { generation: 1, observedGeneration: 1, desired: 1, total: 1, updated: 1, available: 1 };
  const workloads = {
    async status({ name }: { name: string }) {
      asked.push(name);
      return status;
    },
  };
  await awaitWorkload({ incident }, { settings, workloads });
  await awaitWorkload({ incident: makeIncident() }, { settings, workloads });
  expect(asked).toEqual(['api', 'api-canary']);
});

test('the newest that can be restored passes in a recovery although it misses the RPO; the loss is recorded', () => {
  const judge = (mode: 'drill' | 'recovery') =>
    judgeFreshness({
      newest: '2026-11-22T19:00:00Z',
      incident: makeIncident({ mode }),
      plan: makePlan(),
      rpoSeconds: 900,
    });
  expect(judge('recovery')).toMatchObject({ finding: { verdict: 'passed' }, rpoSeconds: 4500 });
  expect(judge('drill').finding.verdict).toBe('failed');
});

test.each([
  {
    case: 'holds the source’s last heartbeat before the restore point',
    newest: '2026-11-22T20:04:30Z',
    verdict: 'passed',
  },
  { case: 'ends before it, though well within the RPO', newest: '2026-11-22T20:03:30Z', verdict: 'failed' },
])('a copy that case: $verdict', ({ newest, verdict }) => {
  const restorePoint = '2026-11-22T20:05:00.000Z';
  const plan = makePlan({
    restore: { kind: 'time', at: restorePoint },
    restorePoint,
    heartbeat: '2026-11-22T20:04:30Z',
  });
  expect(judgeFreshness({ newest, incident, plan, rpoSeconds: 900 }).finding.verdict).toBe(verdict);
});

test('a drill right after an outage: who was down wrote no heartbeat, and lost nothing by that', () => {
  const judge = (heartbeat: string | undefined) =>
    judgeFreshness({
      newest: '2026-11-22T19:40:00Z',
      incident: makeIncident({ detectedAt: '2026-11-22T20:15:00.000Z' }),
      plan: makePlan({ restorePoint: '2026-11-22T20:12:00.000Z', ...(heartbeat === undefined ? {} : { heartbeat }) }),
      rpoSeconds: 900,
    });
  expect(judge('2026-11-22T19:40:00Z')).toMatchObject({ finding: { verdict: 'passed' }, rpoSeconds: 180 });
  expect(judge('2026-11-22T19:41:00Z')).toMatchObject({ finding: { verdict: 'failed' } });
  expect(judge(undefined)).toMatchObject({ finding: { verdict: 'failed' }, rpoSeconds: 2100 });
});

describe('the endpoint is put back', () => {
  const facts = {
    ...{ resourceId: 'db-PRODUCTION', epoch: 1, parameter: '/stocker/database', value: 'old' },
    deployment: settings.application.deployment,
  };
  const undo = async (epoch: number, before: string, resourceId = activeDatabase.resourceId) => {
    const parameters = new FakeParameters();
    await parameters.write('/stocker/database', before);
    const restarted: string[] = [];
    const undos = databaseUndos({
      settings,
      clock: new FakeClock(),
      control: Object.assign(new FakeControl(), { active: { ...activeDatabase, epoch, resourceId } }),
      databases: new FakeDatabases(),
      databasesIn: () => new FakeDatabases(),
      parameters,
      secrets,
      sessions: answering,
      workloads: { restart: async ({ name }) => restarted.push(name) },
    });
    await undos['restore-endpoint']?.(facts);
    return { endpoint: parameters.values.get('/stocker/database'), restarted };
  };
  const old = 'old';

  test.each([
    { case: 'it was moved and the epoch was not raised', epoch: 1, before: 'new', endpoint: old, restarted: ['api'] },
    { case: 'it was not moved', epoch: 1, before: old, endpoint: old, restarted: [] },
    { case: 'an undo confirmed it before', epoch: 2, before: 'new', endpoint: old, restarted: ['api'] },
  ])('when $case', async ({ epoch, before, endpoint, restarted }) => {
    expect(await undo(epoch, before)).toEqual({ endpoint, restarted });
  });

  test('never after another database became production', async () => {
    expect(await undo(2, 'new', 'db-NEW')).toEqual({ endpoint: 'new', restarted: [] });
  });
});

describe('a replica whose promotion stalled', () => {
  const clock = new FakeClock();
  const opened: unknown[] = [];
  const undo = (askedSecondsAgo: number, promotionAwaited = false) => {
    const asked = new Date(clock.now().getTime() - askedSecondsAgo * 1000).toISOString();
    const tags = { 'stocker-dr:incident': id, 'stocker-dr:promotion-asked': asked };
    const databases = new FakeDatabases();
    databases.instances.set(
      'replica',
      makeInstance({ identifier: 'replica', resourceId: 'db-REPLICA', replicaOf: 'arn:source', tags }),
    );
    const undos = databaseUndos({
      ...{ settings, clock, databases, secrets, control: new FakeControl(), parameters: new FakeParameters() },
      databasesIn: () => databases,
      sessions: { open: async (at) => Promise.reject(opened.push(at)) },
      workloads: { restart: async () => 0 },
      promotionAwaited,
    });
    return undos['close-candidate']?.({ identifier: 'replica', incidentId: id }).then(({ outcome }) => outcome);
  };

  test('is left to follow production, once RDS would have begun', async () => {
    await expect(undo(1800)).resolves.toBe('replica was not promoted: it follows production');
    expect(opened).toEqual([]);
  });
  test('is waited for until then: opened beside production it would be a second one that takes writes', async () => {
    await expect(undo(60)).rejects.toMatchObject({ name: 'PromotionUndecided', retryable: true });
  });
  test('is waited for no longer than the state machine does, whose minutes may be shorter', async () => {
    await expect(undo(60, true)).resolves.toBe('replica was not promoted: it follows production');
    expect(opened).toEqual([]);
  });
});
