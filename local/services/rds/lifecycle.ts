/** How an instance comes to be, is backed up, fails and goes: what happens after its call was answered. */

import { defaultParameterGroup } from './defaults.ts';
import type { Configuration, Database, DatabaseEngine } from './engine.ts';
import { instanceNotFound, invalidState } from './errors.ts';
import type { EventId } from './events.ts';
import { followLog } from './monitoring.ts';
import type { AutomatedBackups, Instance, Region, Snapshot } from './state.ts';

/** RDS uploads write-ahead log every five minutes: LatestRestorableTime moves no sooner. */
export const uploadIntervalMs = 5 * 60 * 1000;

export function findInstance(region: Region, identifier: string | undefined): Instance {
  const instance = region.instances.get(identifier?.toLowerCase() ?? '');
  if (instance === undefined) throw instanceNotFound(identifier ?? '');
  return instance;
}

/**
 * Throws InvalidDBInstanceState unless the instance is in one of these statuses. While its storage is optimized it is as
 * available: any modification but of storage, or a reboot, goes through (re:Post, "rds-stuck-in-storage-optimization").
 */
export function requireStatus(instance: Instance, ...statuses: readonly string[]): void {
  if (statuses.includes(instance.status === 'storage-optimization' ? 'available' : instance.status)) return;
  throw invalidState(`Instance ${instance.identifier} is currently ${instance.status} - please try again later.`);
}

export function instanceEvent(region: Region, instance: Instance, id: EventId, more?: string): void {
  region.events.add(id, 'db-instance', instance.identifier, region.arn('db', instance.identifier), more);
}

export function snapshotEvent(region: Region, snapshot: Snapshot, id: EventId, more?: string): void {
  region.events.add(id, 'db-snapshot', snapshot.identifier, region.arn('snapshot', snapshot.identifier), more);
}

/** Its read replicas, in every Region. */
export function replicasOf(region: Region, source: Instance): readonly { region: Region; instance: Instance }[] {
  return [region, ...region.peers].flatMap((each) =>
    [...each.instances.values()]
      .filter(({ following }) => following?.source === source)
      .map((instance) => ({ region: each, instance })),
  );
}

/** Where its automated backups are replicated to. */
export function replicationsOf(region: Region, { resourceId }: Instance): readonly Region[] {
  return region.peers.filter((peer) => {
    const replication = peer.backups.get(resourceId)?.replication;
    return replication?.from === region && !replication.isStopped;
  });
}

/** The values of a parameter group; those that are not set are the engine's. */
export function parametersOf(region: Region, group: string): Readonly<Record<string, string>> {
  return Object.fromEntries(region.parameterGroups.get(group)?.values ?? []);
}

export function groupExists(region: Region, group: string, engineVersion: string): boolean {
  return group === defaultParameterGroup(engineVersion) || region.parameterGroups.has(group);
}

export async function configurationOf(region: Region, instance: Instance): Promise<Configuration> {
  const suffix = instance.resourceId.slice(-12).toLowerCase();
  const name = `${instance.identifier}.c${suffix}.${region.home.region}.rds.amazonaws.com`;
  return {
    certificate: await region.home.issueCertificate([name], ['127.0.0.1']),
    parameters: instance.parameters,
    // The default of rds.force_ssl is 1 since PostgreSQL 15.
    requireTls: !['0', 'off', 'false'].includes(instance.parameters['rds.force_ssl'] ?? '1'),
  };
}

/** Makes the database of an instance that was just recorded as `creating`, and its first automated backup. */
export function provision(
  region: Region,
  instance: Instance,
  make: (engine: DatabaseEngine, configuration: Configuration) => Promise<Database>,
  done: () => void,
  failureOf: (error: Error) => { readonly status: string; readonly event: EventId },
): void {
  region.background(async () => {
    try {
      const database = await make(await region.engine, await configurationOf(region, instance));
      instance.database = database;
      region.home.darkness.locatePort(database.port, region.home.region);
      database.onFailure(() => fail(region, instance, 'failed', 'RDS-EVENT-0031'));
      followLog(region, instance, database);
      await outlast(region, instance, database);
    } catch (error) {
      const { status, event } = failureOf(error as Error);
      fail(region, instance, status, event, ` ${(error as Error).message}`);
      return;
    }
    done();
    if (instance.settings.BackupRetentionPeriod > 0) await startBackups(region, instance);
    // Not where it failed meanwhile.
    if (instance.status === 'creating' || instance.status === 'backing-up') instance.status = 'available';
  });
}

/** A database that was being made while its Region went dark starts when it returns. */
async function outlast(region: Region, instance: Instance, database: Database): Promise<void> {
  const { darkness, region: name } = region.home;
  if (!darkness.isDark(name)) return;
  await database.crash();
  await darkness.light(name);
  await database.start(await configurationOf(region, instance));
}

/** Where the instance is not on its way out. */
export function fail(region: Region, instance: Instance, status: string, event: EventId, more?: string): void {
  if (region.ended.signal.aborted || region.crashed.has(instance) || instance.status === 'deleting') return;
  instance.status = status;
  instanceEvent(region, instance, event, more);
}

