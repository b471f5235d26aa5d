import { describe, expect, test } from 'vitest';
import type { Session } from '../../../core/database/ports.ts';
import { promotionTag, restoredFromTag } from '../../../core/database/restore-database.ts';
import { incidentTag } from '../../../core/incident/identifiers.ts';
import {
  awaitCaughtUp,
  awaitPromoted,
  awaitReplica,
  makeDrillReplica,
  promoteReplica,
} from '../../../core/region/promote-replica.ts';
import { FakeDatabases, makePlan, restoring } from '../database/fakes.ts';
import { FakeClock, makeIncident, makeInstance, settings } from '../fakes.ts';
import { failover, replicaName } from './fakes.ts';

const incident = makeIncident({ scenario: 'region', mode: 'recovery', region: 'us-west-2' });
const plan = makePlan({
  candidate: replicaName,
  restore: { kind: 'replica', replica: replicaName },
  failover: failover(),
  source: { identifier: 'stocker-pro-staging', resourceId: 'db-PRODUCTION', address: 'primary', port: 5432 },
});
const replica = (change: Parameters<typeof makeInstance>[0] = {}) =>
  makeInstance({
    identifier: replicaName,
    resourceId: 'db-REPLICA',
    region: 'us-west-2',
    replicaOf: 'arn:aws:rds:us-east-1:111122223333:db:stocker-pro-staging',
    settings: { backupRetentionDays: 7 },
    ...change,
  });
const secrets = { credentials: async () => ({ username: 'postgres', password: 'x' }) };
/** A server that answers every question with the same rows; addresses as given. */
const servers = (rows: Readonly<Record<string, Readonly<Record<string, string | null>>>>) => ({
  open: async ({ address }: { address: string }): Promise<Session> => ({
    query: async () => [rows[address] ?? {}],
    close: async () => undefined,
  }),
});

describe('the replica of a drill', () => {
  const make = (source: ReturnType<typeof replica>, outcome: 'started' | 'exists' = 'started') => {
    const created: unknown[] = [];
    const databases = new FakeDatabases(source, makeInstance({ identifier: 'dr-drill-x', tags: {} }));
    const drill = { ...incident, mode: 'drill' as const };
    return {
      created,
      run: () =>
        makeDrillReplica(
          { incident: drill, plan: { ...plan, candidate: 'dr-drill-x' } },
          {
            settings,
            here: settings.dr,
            databases,
            replicas: {
              create: async (specification) => {
                created.push(specification);
                return outcome;
              },
            },
          },
        ),
    };
  };

  test('is made of the replica, isolated and tagged', async () => {
    const { created, run } = make(replica());
    await run();
    expect(created).toMatchObject([
      // With a subnet group RDS takes no bare name.
      { sourceArn: replica().arn, securityGroupIds: ['sg-isolated'], tags: { [incidentTag]: incident.id } },
    ]);
  });
  test('is not made of one that RDS makes none of', async () => {
    const { created, run } = make(replica({ settings: { backupRetentionDays: 0 } }));
    await expect(run()).rejects.toMatchObject({ name: 'ReplicaMissing' });
    expect(created).toEqual([]);
  });
  test('is none of another incident’s', async () => {
    await expect(make(replica(), 'exists').run()).rejects.toMatchObject({ name: 'CandidateNotOurs' });
  });
});

describe('a replica that was made', () => {
  const look = async (mode: 'drill' | 'recovery', change: Parameters<typeof makeInstance>[0]) => {
    const given: string[] = [];
    const replicas = {
      useParameters: async (identifier: string, group: string) => void given.push(`${identifier} ${group}`),
      reboot: async (identifier: string) => void given.push(`${identifier} reboots`),
    };
    const databases = new FakeDatabases(replica(change));
    const context = { settings, here: settings.dr, databases, replicas };
    const ended = await awaitReplica({ incident: { ...incident, mode }, plan }, context).then(
      () => 'usable',
      (error: Error) => error.name,
    );
    return [ended, ...given];
  };
  const parameterGroup = settings.dr.databaseParameterGroup;
  const engines = { settings: { parameterGroup: 'default.postgres17' } };

  test('in another Region is usable with the parameters of its Region, in force', async () => {
    expect(await look('recovery', engines)).toEqual(['DatabaseNotReady', `${replicaName} ${parameterGroup}`]);
    const given = { settings: { parameterGroup } };
    const waiting = { ...given, parameterStatus: 'pending-reboot' };
    expect(await look('recovery', waiting)).toEqual(['DatabaseNotReady', `${replicaName} reboots`]);
    expect(await look('recovery', given)).toEqual(['usable']);
  });
  test('is left as it is once it is promoted: it may be production', async () => {
    expect(await look('recovery', { ...engines, replicaOf: undefined })).toEqual(['usable']);
    const waiting = { parameterStatus: 'pending-reboot', replicaOf: undefined };
    expect(await look('recovery', waiting)).toEqual(['usable']);
  });
  test('for a drill shows the parameters that its source has', async () => {
    expect(await look('drill', engines)).toEqual(['usable']);
  });
  test('is usable while its storage is optimized, which takes hours', async () => {
    expect(await look('drill', { status: 'storage-optimization' })).toEqual(['usable']);
    expect(await look('drill', { status: 'modifying' })).toEqual(['DatabaseNotReady']);
  });
});

