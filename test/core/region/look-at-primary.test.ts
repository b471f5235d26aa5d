import { describe, expect, test } from 'vitest';
import type { PrimaryLook } from '../../../core/region/contracts.ts';
import { type LookContext, lookAtPrimary } from '../../../core/region/look-at-primary.ts';
import { FakeMetrics, FakeParameters } from '../database/fakes.ts';
import { activeDatabase, FakeClock, FakeControl, openedAt, settings } from '../fakes.ts';

const refused = () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
const answering = { query: async () => [], close: async () => undefined };

const { region, epoch } = activeDatabase;
const earlier = new Date(Date.parse(activeDatabase.since) - 1000).toISOString();
/** The look before: the database had answered. */
const reached: PrimaryLook = { version: 1, at: openedAt, region, epoch, reachedAt: openedAt, signals: [] };

function world(change: Partial<LookContext> = {}, before: readonly PrimaryLook[] = [reached]) {
  const looks: PrimaryLook[] = [];
  const metrics = new FakeMetrics();
  const parameters = new FakeParameters();
  parameters.values.set(settings.region.peerUrlParameter, 'http://peer');
  const context: LookContext = {
    settings,
    here: settings.dr,
    clock: new FakeClock(),
    control: Object.assign(new FakeControl(), { active: activeDatabase }),
    http: { request: async () => ({ status: 200, headers: {}, body: '' }) } as never,
    parameters,
    secrets: { credentials: async () => ({ username: 'sentinel', password: 'x' }) },
    sessions: { open: async () => answering },
    statusElsewhere: async () => 'available',
    looks: {
      record: async (look) => void looks.push(look),
      newest: async (count) => [...before, ...looks].slice(-count),
    },
    metrics,
    ...change,
  };
  return { looks, metrics, parameters, look: () => lookAtPrimary(context) };
}
const statesOf = ({ looks }: ReturnType<typeof world>) =>
  Object.fromEntries((looks[0]?.signals ?? []).map(({ signal, state }) => [signal, state]));

describe('a look at the primary', () => {
  test('finds three signals up where everything answers', async () => {
    const site = world();
    await site.look();
    expect(statesOf(site)).toEqual({ endpoint: 'up', database: 'up', 'control-plane': 'up' });
    expect(site.metrics.values).toEqual({
      PrimaryProbed: 1,
      PrimaryEndpoint: 1,
      PrimaryDatabase: 1,
      PrimaryControlPlane: 1,
    });
  });

  test.each<{ case: string; change: Partial<LookContext>; states: Record<string, string> }>([
    {
      case: 'nobody answers',
      change: { http: { request: refused } as never, sessions: { open: refused }, statusElsewhere: refused },
      states: { endpoint: 'down', database: 'down', 'control-plane': 'down' },
    },
    {
      case: 'the application answers 503',
      change: { http: { request: async () => ({ status: 503, headers: {}, body: '' }) } as never },
      states: { endpoint: 'down', database: 'up', 'control-plane': 'up' },
    },
    {
      case: 'the application refuses the caller',
      change: { http: { request: async () => ({ status: 403, headers: {}, body: '' }) } as never },
      states: { endpoint: 'up', database: 'up', 'control-plane': 'up' },
    },
    {
      case: 'IAM denies the question',
      change: {
        statusElsewhere: () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied' })),
      },
      states: { endpoint: 'up', database: 'up', 'control-plane': 'unknown' },
    },
    {
      case: 'the secret cannot be read',
      change: { secrets: { credentials: () => Promise.reject(new Error('throttled')) } },
      states: { endpoint: 'up', database: 'unknown', 'control-plane': 'up' },
    },
    {
      case: 'nobody says where the application is',
      change: { parameters: new FakeParameters() },
      states: { endpoint: 'unknown', database: 'up', 'control-plane': 'up' },
    },
  ])('says of each what it met where $case; of what is unknown no metric', async ({ change, states }) => {
    const site = world(change);
    await site.look();
    expect(statesOf(site)).toEqual(states);
    const names = { endpoint: 'PrimaryEndpoint', database: 'PrimaryDatabase', 'control-plane': 'PrimaryControlPlane' };
    for (const [signal, name] of Object.entries(names))
      expect(site.metrics.values[name]).toBe({ up: 1, down: 0 }[states[signal] ?? '']);
  });

  test('rests where production is, and says that all is up, so that no alarm hangs on what was seen last', async () => {
    const site = world({ here: settings.primary });
    expect(await site.look()).toEqual({ resting: 'production is in us-east-1 itself' });
    expect(site.looks).toEqual([]);
    expect(site.metrics.values).toMatchObject({ PrimaryProbed: 1, PrimaryDatabase: 1 });
  });

  const unreachable = { sessions: { open: refused } };
  test.each<{ case: string; before: readonly PrimaryLook[] }>([
    { case: 'at the first look', before: [] },
    { case: 'where it never has', before: [{ ...reached, reachedAt: undefined }] },
    { case: 'where another database did, before the last cut-over', before: [{ ...reached, reachedAt: earlier }] },
    { case: 'where one of another Region did', before: [{ ...reached, region: 'eu-west-1' }] },
  ])('takes a database that does not answer for unknown $case: the way to it may be missing', async ({ before }) => {
    const site = world(unreachable, before);
    await site.look();
    expect(statesOf(site)).toMatchObject({ database: 'unknown' });
    expect(site.metrics.values.PrimaryDatabase).toBeUndefined();
    const [look] = site.looks;
    expect(look?.reachedAt).toBeUndefined();
    expect(look?.signals.find(({ signal }) => signal === 'database')?.detail).toMatch(
      /ECONNREFUSED; us-west-2 has not reached it once .* peering, routes, security groups and names/,
    );
  });

  test('knows a database as down once it has answered, however many looks ago', async () => {
    let isUp = true;
    const site = world({ sessions: { open: async () => (isUp ? answering : refused()) } }, []);
    await site.look();
    isUp = false;
    for (let count = 0; count < 3; count++) await site.look();
    expect(site.looks.map(({ signals }) => signals.find(({ signal }) => signal === 'database')?.state)).toEqual([
      ...['up', 'down', 'down', 'down'],
    ]);
    const [first] = site.looks;
    expect(site.looks.map(({ reachedAt }) => reachedAt)).toEqual(site.looks.map(() => first?.at));
  });

  test('knows it under the epoch that an undo confirmed it with: the database and the way to it are the same', async () => {
    const site = world(unreachable, [{ ...reached, epoch: epoch - 1 }]);
    await site.look();
    expect(statesOf(site)).toMatchObject({ database: 'down' });
  });

  test('forgets nothing at a look that could not ask', async () => {
    const site = world({ secrets: { credentials: () => Promise.reject(new Error('throttled')) } });
    await site.look();
    expect(site.looks[0]?.reachedAt).toBe(openedAt);
  });
});