/** Archives from now on and takes the first automated backup. */
export async function startBackups(region: Region, instance: Instance): Promise<void> {
  const { database } = instance;
  if (database === undefined) return;
  instance.status = 'backing-up';
  instanceEvent(region, instance, 'RDS-EVENT-0001');
  const archive = await (await region.engine).createArchive();
  const backups: AutomatedBackups = { instance, archive, status: 'creating', backups: [] };
  instance.backups = backups;
  region.backups.set(instance.resourceId, backups);
  await database.archiveTo(archive);
  const backup = await database.backup('archived');
  // Rounded up: a time within the backup's last millisecond would lie before its end, where no restore can stop.
  const from = new Date(await database.mark()).getTime() + 1;
  backups.backups.push({ backup, from });
  backups.status = 'active';
  recordAutomatedSnapshot(region, backups, from);
  do backups.latest = await database.mark();
  while (new Date(backups.latest).getTime() < from);
  instanceEvent(region, instance, 'RDS-EVENT-0002');
  upload(region, backups);
}

/** Ends automated backups and removes them, as BackupRetentionPeriod 0 does. */
export async function endBackups(region: Region, instance: Instance): Promise<void> {
  const { backups } = instance;
  if (backups === undefined) return;
  await instance.database?.archiveTo(undefined);
  delete instance.backups;
  await deleteBackups(region, backups);
}

/** Removes automated backups with their snapshots from disk. */
export async function deleteBackups(region: Region, backups: AutomatedBackups): Promise<void> {
  region.backups.delete(backups.instance.resourceId);
  for (const [id, snapshot] of region.snapshots) if (snapshot.archive === backups.archive) region.snapshots.delete(id);
  await Promise.all([backups.archive.delete(), ...backups.backups.map(({ backup }) => backup.delete())]);
}

/** Every automated backup is listed as a snapshot too: `rds:<instance>-<date>`. */
function recordAutomatedSnapshot(region: Region, backups: AutomatedBackups, createdAt: number): void {
  const { instance, archive } = backups;
  const identifier = `rds:${instance.identifier}-${new Date(createdAt).toISOString().slice(0, 16).replace(/[T:]/g, '-')}`;
  const backup = backups.backups.at(-1)?.backup;
  const snapshot: Snapshot = {
    ...copyOf(instance),
    identifier,
    type: 'automated',
    status: 'available',
    createdAt,
    archive,
    ...(backup && { backup }),
    tags: new Map(instance.settings.CopyTagsToSnapshot ? instance.tags : []),
  };
  region.snapshots.set(identifier, snapshot);
  snapshotEvent(region, snapshot, 'RDS-EVENT-0091');
}

/** What a snapshot keeps of the instance it is of. */
export function copyOf(instance: Instance): Pick<Snapshot, 'source' | 'instanceIdentifier' | 'settings'> {
  return { source: instance, instanceIdentifier: instance.identifier, settings: { ...instance.settings } };
}

/** Moves LatestRestorableTime to what the archive holds, until the backups end. */
function upload(region: Region, backups: AutomatedBackups): void {
  const { clock } = region.home;
  const active = () => backups.instance.backups === backups && !region.ended.signal.aborted;
  const loop = async (): Promise<void> => {
    while (active()) {
      await clock.sleep(uploadIntervalMs, region.ended.signal);
      if (active()) await uploadNow(backups);
    }
  };
  loop().catch(() => {}); // the Region ended
}

/** A snapshot stops no log. */
const uploading = new Set(['available', 'storage-optimization', 'backing-up', 'deleting']);

/** An instance that is down uploads nothing, and its latest restorable time stays. */
export async function uploadNow(backups: AutomatedBackups): Promise<void> {
  if (!uploading.has(backups.instance.status)) return;
  try {
    backups.latest = (await backups.instance.database?.mark()) ?? backups.latest;
  } catch {
    // It went down meanwhile.
  }
}

/** Stops and starts the engine with what its parameter group says now. */
export async function restart(region: Region, instance: Instance): Promise<void> {
  await instance.database?.stop();
  instanceEvent(region, instance, 'RDS-EVENT-0004');
  if (await startDatabase(region, instance)) {
    instanceEvent(region, instance, 'RDS-EVENT-0006');
    instance.status = 'available';
  }
}

/** False when the engine refuses its parameters: the instance then is `incompatible-parameters`. */
export async function startDatabase(region: Region, instance: Instance): Promise<boolean> {
  const { darkness, region: name } = region.home;
  if (darkness.isDark(name)) await darkness.light(name);
  instance.parameters = parametersOf(region, instance.parameterGroup);
  instance.parameterStatus = 'in-sync';
  try {
    await instance.database?.start(await configurationOf(region, instance));
    return true;
  } catch (error) {
    fail(region, instance, 'incompatible-parameters', 'RDS-EVENT-0035', ` ${(error as Error).message}`);
    return false;
  }
}
