import { describe, expect, test } from 'vitest';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import type { ReadinessRecord } from '../../../core/readiness/contracts.ts';
import type { Looked } from '../../../core/readiness/facts.ts';
import { type AssessRegionContext, assessRegion } from '../../../core/region/assess-region.ts';
import type { PrimaryLook, SignalState } from '../../../core/region/contracts.ts';
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
  test('where there is no replica', async () => {
    await expect(assess({ replicas: { of: async () => undefined } })).rejects.toMatchObject({ name: 'ReplicaMissing' });
  });
});
