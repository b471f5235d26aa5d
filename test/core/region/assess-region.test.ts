import { describe, expect, test } from 'vitest';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import type { ReadinessRecord } from '../../../core/readiness/contracts.ts';
import type { Looked } from '../../../core/readiness/facts.ts';
import { type AssessRegionContext, assessRegion } from '../../../core/region/assess-region.ts';
import type { PrimaryLook, SignalState, Tenure } from '../../../core/region/contracts.ts';
import { FakeDatabases, FakeProfiles } from '../database/fakes.ts';
import { activeDatabase, settings as common, FakeClock, FakeControl, makeIncident, makeInstance } from '../fakes.ts';
import { contextOf, healthy } from '../readiness/facts.ts';
import { replicaName } from './fakes.ts';

const clock = new FakeClock();
const ago = (seconds: number) => new Date(clock.now().getTime() - seconds * 1000).toISOString();
const settings = { ...common, backup: { ...common.backup, regionProtection: 'replica' as const } };
const incident = makeIncident({ scenario: 'region', mode: 'recovery', style: 'ungraceful', region: 'us-west-2' });
const { run } = contextOf('production');
const looked = (): Looked[] =>
  Object.entries(healthy('production'))
    .filter(([source]) => ['databases', 'replica', 'cluster'].includes(source))
    .map(([source, facts]) => ({ source, facts }) as Looked);
const replica = makeInstance({
  identifier: replicaName,
  resourceId: 'db-REPLICA',
  region: 'us-west-2',
  replicaOf: 'arn:aws:rds:us-east-1:111122223333:db:stocker-pro-staging',
});

const look = (at: string, state: SignalState, epoch = 1): PrimaryLook => ({
  version: 1,
  at,
  region: 'us-east-1',
  epoch,
  signals: (['endpoint', 'database', 'control-plane'] as const).map((signal) => ({ signal, state, detail: 'as seen' })),
});
const lost = [look(ago(240), 'up'), look(ago(180), 'down'), look(ago(120), 'down'), look(ago(60), 'down')];
const ready: ReadinessRecord = {
  version: 1,
  at: ago(600),
  checks: ['replication', 'profile', 'keys-standby', 'secrets-standby', 'images', 'permissions'].map((check) => ({
    check,
    verdict: 'ready',
    reason: 'as it was',
    scenarios: ['region'],
  })),
} as never;

function assess(change: Partial<AssessRegionContext> = {}, of: Partial<typeof incident> = {}) {
  return assessRegion(
    { incident: { ...incident, ...of }, run, looked: looked() },
    {
      settings,
      here: settings.dr,
      clock,
      control: Object.assign(new FakeControl(), { active: activeDatabase }),
      databases: new FakeDatabases(replica),
      looks: { newest: async () => lost },
      profiles: new FakeProfiles(),
      readiness: { atOrBefore: async () => ready },
      replicas: { of: async () => replica },
      secrets: { credentials: async () => ({ username: 'sentinel', password: 'x' }) },
      sessions: {
        open: async () => ({
          query: async () => [{ replayed: ago(200), at: ago(210) }],
          close: async () => undefined,
        }),
      },
      tenures: { read: async () => undefined },
      ...change,
    },
  );
}

describe('a failover is planned', () => {
  test('of a lost primary: the replica takes over; lost is what was written from its newest heartbeat to the first look without an answer', async () => {
    const { output } = await assess();
    expect(output).toMatchObject({ candidate: replicaName, estimatedLossSeconds: 30, approval: 'ask', epoch: 1 });
    expect(output.failover).toMatchObject({ primary: 'lost', style: 'ungraceful', isPromoted: false });
    expect(output.restorePoint).toBe(ago(200));
  });
  test('of which nobody knows what it holds: all since it became production may be lost', async () => {
    const empty = {
      open: async () => ({ query: async () => [{ at: null, replayed: null }], close: async () => undefined }),
    };
    const { output } = await assess({ sessions: empty });
    expect(output.estimatedLossSeconds).toBeGreaterThan(300 * 86_400);
  });
  test('gracefully, of a primary that is alive: nothing is lost', async () => {
    const alive = { newest: async () => [look(ago(60), 'up')] };
    const close = {
      open: async () => ({ query: async () => [{ at: ago(5), replayed: ago(2) }], close: async () => undefined }),
    };
    const { output } = await assess({ looks: alive, sessions: close }, { style: 'graceful' });
    expect(output).toMatchObject({ estimatedLossSeconds: 0, failover: { style: 'graceful', primary: 'alive' } });
  });
  test('of a drill on a copy of its own, whatever the primary is; what is not ready is told', async () => {
    const none = { newest: async () => [look(ago(60), 'up')] };
    const nothing = { atOrBefore: async () => undefined };
    const { output } = await assess({ looks: none, readiness: nothing }, { mode: 'drill' });
    expect(output.candidate).toMatch(/^dr-drill-/);
    expect(output.approval).toBe('none');
    expect(output.failover?.notes.join()).toContain('readiness was not looked at before');
  });
  test('anew by a retry, on what this incident promoted', async () => {
    const own = { ...replica, replicaOf: undefined, tags: { [incidentTag]: incident.id } };
    const { output } = await assess({
      databases: new FakeDatabases(own),
      replicas: { of: async () => undefined },
    });
    expect(output.failover).toMatchObject({ isPromoted: true, replica: replicaName });
  });
});

