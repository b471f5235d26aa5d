/** RestoreResources: what Terraform does not bring back is restored from its own backup. Idempotent: what is there stays. */
import type { Incident } from '../incident/contracts.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { titleOf } from './compare-zone.ts';
import type { Restoration } from './contracts.ts';
import { RecordingGone } from './errors.ts';
import type { ProtectedKeys, ProtectedSecrets, ZoneRecordings, Zones } from './ports.ts';

export interface RestoreContext {
  readonly settings: Pick<Settings, 'traffic'>;
  readonly zones: Pick<Zones, 'put'>;
  readonly recordings: Pick<ZoneRecordings, 'read'>;
  readonly secrets: Pick<ProtectedSecrets, 'restore' | 'replicate'>;
  readonly keys: Pick<ProtectedKeys, 'keep'>;
}

interface RestoreInput {
  readonly incident: Incident;
  readonly restoration: Pick<Restoration, 'affected' | 'recording'>;
}

/** Exactly what was approved. Throws RecordingGone. */
export async function restoreResources(
  { incident, restoration: { affected, recording } }: RestoreInput,
  context: RestoreContext,
): Promise<StepResult<Record<string, never>>> {
  const named = (way: (typeof affected)[number]['way']) =>
    affected.filter((each) => each.way === way).map(({ name }) => name);
  // A key first: a secret that it encrypts is of no use without it.
  const keys = named('cancel-deletion');
  for (const arn of keys) await context.keys.keep(arn);
  const secrets = named('recovery-window');
  for (const name of secrets) await context.secrets.restore(name);
  // Secrets Manager deletes no secret that has replicas: one that comes back has none.
  const unreplicated = incident.mode === 'drill' ? [] : [...secrets, ...named('replication')];
  for (const name of unreplicated) await context.secrets.replicate(name);
  const records = named('recorded-zone');
  if (records.length > 0) await restoreRecords(records, recording?.location, context);
  const restored = [...keys, ...new Set([...secrets, ...unreplicated]), ...records];
  return {
    output: {},
    summary: restored.length > 0 ? `restored ${restored.join(', ')}` : 'nothing of this comes from a backup of its own',
    facts: { keys, secrets, unreplicated, records, ...(recording ? { recording: recording.location } : {}) },
  };
}

async function restoreRecords(
  titles: readonly string[],
  location: string | undefined,
  { settings, zones, recordings }: RestoreContext,
): Promise<void> {
  const recorded = location === undefined ? undefined : await recordings.read(location);
  const sets = recorded?.sets.filter((set) => titles.includes(titleOf(set))) ?? [];
  if (sets.length < titles.length)
    throw RecordingGone(`${location ?? 'no recording'} does not hold ${titles.join(', ')}; no record was changed`);
  await zones.put(settings.traffic.hostedZoneName, sets);
}
