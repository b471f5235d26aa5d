import { describe, expect, test } from 'vitest';
import type { RestorePlan } from '../../../core/database/contracts.ts';
import type { Latch } from '../../../core/region/contracts.ts';
import { publishLatches } from '../../../core/region/latch.ts';
import { awaitTraffic, shiftTraffic } from '../../../core/region/shift-traffic.ts';
import { makePlan } from '../database/fakes.ts';
import { FakeAnnouncer, FakeClock, makeIncident, settings } from '../fakes.ts';

const incident = makeIncident({ scenario: 'region', mode: 'recovery', style: 'ungraceful' });
const plan = (to = 'us-west-2'): RestorePlan =>
  makePlan({
    failover: {
      style: 'ungraceful',
      from: to === 'us-west-2' ? 'us-east-1' : 'us-west-2',
      to,
      replica: 'stocker-pro-staging-replica',
      primary: 'lost',
      reasons: [],
      waived: [],
      isPromoted: false,
      notes: [],
    },
  });

function world(strategy: 'health-check' | 'change-record-sets' = 'health-check') {
  const done: string[] = [];
  const latches: Latch[] = [];
  return {
    done,
    latches,
    context: {
      settings: { ...settings, traffic: { ...settings.traffic, strategy } },
      here: settings.dr,
      clock: new FakeClock(),
      announcer: new FakeAnnouncer(),
      store: {
        writeLatch: async (latch: Latch) => {
          done.push('record');
          latches.push(latch);
        },
      },
      metrics: {
        put: async (values: readonly { name: string; value: number }[]) => void done.push(`metric ${values[0]?.value}`),
      },
      records: async () => {
        done.push('route 53');
        return {
          copy: async (_: string, like: string, name: string) => `${name} like ${like}`,
          isInSync: async () => true,
        };
      },
    },
  };
}

describe('traffic is shifted', () => {
  test('by the latch: the record first, which lasts, then the metric; Route 53 is not called', async () => {
    const { context, done, latches } = world();
    await shiftTraffic({ incident, plan: plan() }, context);
    expect(done).toEqual(['record', 'metric 1']);
    expect(latches).toMatchObject([{ name: 'traffic', on: true, incidentId: incident.id }]);
  });

  test('home by the latch off', async () => {
    const { context, latches } = world();
    await shiftTraffic({ incident, plan: plan('us-east-1') }, context);
    expect(latches).toMatchObject([{ name: 'traffic', on: false }]);
  });

  test('of a drill: a record of its own only', async () => {
    const { context, latches } = world();
    const { facts } = await shiftTraffic({ incident: { ...incident, mode: 'drill' }, plan: plan() }, context);
    expect(latches).toMatchObject([{ name: 'drill-traffic', on: true }]);
    expect(facts).toMatchObject({ record: settings.traffic.drillRecordName });
  });

  test('by a change of the record, where that is the strategy', async () => {
    const { context } = world('change-record-sets');
    const { output } = await shiftTraffic({ incident, plan: plan() }, context);
    expect(output.change).toBe(`${settings.traffic.recordName} like ${settings.traffic.drRecordName}`);
  });
});

describe('traffic has moved', () => {
  const servers = { authoritative: ['192.0.2.1:53'], resolvers: ['192.0.2.2:53'] };
  const leads = { [settings.traffic.drRecordName]: ['10.1.0.1'], [settings.traffic.primaryRecordName]: ['10.0.0.1'] };
  const looking = (answers: Readonly<Record<string, readonly string[]>>, inSync = true) =>
    awaitTraffic(
      {
        incident,
        plan: plan(),
        shifted: { shiftedAt: '2026-11-22T20:14:50.000Z', ...(inSync ? {} : { change: 'C1' }) },
      },
      {
        settings,
        clock: new FakeClock(),
        parameters: { read: async () => JSON.stringify(servers) },
        names: { leadsTo: async (server, name) => leads[name] ?? answers[server] ?? [] },
        records: async () => ({ isInSync: async () => inSync }),
      },
    );

  test('once every authoritative server and every resolver leads there', async () => {
    const { summary } = await looking({ '192.0.2.1:53': ['10.1.0.1'], '192.0.2.2:53': ['10.1.0.1'] });
    expect(summary).toContain(`leads to ${settings.traffic.drRecordName}`);
  });

  test.each<{ case: string; answers: Readonly<Record<string, readonly string[]>> }>([
    {
      case: 'a resolver keeps the old answer',
      answers: { '192.0.2.1:53': ['10.1.0.1'], '192.0.2.2:53': ['10.0.0.1'] },
    },
    { case: 'the authority answers both', answers: { '192.0.2.1:53': ['10.0.0.1', '10.1.0.1'] } },
    { case: 'the record is gone', answers: {} },
  ])('not while $case', async ({ answers }) => {
    await expect(looking(answers)).rejects.toMatchObject({ name: 'TrafficNotMoved', retryable: true });
  });

  test('not while the change is not INSYNC', async () => {
    const answers = { '192.0.2.1:53': ['10.1.0.1'], '192.0.2.2:53': ['10.1.0.1'] };
    await expect(looking(answers, false)).rejects.toMatchObject({ name: 'TrafficNotMoved' });
  });
});

test('a latch that cannot be read is said neither on nor off', async () => {
  const said: unknown[] = [];
  const metrics = { put: async (values: unknown) => void said.push(values) };
  const store = {
    readLatch: async () => {
      throw new Error('no answer');
    },
  };
  await expect(publishLatches({ store, metrics })).rejects.toThrow('no answer');
  expect(said).toEqual([]);
});
