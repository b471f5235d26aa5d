import { describe, expect, test } from 'vitest';
import type { Latch } from '../../../core/region/contracts.ts';
import { endDrill } from '../../../core/region/end-drill.ts';
import type { NodegroupState } from '../../../core/region/ports.ts';
import { awaitStandby, scaleStandby } from '../../../core/region/scale-standby.ts';
import { FakeMetrics } from '../database/fakes.ts';
import { FakeClock, FakeControl, makeIncident, makeLease, settings } from '../fakes.ts';

const recovery = makeIncident({ scenario: 'region', mode: 'recovery' });
const drill = makeIncident({ scenario: 'region', mode: 'drill' });
const { nodes, replicas } = settings.region.standby;

function cluster(group: Partial<NodegroupState> | undefined = {}, ready = nodes, pods = { api: 0, 'api-canary': 0 }) {
  const asked: string[] = [];
  const nodegroup = { status: 'ACTIVE', desired: 1, minimum: 1, maximum: 4, ...group };
  return {
    asked,
    pods: pods as Record<string, number>,
    standby: {
      nodegroup: async () => (group === undefined ? undefined : nodegroup),
      scaleNodegroup: async (_: string, __: string, { desired }: { desired: number }) => {
        asked.push(`${desired} nodes`);
      },
      readyNodes: async () => ready,
      async scale({ name }: { name: string }, size: number) {
        if (!(name in pods)) return undefined;
        asked.push(`${size} of ${name}`);
        return 0;
      },
    },
  };
}

describe('the standby is brought to size', () => {
  test('nodes first, then the application and the canary', async () => {
    const { asked, standby } = cluster();
    await scaleStandby({ incident: recovery }, { settings, standby });
    expect(asked).toEqual([`${nodes} nodes`, `${replicas} of api`, '1 of api-canary']);
  });
  test('of a drill only its canary, on the nodes that are there', async () => {
    const { asked, standby } = cluster();
    await scaleStandby({ incident: drill }, { settings, standby });
    expect(asked).toEqual(['1 of api-canary']);
  });
  test('never below what is there', async () => {
    const { asked, standby } = cluster({ desired: nodes + 1 });
    await scaleStandby({ incident: recovery }, { settings, standby });
    expect(asked.filter((each) => each.endsWith('nodes'))).toEqual([]);
  });
  test('not where a deployment is missing: it says which', async () => {
    const { standby } = cluster({}, nodes, {} as never);
    await expect(scaleStandby({ incident: recovery }, { settings, standby })).rejects.toMatchObject({
      name: 'StandbyMissing',
      message: expect.stringContaining('stocker/api'),
    });
  });
});

describe('the standby is up', () => {
  const look = (site: ReturnType<typeof cluster>, status: { desired: number; available: number } | undefined) =>
    awaitStandby(
      { incident: recovery },
      {
        settings,
        standby: site.standby,
        workloads: { status: async () => status && ({ ...status, updated: status.available } as never) },
      },
    );
  test('when the node group is active, nodes are ready and pods available', async () => {
    await expect(look(cluster(), { desired: replicas, available: replicas })).resolves.toBeDefined();
  });
  test.each<{
    case: string;
    site: ReturnType<typeof cluster>;
    pods?: { desired: number; available: number };
    error: string;
  }>([
    { case: 'the node group is updating', site: cluster({ status: 'UPDATING' }), error: 'StandbyNotReady' },
    { case: 'a node is not ready', site: cluster({}, nodes - 1), error: 'StandbyNotReady' },
    { case: 'a pod is not available', site: cluster(), pods: { desired: 2, available: 1 }, error: 'StandbyNotReady' },
    { case: 'nothing is wanted', site: cluster(), pods: { desired: 0, available: 0 }, error: 'StandbyNotReady' },
    { case: 'the node group failed', site: cluster({ status: 'CREATE_FAILED' }), error: 'StandbyMissing' },
  ])('not while $case', async ({ site, pods = { desired: 2, available: 2 }, error }) => {
    await expect(look(site, pods)).rejects.toMatchObject({ name: error });
  });
});

describe('the end of a drill', () => {
  function world(lease = makeLease()) {
    const latches: Latch[] = [];
    const scaled: string[] = [];
    return {
      latches,
      scaled,
      run: () =>
        endDrill(
          { incident: drill },
          {
            settings,
            clock: new FakeClock(),
            control: Object.assign(new FakeControl(), { lease }),
            store: { writeLatch: async (latch) => void latches.push(latch) },
            metrics: new FakeMetrics(),
            records: async () => ({ copy: async () => 'C1', isInSync: async () => true }),
            standby: {
              scale: async ({ name }, size) => {
                scaled.push(`${size} of ${name}`);
                return 1;
              },
            },
          },
        ),
    };
  }
  test('takes the drill’s latch off, and the canary’s pods', async () => {
    const site = world(makeLease({ incidentId: drill.id }));
    await site.run();
    expect(site.latches).toMatchObject([{ name: 'drill-traffic', on: false }]);
    expect(site.scaled).toEqual(['0 of api-canary']);
  });
  test('touches nothing where the next incident is at work', async () => {
    const site = world(makeLease({ incidentId: 'recovery-20261122T201600Z-00000000' }));
    await site.run();
    expect(site.latches).toEqual([]);
    expect(site.scaled).toEqual([]);
  });
});