/** No replica: what there is are backups that were replicated. */
const without = { replicas: { of: async () => undefined }, settings: common };

describe('without a replica', () => {
  const databases = Object.assign(new FakeDatabases(), { window: { earliest: ago(90_000), latest: ago(500) } });
  const profiles = async () => {
    const known = new FakeProfiles();
    const seen = {
      engine: 'postgres',
      engineVersion: '18',
      settings: { performanceInsightsKey: 'arn:aws:kms:us-east-1:1:key/1' },
      tags: {},
    };
    await known.record({
      ...{ version: 1, at: ago(600), identifier: 'x', seen, facts: {} },
      resourceId: activeDatabase.resourceId,
    });
    return known;
  };

  test('production is restored from its replicated backups, up to the end of their window; lost is what came after it', async () => {
    const { output, summary } = await assess({ ...without, databases, profiles: await profiles() });
    expect(output).toMatchObject({
      restore: { kind: 'time', at: 'latest', backups: expect.stringContaining(':auto-backup:') },
      restorePoint: ago(500),
      estimatedLossSeconds: 320, // until the first look without an answer, 180 s ago
      approval: 'ask',
    });
    expect(output.candidate).toMatch(/^stocker-pro-staging-[0-9a-f]{8}$/);
    expect(output.failover).not.toHaveProperty('replica');
    expect(output.seen?.settings).toEqual(expect.objectContaining({ subnetGroup: settings.dr.databaseSubnetGroup }));
    expect(output.seen?.settings).not.toHaveProperty('performanceInsightsKey');
    expect(summary).toContain('restored from replicated backups as of');
  });
  test('a retry restores to the same instance again', async () => {
    const { output } = await assess({ ...without, databases, profiles: await profiles() });
    const own = makeInstance({ identifier: output.candidate, tags: { [incidentTag]: incident.id } });
    const again = Object.assign(new FakeDatabases(own), { window: databases.window });
    const { output: second } = await assess({ ...without, databases: again, profiles: await profiles() });
    expect(second).toMatchObject({ candidate: output.candidate, restore: output.restore });
  });
  test.each([
    { case: 'for a switchover, which loses nothing', of: { style: 'graceful' as const }, name: 'ReplicaMissing' },
    { case: 'where no backups have arrived', window: undefined, name: 'ReplicaMissing' },
    { case: 'where nothing says how production was made', known: false, name: 'DatabaseNotFound' },
  ])('it is denied $case', async ({ of = {}, name, known = true, ...other }) => {
    const there = Object.assign(
      new FakeDatabases(),
      'window' in other ? { window: undefined } : { window: databases.window },
    );
    const change = { ...without, databases: there, ...(known ? { profiles: await profiles() } : {}) };
    await expect(assess(change, of)).rejects.toMatchObject({ name });
  });
});

