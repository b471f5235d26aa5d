/** LookAtResources: what of that which Terraform does not bring back is missing or differs. It only looks. */
import type { Databases } from '../database/ports.ts';
import type { Incident } from '../incident/contracts.ts';
import type { Clock, ControlStore } from '../incident/ports.ts';
import { type RegionSettings, type Settings, secretNames } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { compareZone, drillRecordOf, recordable } from './compare-zone.ts';
import type { Affected, Looked, RecordSetBackup, ZoneRecording } from './contracts.ts';
import { drillSecretOf } from './drill.ts';
import type { Buckets, ProtectedKeys, ProtectedSecrets, SecretState, ZoneRecordings, Zones } from './ports.ts';

export interface LookContext {
  readonly settings: Settings;
  readonly here: RegionSettings;
  readonly clock: Clock;
  readonly control: Pick<ControlStore, 'readActiveDatabase'>;
  readonly zones: Pick<Zones, 'read'>;
  readonly recordings: Pick<ZoneRecordings, 'newest' | 'read'>;
  readonly secrets: Pick<ProtectedSecrets, 'state'>;
  readonly keys: Pick<ProtectedKeys, 'list'>;
  readonly buckets: Buckets;
  readonly databases: Pick<Databases, 'find'>;
}

type Seen = Omit<Looked, 'unknown'>;

/** Never throws for a source that is silent: that is unknown, and unknown never passes. A drill looks at what is its own. */
export async function lookAtResources(
  { incident }: { readonly incident: Incident },
  context: LookContext,
): Promise<StepResult<Looked>> {
  const { settings } = context;
  const isDrill = incident.mode === 'drill';
  const secrets = isDrill ? [drillSecretOf(settings)] : secretNames(settings);
  const looks: (readonly [string, Promise<Seen>])[] = [
    [`zone ${settings.traffic.hostedZoneName}`, lookAtZone(incident, context)],
    ['secrets', lookAtSecrets(secrets, isDrill, context)],
    ...(isDrill
      ? []
      : ([
          ['keys', lookAtKeys(context)],
          ['buckets', lookAtBuckets(context)],
          ['database', lookAtDatabase(context)],
        ] as const)),
  ];
  const answers = await Promise.all(
    looks.map(async ([what, look]): Promise<Looked> => {
      try {
        return { ...(await look), unknown: [] };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { affected: [], seen: [], unknown: [`${what}: ${why}`] };
      }
    }),
  );
  const recording = answers.find((each) => each.recording)?.recording;
  const output: Looked = {
    ...(recording ? { recording } : {}),
    affected: answers.flatMap(({ affected }) => affected),
    unknown: answers.flatMap(({ unknown }) => unknown),
    seen: answers.flatMap(({ seen }) => seen),
  };
  return { output, summary: summaryOf(output), facts: { ...output } };
}

function summaryOf({ affected, unknown, seen }: Looked): string {
  const told = affected.map(({ name, is }) => `${name} is ${is}`);
  return [...told, ...unknown.map((each) => `UNKNOWN ${each}`), `looked at ${seen.join(', ') || 'nothing'}`].join('; ');
}

/** Before the detection, or what was asked for; a drill records its zone itself. */
const momentOf = ({ mode, restoreTo, detectedAt }: Incident, now: Date): string => {
  if (mode === 'drill') return now.toISOString();
  return typeof restoreTo === 'string' && restoreTo !== 'latest' ? restoreTo : detectedAt;
};

async function lookAtZone(
  incident: Incident,
  { settings: { traffic }, clock, zones, recordings }: LookContext,
): Promise<Seen> {
  const isDrill = incident.mode === 'drill';
  const zone = traffic.hostedZoneName;
  const before = momentOf(incident, clock.now());
  const [recording, recorded] = await goodRecording(isDrill ? drillRecordOf(traffic) : zone, before, recordings);
  const actual = await zones.read(zone);
  const seen = [`${recorded.sets.length} record sets of ${zone}, as recorded at ${recording.at}`];
  if (actual === undefined) return { recording, affected: [goneZone(zone)], seen };
  const own = (sets: readonly RecordSetBackup[]) => (isDrill ? sets : recordable(sets, traffic));
  return { recording, affected: compareZone(own(recorded.sets), own(actual), traffic), seen };
}

