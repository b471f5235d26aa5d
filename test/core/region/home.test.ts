import { describe, expect, test } from 'vitest';
import { restoredFromTag, restorePointTag } from '../../../core/database/restore-database.ts';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import { assessHome } from '../../../core/region/assess-home.ts';
import type { GuardRecord } from '../../../core/region/contracts.ts';
import { exportFormer, fenceFormer, snapshotFormer } from '../../../core/region/keep-former.ts';
import {
  awaitFollowing,
  awaitNextReplica,
  makeHomeReplica,
  makeNextReplica,
} from '../../../core/region/make-replica.ts';
import { successorIdentifier } from '../../../core/region/names.ts';
import { FakeDatabases, makePlan } from '../database/fakes.ts';
import { activeDatabase, FakeClock, FakeControl, makeIncident, makeInstance, settings } from '../fakes.ts';
import { failover, replicaName } from './fakes.ts';

const incident = makeIncident({ scenario: 'region', mode: 'recovery', style: 'graceful' });
const active = { ...activeDatabase, identifier: replicaName, resourceId: 'db-PROMOTED', region: 'us-west-2', epoch: 2 };
const promoted = makeInstance({
  identifier: replicaName,
  resourceId: 'db-PROMOTED',
  region: 'us-west-2',
  arn: `arn:aws:rds:us-west-2:111122223333:db:${replicaName}`,
  tags: { [restoredFromTag]: 'db-PRODUCTION', [restorePointTag]: '2026-11-22T20:14:00.000Z' },
});
const home = successorIdentifier(settings, incident.id, 'home');
const only = (...instances: ReturnType<typeof makeInstance>[]) => {
  const databases = new FakeDatabases();
  databases.instances.clear();
  for (const instance of instances) databases.instances.set(instance.identifier, instance);
  return databases;
};

describe('the way home is planned', () => {
  const assess = (here = only(makeInstance()), there = only(promoted), guards: GuardRecord[] = []) =>
    assessHome(
      { incident },
      {
        settings,
        here: settings.primary,
        clock: new FakeClock(),
        control: Object.assign(new FakeControl(), { active }),
        databases: here,
        databasesThere: there,
        store: { guards: async () => guards },
      },
    );

  test('to a new identifier, with what is left of production, and since when it is alone with it', async () => {
    const { output } = await assess();
    expect(output).toMatchObject({ candidate: home, estimatedLossSeconds: 0, approval: 'ask', epoch: 2 });
    expect(output.failover).toMatchObject({ from: 'us-west-2', to: 'us-east-1', style: 'graceful' });
    expect(output.failover?.former).toMatchObject({
      identifier: 'stocker-pro-staging',
      succeededAt: '2026-11-22T20:14:00.000Z',
    });
    expect(home).not.toBe('stocker-pro-staging');
  });
  test('where nothing is left', async () => {
    expect((await assess(only())).output.failover?.former).toBeUndefined();
  });
  test('by resource id: another instance that bears the name is not the former production', async () => {
    const { output } = await assess(only(makeInstance({ resourceId: 'db-ANOTHER' })));
    expect(output.failover?.former).toBeUndefined();
  });
  test('not where production is not what the record says', async () => {
    await expect(assess(undefined, only())).rejects.toMatchObject({ name: 'RegionNotHome' });
  });
  test('not where what is left has no endpoint: its rows could not be kept', async () => {
    const starting = makeInstance({ status: 'starting', address: undefined });
    await expect(assess(only(starting))).rejects.toMatchObject({ name: 'RegionNotHome' });
  });
});

const plan = makePlan({
  candidate: home,
  source: { identifier: replicaName, resourceId: 'db-PROMOTED' },
  restore: { kind: 'replica', replica: home },
  failover: failover({ style: 'graceful', from: 'us-west-2', to: 'us-east-1' }),
});