describe('with strict fencing', () => {
  const strict: AssessRegionContext['settings'] = {
    ...settings,
    region: { ...settings.region, fencing: { mode: 'strict', tenureSeconds: 120, fenceSeconds: 120 } },
  };
  const renewed = (seconds: number, change: Partial<Tenure> = {}) => ({
    settings: strict,
    tenures: {
      read: async (): Promise<Tenure> => ({
        ...{ version: 1, region: 'us-east-1', epoch: 1, renewedAt: ago(seconds) },
        ...change,
      }),
    },
  });

  test('the plan says when the primary has fenced itself', async () => {
    const { output, summary } = await assess(renewed(200));
    expect(output.failover?.tenure).toEqual({ refusesFrom: ago(-40) });
    expect(summary).toContain('us-east-1 refuses writes by itself from');
  });
  test('a switchover and a drill wait for no tenure', async () => {
    const alive = { looks: { newest: async () => [look(ago(60), 'up')] } };
    const drill = await assess({ ...renewed(200), ...alive }, { mode: 'drill' });
    expect(drill.output.failover).not.toHaveProperty('tenure');
  });
  test('it is denied where no renewal was ever seen, or those of another Region', async () => {
    for (const change of [renewed(200, { renewedAt: undefined }), renewed(200, { region: 'us-west-2' })])
      await expect(assess(change)).rejects.toMatchObject({ message: expect.stringContaining('was ever seen') });
  });
  test('it is denied where the database answered long after its tenure: its guard does not run', async () => {
    const late = { looks: { newest: async () => lost } };
    await expect(assess({ ...renewed(500), ...late })).rejects.toMatchObject({
      message: expect.stringContaining('its guard may not be at work'),
    });
    await expect(assess({ ...renewed(470), ...late })).resolves.toBeDefined();
  });
  test('who waives it by name waits for nothing, and is named', async () => {
    const waiver = { checks: ['tenure'], by: 'arn:aws:iam::111122223333:user/ada', reason: 'the Region burnt down' };
    const { output } = await assess(renewed(200), { waiver });
    expect(output.failover?.tenure).toEqual({});
    expect(output.failover?.waived.join()).toMatch(/tenure .*only from .*waived by .*user\/ada/);
  });
});

describe('a failover is denied', () => {
  test.each<{ case: string; change?: Partial<AssessRegionContext>; of?: Partial<typeof incident>; says: RegExp }>([
    {
      case: 'the primary is slow but alive',
      change: { looks: { newest: async () => [...lost, look(ago(1), 'up')] } },
      says: /primary-lost/,
    },
    {
      case: 'what was seen is unknown',
      change: { looks: { newest: async () => lost.map(({ at }) => look(at, 'unknown')) } },
      says: /primary-lost: the primary is undecided/,
    },
    {
      case: 'the looks are of before a cut-over',
      change: { looks: { newest: async () => lost.map(({ at }) => look(at, 'down', 0)) } },
      says: /nobody has looked/,
    },
    {
      case: 'nobody looked at readiness',
      change: { readiness: { atOrBefore: async () => undefined } },
      says: /readiness/,
    },
    {
      case: 'readiness is of long ago',
      change: { readiness: { atOrBefore: async () => ({ ...ready, at: ago(8000) }) } },
      says: /images: .*too long ago/,
    },
    { case: 'a switchover meets a lost primary', of: { style: 'graceful' }, says: /primary-alive/ },
    {
      case: 'the replica is far behind for a switchover',
      change: {
        looks: { newest: async () => [look(ago(60), 'up')] },
        sessions: {
          open: async () => ({
            query: async () => [{ at: ago(900), replayed: ago(900) }],
            close: async () => undefined,
          }),
        },
      },
      of: { style: 'graceful' },
      says: /replica-close: the replica is 15 min/,
    },
    {
      case: 'nobody knows how far the replica is for a switchover',
      change: {
        looks: { newest: async () => [look(ago(60), 'up')] },
        sessions: {
          open: async () => ({ query: async () => [{ at: null, replayed: null }], close: async () => undefined }),
        },
      },
      of: { style: 'graceful' },
      says: /replica-close: how far the replica is behind is unknown/,
    },
  ])('where $case', async ({ change, of, says }) => {
    await expect(assess(change, of)).rejects.toMatchObject({
      name: 'FailoverDenied',
      message: expect.stringMatching(says),
    });
  });

  test('and not where a person waives it by name; the waiver is in the plan', async () => {
    const waiver = { checks: ['primary-lost'], by: 'arn:aws:iam::111122223333:user/ada', reason: 'Health Dashboard' };
    const { output } = await assess({ looks: { newest: async () => [] } }, { waiver });
    expect(output.failover?.waived.join()).toContain('primary-lost');
    expect(output.failover?.waived.join()).toContain('user/ada');
  });
  test('where there is no replica, and no backups are replicated by the configuration', async () => {
    await expect(assess({ ...without, settings })).rejects.toMatchObject({ name: 'ReplicaMissing' });
  });
});
