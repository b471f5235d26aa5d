/** What failed behind its own cut-over is taken up again: production is there already, and traffic is not. */
import { describe, expect, test } from 'vitest';
import { restoredFromTag, restorePointTag } from '../../../core/database/restore-database.ts';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import { acceptFailover, type Direction } from '../../../core/region/accept-failover.ts';
import { assessHome } from '../../../core/region/assess-home.ts';
import { assessRegion } from '../../../core/region/assess-region.ts';
import { successorIdentifier } from '../../../core/region/names.ts';
import { FakeDatabases, FakeProfiles } from '../database/fakes.ts';
import {
  activeDatabase,
  executionArn,
  FakeClock,
  FakeControl,
  FakeExecutions,
  FakeIncidents,
  makeIncident,
  makeInstance,
  makeRecord,
  settings,
} from '../fakes.ts';
import { replicaName } from './fakes.ts';

const since = '2026-11-22T20:20:00.000Z';
const incident = makeIncident({
  id: 'recovery-20261122T201500Z-1a2b3c4d',
  ...{ scenario: 'region', mode: 'recovery', style: 'ungraceful', region: 'us-west-2' },
});
const active = {
  ...activeDatabase,
  ...{ identifier: replicaName, resourceId: 'db-PROMOTED', region: 'us-west-2', epoch: 7, since },
};
const tags = {
  [incidentTag]: incident.id,
  [restoredFromTag]: 'db-PRODUCTION',
  [restorePointTag]: '2026-11-22T20:14:00.000Z',
};
const promoted = makeInstance({
  ...{ identifier: replicaName, resourceId: 'db-PROMOTED', region: 'us-west-2' },
  ...{ tags, createdAt: '2026-11-22T10:20:00.000Z' },
});
const only = (...instances: ReturnType<typeof makeInstance>[]) => {
  const databases = new FakeDatabases();
  databases.instances.clear();
  for (const instance of instances) databases.instances.set(instance.identifier, instance);
  return databases;
};
const control = (now = active) => Object.assign(new FakeControl(), { active: now });
const nobody = () => Promise.reject(new Error('asked'));

describe('a retry is accepted', () => {
  const retry = { mode: 'recovery', confirm: settings.environment, reason: 'again', incident: incident.id };
  function accept(direction: Direction, { now = active, databases = only(promoted), of = incident } = {}) {
    const incidents = new FakeIncidents();
    incidents.records.set(of.id, makeRecord({ status: 'failed' }, of));
    const execution = { arn: `${executionArn}-2`, startedAt: '2026-11-22T20:40:00.000Z' };
    return acceptFailover(
      { request: retry, execution, direction },
      {
        settings,
        here: direction === 'away' ? settings.dr : settings.primary,
        clock: new FakeClock('2026-11-22T20:40:00.000Z'),
        control: control(now),
        databases,
        executions: new FakeExecutions(),
        incidents,
        alarms: { ringing: async () => [], state: async () => undefined },
      },
    );
  }

  test('where the incident itself brought production here', async () => {
    const { incident: accepted } = await accept('away');
    expect(accepted).toMatchObject({ id: incident.id, retryOf: incident.executionArn, style: 'ungraceful' });
  });
  test('home, too', async () => {
    const now = { ...active, region: 'us-east-1' };
    await expect(accept('home', { now })).resolves.toMatchObject({ incident: { id: incident.id } });
  });
  test.each([
    {
      case: 'another incident brought it here',
      tags: { ...tags, [incidentTag]: 'recovery-20261101T000000Z-00000000' },
    },
    { case: 'nobody’s tag says who brought it here', tags: {} },
    { case: 'another instance took the name', tags, resourceId: 'db-ANOTHER' },
  ])('not where $case', async (change) => {
    await expect(accept('away', { databases: only({ ...promoted, ...change }) })).rejects.toThrow('is active already');
  });
  test('not where production has moved on since: what the incident promoted is behind it', async () => {
    const now = { ...active, identifier: 'stocker-pro-staging-home', region: 'us-east-1' };
    await expect(accept('away', { now })).rejects.toThrow(
      'is about stocker-pro-staging, and stocker-pro-staging-home is',
    );
  });
});

