import { describe, expect, test } from 'vitest';
import { configureDatabase, restoreDatabase } from '../../../core/database/restore-database.ts';
import { secondsBetween } from '../../../core/incident/moments.ts';
import type { ExecutionStatus } from '../../../core/incident/ports.ts';
import { makeIncident, makeInstance, settings } from '../fakes.ts';
import { FakeDatabases, recoveryPlan as plan, restoring, seenProduction as seen } from './fakes.ts';

const id = 'recovery-20261122T201500Z-1a2b3c4d';
const incident = makeIncident({ id, mode: 'recovery', trigger: { kind: 'alarm', name: 'database-damage-found' } });
const secrets = { credentials: async (username: string) => ({ username, password: 'secret' }) };

describe('the restore of production', () => {
  const context = (databases: FakeDatabases, ...statuses: ExecutionStatus[]) => ({
    ...restoring(...statuses),
    ...{ settings, here: settings.primary, databases, secrets },
  });
  test('rebuilds a source that is gone from what was seen of it, with its tags', async () => {
    const databases = new FakeDatabases();
    databases.instances.clear();
    await restoreDatabase({ incident, plan }, context(databases));
    expect(databases.restored[0]).toMatchObject({
      from: { sourceIdentifier: undefined, sourceResourceId: 'db-PRODUCTION' },
      like: seen,
      securityGroupIds: ['sg-isolated'],
      tags: {
        application: 'stocker-pro',
        'stocker-dr:incident': id,
        'stocker-dr:restored-from': 'db-PRODUCTION',
        'stocker-dr:restore-point': plan.restorePoint,
      },
    });
    expect(databases.restored[0]?.tags).not.toHaveProperty('aws:reserved');
    await configureDatabase({ plan }, { settings, databases, secrets });
    expect(databases.configured).toEqual([plan.candidate]);
    // At its restore point the application could log in: it is admitted when it is fenced.
    expect(databases.admitted).toEqual([]);
  });

  const at = '2026-11-22T20:12:00.000Z';
  const later = { ...plan, restore: { kind: 'time' as const, at }, restorePoint: at, estimatedLossSeconds: 10 };
  const whose = (status: string) => {
    const databases = new FakeDatabases();
    databases.instances.set(plan.source.identifier, makeInstance({ status }));
    return databases;
  };

  test.each(['available', 'backing-up', 'storage-optimization', 'modifying', 'rebooting'])(
    'waits until the logs of a source that is %s are there up to the restore point',
    async (status) => {
      await expect(restoreDatabase({ incident, plan: later }, context(whose(status)))).rejects.toMatchObject({
        name: 'DatabaseNotReady',
      });
    },
  );

  test.each(['gone', 'stopped', 'failed', 'storage-full'])(
    'takes the latest of a source that is %s, and says from when on that is less than was wanted',
    async (status) => {
      const dead = whose(status);
      if (status === 'gone') dead.instances.clear();
      const { facts, summary } = await restoreDatabase({ incident, plan: later }, context(dead));
      expect(dead.restored[0]?.from).toMatchObject({ at: 'latest' });
      const { latest = '' } = dead.window ?? {};
      const lost = 10 + secondsBetween(latest, at);
      expect(facts).toEqual({ restorePoint: latest, estimatedLossSeconds: lost });
      expect(summary).toContain('more are lost than was planned');
      expect(dead.restored[0]?.tags).toMatchObject({
        'stocker-dr:restore-point': latest,
        'stocker-dr:estimated-loss-seconds': String(lost),
      });
    },
  );

  test('waits, for the latest that a fenced source holds, until its log up to the fence is there', async () => {
    const fenced = { ...plan, restore: { kind: 'time' as const, at: 'latest' as const } };
    const early = { ...fenced, fencedAt: '2026-11-22T20:12:00.000Z' };
    await expect(restoreDatabase({ incident, plan: early }, context(new FakeDatabases()))).rejects.toMatchObject({
      name: 'DatabaseNotReady',
      message: expect.stringContaining('not yet to 2026-11-22T20:12:00.000Z'),
    });
    const reached = new FakeDatabases();
    const fencedAt = '2026-11-22T19:00:00.000Z';
    const { facts } = await restoreDatabase({ incident, plan: { ...fenced, fencedAt } }, context(reached));
    expect(reached.restored[0]?.from).toMatchObject({ at: 'latest' });
    // It holds everything up to the fence, whatever the window's end was when it was planned.
    expect(facts).toEqual({ restorePoint: fencedAt, estimatedLossSeconds: fenced.estimatedLossSeconds });
  });

  const closing = { name: 'close-candidate', facts: { identifier: plan.candidate, incidentId: id } };
  test('registers before it begins that its copy is closed where the recovery does not succeed; a drill’s is deleted', async () => {
    const ports = context(new FakeDatabases());
    ports.databases.restore = () => Promise.reject(new Error('the answer is lost'));
    await expect(restoreDatabase({ incident, plan }, ports)).rejects.toThrow('lost');
    expect(ports.compensations.all).toMatchObject([closing]);
    const drill = context(new FakeDatabases());
    await restoreDatabase({ incident: makeIncident(), plan }, drill);
    expect(drill.compensations.all).toEqual([]);
  });

  test('is not begun for an execution that was stopped before', async () => {
    const ports = context(new FakeDatabases(), 'ABORTED');
    await expect(restoreDatabase({ incident, plan }, ports)).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ports.databases.restored).toEqual([]);
  });

  test('that was in flight when its execution was stopped and undone has its copy closed later', async () => {
    const ports = context(new FakeDatabases(), 'RUNNING', 'ABORTED');
    const { restore } = ports.databases;
    ports.databases.restore = async (specification) => {
      // The clean-up comes first, and finds no copy.
      for (const each of await ports.compensations.open()) await ports.compensations.done(each, { outcome: 'no copy' });
      return restore.call(ports.databases, specification);
    };
    await expect(restoreDatabase({ incident, plan }, ports)).rejects.toMatchObject({
      name: 'LeaseLost',
      message: expect.stringContaining('ABORTED, while'),
    });
    expect(await ports.compensations.open()).toMatchObject([closing]);
  });

  test('is not begun before somebody chose the restore point', async () => {
    const open = { ...plan, restore: undefined, restorePoint: undefined };
    await expect(restoreDatabase({ incident, plan: open }, context(new FakeDatabases()))).rejects.toMatchObject({
      name: 'RestorePointUnknown',
    });
  });
});