describe('a replica has caught up', () => {
  const look = (behind: Readonly<Record<string, string | null>>) =>
    awaitCaughtUp(
      { incident, plan },
      {
        settings,
        databases: new FakeDatabases(replica({ address: 'replica' })),
        secrets,
        sessions: servers({ primary: { lsn: '0/500' }, replica: behind }),
      },
    );
  test('when it has replayed all that the source wrote', async () => {
    expect((await look({ lsn: '0/500', bytes: '0' })).output).toEqual({ lsn: '0/500' });
  });
  test.each([
    { case: 'bytes are missing', behind: { lsn: '0/4FF', bytes: '1' } },
    { case: 'nobody knows', behind: { lsn: null, bytes: null } },
  ])('not while $case', async ({ behind }) => {
    await expect(look(behind)).rejects.toMatchObject({ name: 'ReplicaBehind', retryable: true });
  });
});

describe('a promotion', () => {
  function world(instance = replica(), mode: 'recovery' | 'drill' = 'recovery', ...statuses: 'ABORTED'[]) {
    const asked: unknown[] = [];
    const tags: Record<string, string>[] = [];
    const rest = restoring(...statuses);
    return {
      ...rest,
      asked,
      tags,
      run: () =>
        promoteReplica(
          { incident: { ...incident, mode }, plan },
          {
            ...rest,
            clock: new FakeClock(),
            settings,
            databases: new FakeDatabases(instance),
            replicas: {
              promote: async (_, backups) => {
                asked.push(backups);
                return 'started';
              },
              tag: async (_, given) => void tags.push({ ...given }),
            },
          },
        ),
    };
  }

  test('registers what undoes it, tags it as the incident’s, and keeps production’s retention', async () => {
    const site = world();
    await site.run();
    expect(site.compensations.all).toHaveLength(1);
    expect(site.tags[0]).toMatchObject({ [incidentTag]: incident.id, [restoredFromTag]: 'db-PRODUCTION' });
    expect(site.tags[0]?.[promotionTag]).toBeDefined();
    expect(site.asked).toMatchObject([{ retentionDays: settings.backup.automatedRetentionDays }]);
  });
  test('of a drill’s copy keeps no backups, and undoes nothing of production', async () => {
    const site = world(replica(), 'drill');
    await site.run();
    expect(site.compensations.all).toEqual([]);
    expect(site.asked).toMatchObject([{ retentionDays: 0 }]);
  });
  test('is not asked for twice', async () => {
    const site = world(replica({ replicaOf: undefined }));
    expect((await site.run()).output).toEqual({ outcome: 'promoted' });
    expect(site.asked).toEqual([]);
  });
  test('is not asked for by an execution that has ended', async () => {
    const site = world(replica(), 'recovery', 'ABORTED');
    await expect(site.run()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(site.asked).toEqual([]);
  });

  const awaited = (instance: ReturnType<typeof replica>, recovering = 'f') =>
    awaitPromoted(
      { incident, plan },
      {
        clock: new FakeClock(),
        settings,
        databases: new FakeDatabases(instance),
        secrets,
        sessions: servers({ replica: { recovering } }),
      },
    );
  const promoted = { replicaOf: undefined, address: 'replica' };
  test.each(['available', 'backing-up', 'storage-optimization'])(
    'is over when it follows nobody and is out of recovery, and %s',
    async (status) => {
      expect((await awaited(replica({ ...promoted, status }))).output).toMatchObject({
        identifier: replicaName,
        resourceId: 'db-REPLICA',
      });
    },
  );
  test.each<{ case: string; instance: Parameters<typeof makeInstance>[0]; recovering?: string; error: string }>([
    { case: 'RDS says available, and it follows still', instance: { address: 'replica' }, error: 'DatabaseNotReady' },
    { case: 'it is still in recovery', instance: promoted, recovering: 't', error: 'DatabaseNotReady' },
    { case: 'it reboots', instance: { ...promoted, status: 'rebooting' }, error: 'DatabaseNotReady' },
    { case: 'it failed', instance: { ...promoted, status: 'failed' }, error: 'PromotionFailed' },
  ])('is not over while $case', async ({ instance, recovering, error }) => {
    await expect(awaited(replica(instance), recovering)).rejects.toMatchObject({ name: error });
  });
});
