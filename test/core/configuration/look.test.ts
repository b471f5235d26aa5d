/** What is seen of that which Terraform does not bring back, and that it comes back. */
import { describe, expect, it } from 'vitest';
import { compareZone, drillRecordOf, recordable } from '../../../core/configuration/compare-zone.ts';
import { drillSecretOf, makeDrill, removeDrill } from '../../../core/configuration/drill.ts';
import { lookAtResources } from '../../../core/configuration/look-at-resources.ts';
import { restoreResources } from '../../../core/configuration/restore-resources.ts';
import { secretNames } from '../../../core/settings.ts';
import { makeIncident, settings } from '../fakes.ts';
import { detectedAt, makeRecording, makeWorld, recorded, set, zone } from './fakes.ts';

const incident = makeIncident({ mode: 'recovery', scenario: 'configuration', detectedAt });
const [secret = ''] = secretNames(settings);
type World = Awaited<ReturnType<typeof makeWorld>>;
const look = async (damage: (world: World) => unknown = () => {}, change = {}) => {
  const world = await makeWorld();
  await damage(world);
  const { output } = await lookAtResources({ incident: { ...incident, ...change } }, world.context);
  return { ...output, world };
};

describe('a zone', () => {
  const { traffic } = settings;
  it('that is as it was recorded has lost nothing, in whatever order values come', () => {
    const two = set('api', '1', { ResourceRecords: [{ Value: '10.0.0.1' }, { Value: '10.0.0.2' }] });
    const other = { ...two, ResourceRecords: [{ Value: '10.0.0.2' }, { Value: '10.0.0.1' }] };
    expect(compareZone([two], [other, set('new')], traffic)).toEqual([]);
  });
  it('has lost a set that is gone, by its identifier too, and one that leads elsewhere', () => {
    const pair = ['primary', 'secondary'].map((SetIdentifier) => set('api', '10.0.0.1', { SetIdentifier }));
    const [first] = pair;
    expect(compareZone(pair, first ? [first] : [], traffic)).toMatchObject([
      { name: `api.${zone} A secondary`, is: 'absent', shouldBe: '10.0.0.1, TTL 60 s', way: 'recorded-zone' },
    ]);
    expect(compareZone([set('api')], [set('api', '10.9.9.9')], traffic)).toMatchObject([
      { is: '10.9.9.9, TTL 60 s', shouldBe: '10.0.0.1, TTL 60 s' },
    ]);
  });
  it('whose records failovers change is not restored to where they led, and to their being there', () => {
    const record = { ...set('x'), Name: `${traffic.recordName}.` };
    const moved = { ...record, ResourceRecords: [{ Value: '10.9.9.9' }] };
    const changing = { ...traffic, strategy: 'change-record-sets' } as const;
    expect(compareZone([record], [moved], changing)).toEqual([]);
    expect(compareZone([record], [moved], { ...traffic, strategy: 'health-check' })).toHaveLength(1);
    expect(compareZone([record], [], changing)).toHaveLength(1);
  });
  it('is recorded without what Route 53 keeps itself and without a drill’s record', () => {
    const apex = { Name: `${zone}.`, Type: 'NS' };
    const drill = { Name: `${drillRecordOf(traffic)}.`, Type: 'TXT' };
    const txt = { Name: `${zone}.`, Type: 'TXT' };
    expect(recordable([apex, { ...apex, Type: 'SOA' }, drill, txt, set('api')], traffic)).toEqual([txt, set('api')]);
  });
});

