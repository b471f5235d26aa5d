import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { environmentTag, incidentTag } from '../../../core/incident/identifiers.ts';
import type { GuardRecord } from '../../../core/region/contracts.ts';
import { type GuardContext, guardDatabase } from '../../../core/region/guard-database.ts';
import { secrets, settings, startDatabase, type TestDatabase } from '../../support/postgres.ts';
import { FakeMetrics } from '../database/fakes.ts';
import { activeDatabase, FakeAnnouncer, FakeClock, FakeControl, makeInstance, makeLease } from '../fakes.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.query('alter role stocker_app login'));

type Instance = ReturnType<typeof makeInstance>;

/** Production is in the DR Region, at epoch 2; the former one is what the test database is. */
function world(instance: Parameters<typeof makeInstance>[0] = {}, change: Partial<GuardContext> = {}) {
  const recorded: GuardRecord[] = [];
  const kept: string[] = [];
  const announcer = new FakeAnnouncer();
  const metrics = new FakeMetrics();
  const { address, port } = database.candidate;
  const former = makeInstance({ address, port, ...instance });
  const context: GuardContext = {
    settings,
    here: settings.primary,
    clock: new FakeClock(),
    control: Object.assign(new FakeControl(), {
      active: { ...activeDatabase, resourceId: 'db-PROMOTED', region: 'us-west-2', epoch: 2 },
    }),
    databases: { list: async () => [former] },
    secrets,
    sessions: database.sessions,
    store: { recordGuard: async (record) => void recorded.push(record) },
    evidence: { location: (key) => `s3://evidence/${key}`, put: async (_, body) => void kept.push(String(body)) },
    announcer,
    metrics,
    tenures: { renew: async () => true },
    memories: { read: async () => undefined, write: async () => undefined },
    ...change,
  };
  return { recorded, kept, announcer, metrics, context, guard: () => guardDatabase(context) };
}
/** As `world`, after a recovery in this very Region: its copy is production, beside what it was restored from. */
function recoveredHere(change: { listed?: Instance[]; former?: Partial<Instance> } = {}) {
  const identifier = 'stocker-pro-staging-0a1b2c3d';
  const control = Object.assign(new FakeControl(), {
    active: { ...activeDatabase, identifier, resourceId: 'db-COPY', epoch: 2 },
  });
  const { address, port } = database.candidate;
  const tags = { [environmentTag]: settings.environment };
  const production = makeInstance({ identifier, resourceId: 'db-COPY', address, port, tags });
  const former = makeInstance({ address, port, ...change.former });
  const listed = change.listed ?? [production, former];
  return { control, ...world({}, { control, databases: { list: async () => listed } }) };
}
const canLogIn = async () =>
  (await database.query("select rolcanlogin from pg_roles where rolname = 'stocker_app'"))[0]?.rolcanlogin === 't';

describe('a database that came back', () => {
  test('is fenced, measured and told, once', async () => {
    const site = world();
    await site.guard();
    expect(await canLogIn()).toBe(false);
    expect(site.recorded).toMatchObject([{ identifier: 'stocker-pro-staging', epoch: 2, region: 'us-east-1' }]);
    expect(site.announcer.announced).toHaveLength(1);
    expect(site.metrics.values).toEqual({ GuardLooked: 1, GuardFenced: 1 });

    await site.guard();
    expect(site.recorded).toHaveLength(1);
    expect(site.metrics.values).toEqual({ GuardLooked: 1, GuardFenced: 0 });
  });

  test('is fenced under a name that a recovery gave it, where it is tagged as this environment’s', async () => {
    const identifier = 'stocker-pro-staging-0a1b2c3d';
    const site = world({ identifier, tags: { [environmentTag]: settings.environment } });
    await site.guard();
    expect(site.recorded).toMatchObject([{ identifier }]);
  });

  test('is fenced also where what it took cannot be counted', async () => {
    const site = world();
    await site.guard();
    expect(site.recorded[0]?.rows).toEqual({});
    expect(site.announcer.announced[0]?.lines.join()).toContain('is unknown: it keeps no times of commits');
  });

  test('keeps what was prepared in it, whosever it is, and that is told', async () => {
    await database.query("begin; insert into stocker.schema_migration values (8); prepare transaction 'half done'");
    const site = world();
    await site.guard();
    expect(await canLogIn()).toBe(false);
    expect(site.recorded[0]?.prepared).toEqual(['half done of postgres']);
    expect(site.announcer.announced[0]?.lines.join()).toContain(
      'for people to commit or roll back: half done of postgres',
    );
    await database.query("rollback prepared 'half done'");
  });

  test.each<{ case: string; instance?: Parameters<typeof makeInstance>[0]; change?: () => Partial<GuardContext> }>([
    { case: 'it is production', instance: { resourceId: 'db-PROMOTED' } },
    { case: 'it follows production', instance: { replicaOf: 'another' } },
    { case: 'it bears another name', instance: { identifier: 'stocker-pro-staging2' } },
    { case: 'it is a neighbour’s', instance: { identifier: 'stocker-pro-staging-analytics' } },
    { case: 'it starts', instance: { status: 'starting' } },
    {
      case: 'a blue/green deployment is to make it production',
      instance: { identifier: 'stocker-pro-staging-green-1x2y3z', tags: { [environmentTag]: settings.environment } },
    },
    { case: 'the application cannot reach it', instance: { settings: { securityGroupIds: ['sg-isolated'] } } },
    { case: 'nobody knows what is production', change: () => ({ control: new FakeControl() }) },
    {
      case: 'the recovery that runs has promoted it',
      instance: { tags: { [incidentTag]: makeLease().incidentId } },
      change: () => ({
        control: Object.assign(new FakeControl(), {
          active: { ...activeDatabase, resourceId: 'db-PROMOTED', region: 'us-west-2', epoch: 2 },
          lease: makeLease(),
        }),
      }),
    },
  ])('is left alone where $case', async ({ instance, change }) => {
    const site = world(instance, change?.());
    await site.guard();
    expect(await canLogIn()).toBe(true);
    expect(site.recorded).toEqual([]);
  });

  test('(control) one that cannot be closed fails the look, and what looks well is no look', async () => {
    const site = world({ port: 1 });
    await expect(site.guard()).rejects.toThrow();
    expect(await canLogIn()).toBe(true);
    expect(site.metrics.values).toEqual({ GuardLooked: 1, GuardFenced: 0 });
  });
});