describe('what is left of a failover is planned', () => {
  const profile = (resourceId: string, multiAz: boolean) => {
    const known = new FakeProfiles();
    const seen = { engine: 'postgres', engineVersion: '18', settings: { multiAz }, tags: {} };
    known.all.set(resourceId, { ...{ version: 1, at: since, identifier: 'x', facts: {} }, resourceId, seen });
    return known;
  };
  const asked: unknown[][] = [];
  const assess = (beat: string | undefined, of: Partial<typeof incident> = {}, instance = promoted) =>
    assessRegion(
      { incident: { ...incident, ...of }, run: {} as never, looked: [] },
      {
        settings,
        here: settings.dr,
        clock: new FakeClock('2026-11-22T20:40:00.000Z'),
        control: control({ ...active, identifier: instance.identifier }),
        databases: only(instance),
        looks: { newest: nobody },
        profiles: profile('db-PRODUCTION', true),
        readiness: { atOrBefore: nobody },
        replicas: { of: nobody },
        secrets: { credentials: async () => ({ username: 'sentinel', password: 'x' }) },
        sessions: {
          open: async () => ({
            query: async (_sql: string, values: readonly unknown[] = []) => {
              asked.push([...values]);
              return [{ at: beat ?? null }];
            },
            close: async () => undefined,
          }),
        },
        tenures: { read: nobody },
      },
    );

  test('nobody is judged or asked again; its epoch is the one before, its protections those of the former production', async () => {
    const { output } = await assess('2026-11-22T20:13:00.000Z');
    expect(output).toMatchObject({
      ...{ resume: 'cut-over', approval: 'none', epoch: 6, candidate: replicaName },
      source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION' },
      restore: { kind: 'replica', replica: replicaName },
      restorePoint: tags[restorePointTag],
      seen: { settings: { multiAz: true, subnetGroup: settings.dr.databaseSubnetGroup } },
      failover: { style: 'ungraceful', from: 'us-east-1', to: 'us-west-2', isPromoted: true, primary: 'undecided' },
    });
    expect(output.source).not.toHaveProperty('address');
  });
  test.each([
    { case: 'its newest heartbeat from before', beat: '2026-11-22T20:13:00.000Z', lost: 7 * 60 },
    { case: 'the replica’s beginning, where no heartbeat is left', beat: undefined, lost: 10 * 3600 },
  ])('lost is at most what was written since $case', async ({ beat, lost }) => {
    const { output, summary } = await assess(beat);
    expect(output.estimatedLossSeconds).toBe(lost);
    expect(asked.at(-1)).toEqual([since]); // heartbeats of the new production say nothing of the old one
    expect(summary).toMatch(/up to .* of writes were lost/);
  });
  test('a switchover lost nothing', async () => {
    const { output, summary } = await assess('2026-11-22T20:13:00.000Z', { style: 'graceful' });
    expect(output).toMatchObject({ estimatedLossSeconds: 0, restorePoint: since, failover: { style: 'graceful' } });
    expect(summary).toContain('nothing was lost');
  });
  test('what was restored from backups lost what came after their end', async () => {
    const identifier = successorIdentifier(settings, incident.id, 'restored');
    const { output } = await assess(undefined, {}, { ...promoted, identifier, createdAt: '2026-11-22T20:16:00.000Z' });
    expect(output).toMatchObject({ restore: { kind: 'time' }, estimatedLossSeconds: 6 * 60 });
    expect(output.failover).not.toHaveProperty('replica');
  });
  test('another incident’s is none', async () => {
    const foreign = { ...promoted, tags: { ...tags, [incidentTag]: 'recovery-20261101T000000Z-00000000' } };
    await expect(assess(undefined, {}, foreign)).rejects.toThrow('asked');
  });
});

test('what is left of a failback is planned: nothing is kept, made or asked again', async () => {
  const home = successorIdentifier(settings, incident.id, 'home');
  const { output } = await assessHome(
    { incident: { ...incident, style: 'graceful', target: replicaName } },
    {
      settings,
      here: settings.primary,
      clock: new FakeClock(),
      control: control({ ...active, identifier: home, resourceId: 'db-HOME', region: 'us-east-1' }),
      databases: only(
        makeInstance({ identifier: home, resourceId: 'db-HOME', tags: { ...tags, [restoredFromTag]: 'db-PROMOTED' } }),
      ),
      databasesThere: only({ ...promoted, settings: { multiAz: true } }),
      store: { guards: nobody },
    },
  );
  expect(output).toMatchObject({
    ...{ resume: 'cut-over', approval: 'none', epoch: 6, candidate: home, estimatedLossSeconds: 0 },
    source: { identifier: replicaName, resourceId: 'db-PROMOTED' },
    seen: { settings: { multiAz: true } },
    failover: { style: 'graceful', from: 'us-west-2', to: 'us-east-1' },
  });
});