type Found = NonNullable<Awaited<ReturnType<ZoneRecordings['newest']>>>;

/** The newest one, unless it is the one that found a loss: then the one before it. */
async function goodRecording(
  of: string,
  before: string,
  recordings: LookContext['recordings'],
): Promise<readonly [Found, ZoneRecording]> {
  const recording = await recordings.newest(of, before);
  if (recording === undefined) throw new Error(`nobody recorded it before ${before}`);
  const recorded = await recordings.read(recording.location);
  if (recorded === undefined) throw new Error(`its recording ${recording.location} is gone`);
  if (recorded.lost.length === 0) return [recording, recorded];
  const earlier = await recordings.newest(of, recording.at);
  const good = earlier && (await recordings.read(earlier.location));
  if (earlier === undefined || good === undefined)
    throw new Error(`the recording before ${recording.location}, which lacks ${recorded.lost.join(', ')}, is gone`);
  return [earlier, good];
}

const goneZone = (name: string): Affected => ({
  kind: 'zone',
  name,
  is: 'absent',
  // A zone that is made anew has name servers of its own: the registrar must be told.
  shouldBe: 'there, with the name servers that the registrar knows',
  way: 'nobody',
});

async function lookAtSecrets(names: readonly string[], isDrill: boolean, { secrets }: LookContext): Promise<Seen> {
  const states = await Promise.all(names.map(async (name) => ({ name, state: await secrets.state(name) })));
  // A drill's own secret is in one Region.
  const isWell = (state: SecretState) => state === 'there' || (isDrill && state === 'unreplicated');
  const affected = states.flatMap(({ name, state }) => (isWell(state) ? [] : [lostSecret(name, state)]));
  return { affected, seen: [`${names.length} secrets`] };
}

const losses: Partial<Readonly<Record<SecretState, Pick<Affected, 'is' | 'way'>>>> = {
  deleting: { is: 'scheduled for deletion', way: 'recovery-window' },
  unreplicated: { is: 'not in the other Region', way: 'replication' },
};
const lostSecret = (name: string, state: SecretState): Affected => ({
  kind: 'secret',
  name,
  shouldBe: 'there',
  ...(losses[state] ?? { is: 'absent', way: 'nobody' }),
});

const usable = 'Enabled';
const keptBack = ['PendingDeletion', 'PendingReplicaDeletion', 'Disabled'];

async function lookAtKeys({ settings, control, keys }: LookContext): Promise<Seen> {
  const active = await control.readActiveDatabase();
  const all = await keys.list(active?.identifier ?? settings.database.identifier);
  const affected = all
    .filter(({ state }) => state !== usable)
    .map(
      ({ use, arn, state }): Affected => ({
        kind: 'key',
        name: arn,
        is: `${state}, the key of ${use}`,
        shouldBe: usable,
        way: keptBack.includes(state) ? 'cancel-deletion' : 'nobody',
      }),
    );
  return { affected, seen: [`${all.length} keys`] };
}

async function lookAtBuckets({ here, buckets }: LookContext): Promise<Seen> {
  const names = [here.evidenceBucket, here.dumpBucket, here.terraformStateBucket];
  const known = await Promise.all(names.map(async (name) => ({ name, exists: await buckets.exists(name) })));
  const affected = known
    .filter(({ exists }) => !exists)
    .map(({ name }): Affected => ({ kind: 'bucket', name, is: 'absent', shouldBe: 'there', way: 'nobody' }));
  return { affected, seen: [`${names.length} buckets`] };
}

async function lookAtDatabase({ settings, control, databases }: LookContext): Promise<Seen> {
  const active = await control.readActiveDatabase();
  if (active === undefined) throw new Error(`no active database is registered in ${settings.environment}`);
  const instance = await databases.find(active.identifier);
  const isThere = instance?.resourceId === active.resourceId && instance.status !== 'deleting';
  const is = instance === undefined ? 'absent' : instance.status === 'deleting' ? 'being deleted' : 'another instance';
  const gone: Affected = { kind: 'database', name: active.identifier, is, shouldBe: 'there', way: 'nobody' };
  return { affected: isThere ? [] : [gone], seen: [`database ${active.identifier}`] };
}
