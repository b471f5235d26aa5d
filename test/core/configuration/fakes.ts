/** A zone, recordings, secrets, keys, buckets and Terraform’s debts in memory. */
import type { PlanReport } from '../../../core/cluster/contracts.ts';
import { digestOf } from '../../../core/cluster/terraform-plan.ts';
import type { DebtRecord, Looked, RecordSetBackup, ZoneRecording } from '../../../core/configuration/contracts.ts';
import type { LookContext } from '../../../core/configuration/look-at-resources.ts';
import type {
  Debts,
  DrillSecrets,
  ProtectedSecrets,
  SecretState,
  ZoneRecordings,
  Zones,
} from '../../../core/configuration/ports.ts';
import type { RestoreContext } from '../../../core/configuration/restore-resources.ts';
import { secretNames } from '../../../core/settings.ts';
import { FakeClock, FakeControl, makeInstance, settings } from '../fakes.ts';

export const zone = settings.traffic.hostedZoneName;
export const set = (name: string, value = '10.0.0.1', more: Partial<RecordSetBackup> = {}): RecordSetBackup => ({
  Name: `${name}.${zone}.`,
  Type: 'A',
  TTL: 60,
  ResourceRecords: [{ Value: value }],
  ...more,
});

export class FakeZones implements Zones {
  sets: RecordSetBackup[] | undefined;
  constructor(sets: readonly RecordSetBackup[] | undefined) {
    this.sets = sets && [...sets];
  }
  async read(name: string) {
    return name === zone ? this.sets : undefined;
  }
  async put(_: string, sets: readonly RecordSetBackup[]) {
    await this.remove(_, sets);
    this.sets?.push(...sets);
  }
  async remove(_: string, sets: readonly RecordSetBackup[]) {
    this.sets = this.sets?.filter((each) => !sets.some(({ Name, Type }) => Name === each.Name && Type === each.Type));
  }
}

export class FakeRecordings implements ZoneRecordings {
  readonly all = new Map<string, { of: string; recording: ZoneRecording }>();
  async keep(of: string, recording: ZoneRecording) {
    const location = `s3://evidence/${of}/${recording.at}`;
    this.all.set(location, { of, recording });
    return location;
  }
  async newest(of: string, before: string) {
    const found = [...this.all]
      .filter(([, each]) => each.of === of && Date.parse(each.recording.at) < Date.parse(before))
      .map(([location, { recording }]) => ({ location, at: recording.at }));
    return found.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
  }
  async read(location: string) {
    return this.all.get(location)?.recording;
  }
}

export class FakeSecrets implements ProtectedSecrets, DrillSecrets {
  readonly states = new Map<string, SecretState>(secretNames(settings).map((name) => [name, 'there']));
  async state(name: string) {
    return this.states.get(name) ?? 'absent';
  }
  async restore(name: string) {
    if (this.states.get(name) === 'deleting') this.states.set(name, 'unreplicated');
  }
  async replicate(name: string) {
    if (this.states.get(name) === 'unreplicated') this.states.set(name, 'there');
  }
  async make(name: string) {
    this.states.set(name, 'unreplicated');
  }
  async schedule(name: string) {
    this.states.set(name, 'deleting');
  }
  async remove(name: string) {
    this.states.delete(name);
  }
}

export const detectedAt = '2026-11-22T20:15:00.000Z';
export const recorded = [set('api'), set('primary.api', '10.0.0.2')];
export const makeRecording = (at: string, sets = recorded, lost: string[] = []): ZoneRecording => ({
  version: 1,
  zone,
  at,
  sets,
  lost,
});

/** A world in which all is well, recorded yesterday. */
export async function makeWorld() {
  const recordings = new FakeRecordings();
  await recordings.keep(zone, makeRecording('2026-11-22T01:30:00.000Z'));
  const keyStates = new Map([['arn:aws:kms:us-east-1:111122223333:key/1', 'Enabled']]);
  const missing = new Set<string>();
  const control = new FakeControl();
  const secrets = new FakeSecrets();
  const zones = new FakeZones(recorded);
  const instances = new Map([['stocker-pro-staging', makeInstance()]]);
  const context = {
    settings,
    here: settings.primary,
    clock: new FakeClock(detectedAt),
    control,
    zones,
    recordings,
    secrets,
    keys: {
      list: async () => [...keyStates].map(([arn, state]) => ({ use: 'the database', arn, state })),
      keep: async (arn: string) => void keyStates.set(arn, 'Enabled'),
    },
    buckets: { exists: async (name: string) => !missing.has(name) },
    databases: { find: async (name: string) => instances.get(name) },
  } satisfies LookContext & RestoreContext;
  return { context, recordings, keyStates, missing, control, secrets, zones, instances };
}

export const well: Looked = {
  recording: { location: 's3://evidence/1', at: '2026-11-22T01:30:00.000Z' },
  affected: [],
  unknown: [],
  seen: ['everything'],
};
export const makeReport = (change: Partial<PlanReport> = {}): PlanReport => ({
  source: 'read',
  overlay: 'usable',
  images: [],
  differences: [],
  digest: digestOf(change.changes ?? []),
  ...change,
  changes: change.changes ?? [],
});

/** Terraform’s debts, by resource id. */
export class FakeDebts implements Debts {
  readonly records = new Map<string, DebtRecord>();
  async read(resourceId: string) {
    return this.records.get(resourceId);
  }
  async open(record: DebtRecord) {
    if (!this.records.has(record.resourceId)) this.records.set(record.resourceId, record);
  }
  async close(resourceId: string, closedAt: string) {
    const record = this.records.get(resourceId);
    if (record && record.closedAt === undefined) this.records.set(resourceId, { ...record, closedAt });
  }
}