describe('a look', () => {
  it('at a world that is well finds nothing, and says at what it looked', async () => {
    const { affected, unknown, seen, recording } = await look();
    expect({ affected, unknown }).toEqual({ affected: [], unknown: [] });
    expect(seen.join()).toMatch(/2 record sets.*secrets.*1 keys.*3 buckets.*database/);
    expect(recording?.at).toBe('2026-11-22T01:30:00.000Z');
  });
  it.each<[string, (world: World) => unknown, object]>([
    ['a record', ({ zones }) => zones.remove(zone, [set('api')]), { kind: 'record', way: 'recorded-zone' }],
    ['the zone', ({ zones }) => Object.assign(zones, { sets: undefined }), { kind: 'zone', way: 'nobody' }],
    ['a secret in its window', ({ secrets }) => secrets.schedule(secret), { kind: 'secret', way: 'recovery-window' }],
    [
      'a secret’s replica',
      ({ secrets }) => secrets.states.set(secret, 'unreplicated'),
      { kind: 'secret', is: 'not in the other Region', way: 'replication' },
    ],
    ['a secret', ({ secrets }) => secrets.remove(secret), { kind: 'secret', is: 'absent', way: 'nobody' }],
    ['a key', ({ keyStates }) => keyStates.set('k', 'PendingDeletion'), { kind: 'key', way: 'cancel-deletion' }],
    ['a disabled key', ({ keyStates }) => keyStates.set('k', 'Disabled'), { kind: 'key', way: 'cancel-deletion' }],
    ['an absent key', ({ keyStates }) => keyStates.set('k', 'absent'), { kind: 'key', way: 'nobody' }],
    ['a bucket', ({ missing }) => missing.add(settings.primary.dumpBucket), { kind: 'bucket', way: 'nobody' }],
    ['the database', ({ instances }) => instances.clear(), { kind: 'database', is: 'absent' }],
  ])('sees that %s is gone, and nothing else', async (_, damage, expected) => {
    const { affected, unknown } = await look(damage);
    expect(affected).toMatchObject([expected]);
    expect(unknown).toEqual([]);
  });
  it.each<[string, (world: World) => unknown, RegExp]>([
    ['a zone that nobody recorded', ({ recordings }) => recordings.all.clear(), /nobody recorded it/],
    [
      'Route 53 being silent',
      ({ zones }) => Object.assign(zones, { read: () => Promise.reject(new Error('silent')) }),
      /zone.*silent/,
    ],
    [
      'KMS denying',
      ({ context }) => Object.assign(context.keys, { list: () => Promise.reject(new Error('denied')) }),
      /keys: denied/,
    ],
    ['no active database', ({ control }) => Object.assign(control, { active: undefined }), /no active database/],
  ])('calls unknown, and not well, %s', async (_, damage, why) => {
    const { unknown } = await look(damage);
    expect(unknown.join()).toMatch(why);
  });
  it('goes by the recording before the detection, and not by the one that found the loss', async () => {
    const late = makeRecording('2026-11-22T20:10:00.000Z', [set('primary.api', '10.0.0.2')], [`api.${zone} A`]);
    const later = makeRecording('2026-11-22T20:16:00.000Z', []);
    const { recording, affected } = await look(async ({ recordings, zones }) => {
      await zones.remove(zone, [set('api')]);
      await recordings.keep(zone, late);
      await recordings.keep(zone, later);
    });
    expect(recording?.at).toBe('2026-11-22T01:30:00.000Z');
    expect(affected).toHaveLength(1);
  });
  it('goes by the recording before the moment that a person names', async () => {
    const { recording } = await look(
      ({ recordings }) => recordings.keep(zone, makeRecording('2026-11-20T01:30:00.000Z')),
      { restoreTo: '2026-11-21T00:00:00Z' },
    );
    expect(recording?.at).toBe('2026-11-20T01:30:00.000Z');
  });
});

describe('a restoration', () => {
  it('brings back exactly what was found, and the look after it finds nothing', async () => {
    const { world, affected, recording } = await look(async ({ zones, secrets, keyStates }) => {
      await zones.remove(zone, [set('api')]);
      await secrets.schedule(secret);
      keyStates.set('k', 'PendingDeletion');
    });
    const restore = () => restoreResources({ incident, restoration: { affected, recording } }, world.context);
    const { summary } = await restore();
    expect(summary).toContain(`api.${zone} A`);
    await restore();
    expect(world.zones.sets).toHaveLength(recorded.length);
    expect(await world.secrets.state(secret)).toBe('there');
    const again = await lookAtResources({ incident }, world.context);
    expect(again.output.affected).toEqual([]);
  });
  it('leaves alone what is not among what was approved', async () => {
    const { world } = await look(({ secrets }) => secrets.schedule(secret));
    await restoreResources({ incident, restoration: { affected: [], recording: undefined } }, world.context);
    expect(await world.secrets.state(secret)).toBe('deleting');
  });
  it('changes no record where the recording is gone', async () => {
    const { world, affected, recording } = await look(({ zones }) => zones.remove(zone, [set('api')]));
    world.recordings.all.clear();
    await expect(
      restoreResources({ incident, restoration: { affected, recording } }, world.context),
    ).rejects.toMatchObject({ name: 'RecordingGone' });
    expect(world.zones.sets).toHaveLength(recorded.length - 1);
  });
});

describe('a drill', () => {
  const drill = makeIncident({ mode: 'drill', scenario: 'configuration' });
  it('loses a record and a secret of its own, finds both and nothing else, restores and removes them', async () => {
    const world = await makeWorld();
    await world.secrets.schedule(secret);
    await makeDrill({ incident: drill }, world.context);
    world.context.clock.advance(1000);
    const seen = async () => (await lookAtResources({ incident: drill }, world.context)).output;
    const { affected, recording } = await seen();
    expect(affected.map(({ kind, name }) => [kind, name.split(' ')[0]])).toEqual([
      ['record', drillRecordOf(settings.traffic)],
      ['secret', drillSecretOf(settings)],
    ]);
    await restoreResources({ incident: drill, restoration: { affected, recording } }, world.context);
    expect((await seen()).affected).toEqual([]);
    // Production's own loss is no business of a drill.
    expect(await world.secrets.state(secret)).toBe('deleting');
    await removeDrill(world.context);
    expect(world.zones.sets).toEqual(recorded);
    expect(await world.secrets.state(drillSecretOf(settings))).toBe('absent');
    await removeDrill(world.context);
  });
});