describe('a database that was gone when its successor took over in the same Region, and starts again', () => {
  test('is fenced, and told with what to do there', async () => {
    const site = recoveredHere();
    await site.guard();
    expect(await canLogIn()).toBe(false);
    expect(site.recorded).toMatchObject([{ identifier: 'stocker-pro-staging', epoch: 2, region: 'us-east-1' }]);
    expect(site.announcer.announced[0]?.next).toMatch(/^Keep it as it is until somebody has decided/);
  });

  test.each<{ case: string; site: () => ReturnType<typeof recoveredHere> }>([
    {
      case: 'follows production',
      site: () => recoveredHere({ former: { replicaOf: 'stocker-pro-staging-0a1b2c3d' } }),
    },
    {
      case: 'is a drill’s copy',
      site: () => recoveredHere({ former: { identifier: 'dr-drill-stocker-pro-staging-1' } }),
    },
    {
      case: 'is somebody’s own copy, which bears no tag of this environment',
      site: () => recoveredHere({ former: { identifier: 'stocker-pro-staging-analytics' } }),
    },
    // A blue/green deployment, a rename, a restore by hand: everybody works with the one that the record does not know.
    {
      case: 'bears production’s name, and RDS lists no production of the record',
      site: () =>
        recoveredHere({
          listed: [
            makeInstance({ ...database.candidate, identifier: 'stocker-pro-staging', resourceId: 'db-BY-HAND' }),
          ],
        }),
    },
    {
      case: 'bears production’s name, and RDS lists production by another one',
      site: () =>
        recoveredHere({
          listed: [
            makeInstance({ ...database.candidate, identifier: 'stocker-pro-staging', resourceId: 'db-GREEN' }),
            makeInstance({ identifier: 'stocker-pro-staging-0a1b2c3d-old1', resourceId: 'db-COPY' }),
          ],
        }),
    },
  ])('is left alone where it $case', async ({ site: make }) => {
    const site = make();
    await site.guard();
    expect(await canLogIn()).toBe(true);
    expect(site.recorded).toEqual([]);
  });
});

/** Between what the guard read and its act: `moves` while RDS or the database takes its time. */
describe('a cut-over that overtakes the guard', () => {
  const incidentId = 'recovery-20261122T201500Z-1a2b3c4d';
  const made = { identifier: 'stocker-pro-staging-0a1b2c3d', resourceId: 'db-COPY' };
  const tags = { [environmentTag]: settings.environment, [incidentTag]: incidentId };

  function overtaken(move: (control: FakeControl) => void) {
    const control = new FakeControl();
    const { address, port } = database.candidate;
    const listed = [makeInstance(), makeInstance({ ...made, address, port, tags })];
    const sessions: GuardContext['sessions'] = {
      open: (...asked) => {
        move(control);
        return database.sessions.open(...asked);
      },
    };
    return world({}, { control, sessions, databases: { list: async () => listed } });
  }

  test.each<{ case: string; move: (control: FakeControl) => void }>([
    {
      case: 'has made it production',
      move: (control) => {
        control.active = { ...activeDatabase, ...made, epoch: 2 };
      },
    },
    {
      case: 'has taken the lease',
      move: (control) => {
        control.lease = makeLease({ incidentId });
      },
    },
  ])('meets its database open where it $case', async ({ move }) => {
    const site = overtaken(move);
    await site.guard();
    expect(await canLogIn()).toBe(true);
    expect(site.recorded).toEqual([]);
  });

  test('(control) without one that database, which is not production, is fenced', async () => {
    await overtaken(() => undefined).guard();
    expect(await canLogIn()).toBe(false);
  });
});
