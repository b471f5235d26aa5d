/** What a drill makes for itself and damages: a secret and a record of its own. Its workload is the build’s. */
import type { Incident } from '../incident/contracts.ts';
import { recordVersion } from '../incident/contracts.ts';
import type { Clock } from '../incident/ports.ts';
import type { Settings } from '../settings.ts';
import type { StepResult } from '../step.ts';
import { drillRecordOf } from './compare-zone.ts';
import type { RecordSetBackup, ZoneRecording } from './contracts.ts';
import type { DrillSecrets, ZoneRecordings, Zones } from './ports.ts';

export const drillSecretOf = ({
  environment,
  database,
}: Pick<Settings, 'environment'> & { readonly database: Pick<Settings['database'], 'drillPrefix'> }): string =>
  `${database.drillPrefix}stocker-dr-${environment}/configuration`;

/** Nobody asks for it: it is there to be lost and found. */
const drillSet = ({ traffic }: Pick<Settings, 'traffic'>, { id }: Pick<Incident, 'id'>): RecordSetBackup => ({
  Name: `${drillRecordOf(traffic)}.`,
  Type: 'TXT',
  TTL: traffic.ttlSeconds,
  ResourceRecords: [{ Value: `"${id}"` }],
});

export interface MakeDrillContext {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly zones: Pick<Zones, 'put' | 'remove'>;
  readonly recordings: Pick<ZoneRecordings, 'keep'>;
  readonly secrets: DrillSecrets;
}

/** Makes both, records the zone’s part, and then loses both, as somebody’s mistake would. Repeated, it ends the same. */
export async function makeDrill(
  { incident }: { readonly incident: Incident },
  { settings, clock, zones, recordings, secrets }: MakeDrillContext,
): Promise<StepResult<Record<string, never>>> {
  const { traffic } = settings;
  const zone = traffic.hostedZoneName;
  const set = drillSet(settings, incident);
  const secret = drillSecretOf(settings);
  await zones.put(zone, [set]);
  const recording: ZoneRecording = {
    version: recordVersion,
    zone,
    at: clock.now().toISOString(),
    sets: [set],
    lost: [],
  };
  const location = await recordings.keep(drillRecordOf(traffic), recording);
  await secrets.make(secret);
  await zones.remove(zone, [set]);
  await secrets.schedule(secret);
  return {
    output: {},
    summary: `the drill’s record ${drillRecordOf(traffic)} and its secret ${secret} were made, recorded and deleted`,
    facts: { record: drillRecordOf(traffic), secret, recording: location },
  };
}

export interface RemoveDrillContext {
  readonly settings: Settings;
  readonly zones: Pick<Zones, 'read' | 'remove'>;
  readonly secrets: Pick<DrillSecrets, 'remove'>;
}

/** On every path: nothing of the drill is left in the zone or among the secrets. */
export async function removeDrill({
  settings,
  zones,
  secrets,
}: RemoveDrillContext): Promise<StepResult<Record<string, never>>> {
  const { traffic } = settings;
  const zone = traffic.hostedZoneName;
  const name = drillRecordOf(traffic);
  const own = (await zones.read(zone))?.filter((set) => set.Name.replace(/\.$/, '') === name) ?? [];
  if (own.length > 0) await zones.remove(zone, own);
  await secrets.remove(drillSecretOf(settings));
  return { output: {}, summary: `${name} and ${drillSecretOf(settings)} are gone` };
}