describe('replicas across Regions', () => {
  function world(outcome: 'started' | 'exists' = 'started', owner = incident.id) {
    const made: { identifier: string; sourceArn: string }[] = [];
    const backedUp: string[] = [];
    const create = async (specification: { identifier: string; sourceArn: string }) => {
      made.push(specification);
      return outcome;
    };
    const backUp = async (identifier: string) => void backedUp.push(identifier);
    const given: string[] = [];
    const useParameters = async (identifier: string, group: string) => void given.push(`${identifier} ${group}`);
    const reboot = async (identifier: string) => void given.push(`${identifier} reboots`);
    const candidate = makeInstance({ identifier: home, tags: { [incidentTag]: owner } });
    const context = {
      settings,
      here: settings.primary,
      databases: only(candidate),
      databasesThere: only(promoted),
      replicas: { create },
      replicasThere: { create, backUp, useParameters, reboot },
    };
    return { made, backedUp, given, context };
  }

  test('come home from production, under the new identifier', async () => {
    const { made, context } = world();
    await makeHomeReplica({ incident, plan }, context);
    expect(made).toMatchObject([{ identifier: home, sourceArn: promoted.arn }]);
    // RDS for PostgreSQL refuses one.
    expect(made[0]).not.toHaveProperty('parameterGroup');
  });
  test('are adopted by the incident that made them, and by no other', async () => {
    await expect(makeHomeReplica({ incident, plan }, world('exists').context)).resolves.toBeDefined();
    await expect(makeHomeReplica({ incident, plan }, world('exists', 'another').context)).rejects.toMatchObject({
      name: 'CandidateNotOurs',
    });
  });
  test('are made anew in the DR Region, and are not the incident’s', async () => {
    const { made, context } = world();
    const { output } = await makeNextReplica({ incident, plan }, context);
    expect(output.identifier).toBe(successorIdentifier(settings, incident.id, 'replica'));
    expect(made[0]).not.toHaveProperty(['tags', incidentTag]);
  });
  test.each([
    { retention: 0, error: 'DatabaseNotReady', asked: ['next'] },
    { retention: 7, error: undefined, asked: [] },
  ])('are there once they are backed up: retention $retention', async ({ retention, error, asked }) => {
    const { backedUp, context } = world();
    const parameterGroup = settings.dr.databaseParameterGroup;
    const next = makeInstance({ identifier: 'next', settings: { parameterGroup, backupRetentionDays: retention } });
    const done = awaitNextReplica({ next: { identifier: 'next' } }, { ...context, databasesThere: only(next) });
    if (error === undefined) await expect(done).resolves.toBeDefined();
    else await expect(done).rejects.toMatchObject({ name: error, retryable: true });
    expect(backedUp).toEqual(asked);
  });

  const ours = settings.dr.databaseParameterGroup;
  test.each<{ case: string; has: [group: string, status: string]; asked: string[]; error?: 'DatabaseNotReady' }>([
    {
      case: 'come with the engine’s, and are given their Region’s',
      has: ['default.postgres17', 'in-sync'],
      asked: [`next ${ours}`],
      error: 'DatabaseNotReady',
    },
    {
      case: 'are rebooted into them',
      has: [ours, 'pending-reboot'],
      asked: ['next reboots'],
      error: 'DatabaseNotReady',
    },
    { case: 'are waited for', has: [ours, 'applying'], asked: [], error: 'DatabaseNotReady' },
    { case: '(control) have them', has: [ours, 'in-sync'], asked: [] },
  ])('parameters of replicas: they $case', async ({ has: [parameterGroup, parameterStatus], asked, error }) => {
    const { given, backedUp, context } = world();
    const change = { parameterStatus, settings: { parameterGroup, backupRetentionDays: 7 } };
    const next = makeInstance({ identifier: 'next', replicaOf: promoted.arn, ...change });
    const done = awaitNextReplica({ next: { identifier: 'next' } }, { ...context, databasesThere: only(next) });
    if (error === undefined) await expect(done).resolves.toBeDefined();
    else await expect(done).rejects.toMatchObject({ name: error, retryable: true });
    expect(given).toEqual(asked);
    expect(backedUp).toEqual([]);
  });

  const follows = (heartbeat: string | undefined) =>
    awaitFollowing(
      { incident, plan },
      {
        settings,
        clock: new FakeClock(),
        databases: only(makeInstance({ identifier: home })),
        secrets: { credentials: async () => ({ username: 'sentinel', password: 'x' }) },
        sessions: {
          open: async () => ({ query: async () => [{ at: heartbeat ?? null }], close: async () => undefined }),
        },
      },
    );
  const ago = (seconds: number) => new Date(new FakeClock().now().getTime() - seconds * 1000).toISOString();
  test('follow when their newest heartbeat is a minute and the bound old, no more', async () => {
    const limit = settings.region.gracefulLagSeconds + 60;
    await expect(follows(ago(limit))).resolves.toBeDefined();
    await expect(follows(ago(limit + 1))).rejects.toMatchObject({ name: 'ReplicaBehind', retryable: true });
    await expect(follows(undefined)).rejects.toMatchObject({ name: 'ReplicaBehind' });
  });
});

describe('where nothing is left of production', () => {
  test('nothing is fenced, snapshotted or exported', async () => {
    const nobody = {
      settings,
      secrets: { credentials: () => Promise.reject(new Error('asked')) },
      sessions: { open: () => Promise.reject(new Error('asked')) },
    };
    const evidence = { location: String, put: () => Promise.reject(new Error('asked')) };
    const said = await Promise.all([
      fenceFormer({ incident, plan }, nobody),
      exportFormer({ incident, plan }, { ...nobody, clock: new FakeClock(), evidence }),
      snapshotFormer({ incident, plan }, { settings, databases: only() } as never),
    ]);
    expect(said.map(({ summary }) => summary)).toEqual(Array(3).fill('nothing is left of production here'));
  });
});
