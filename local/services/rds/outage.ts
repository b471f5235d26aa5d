/** What a Region's loss does to its databases: they end as in a loss of power, and recover from it when it returns. And what the loss of the way to it does. */
import { configurationOf, endBackups, instanceEvent, startBackups, startDatabase } from './lifecycle.ts';
import type { Instance, Region } from './state.ts';

/** Nothing says goodbye: sessions are cut, and what was acknowledged is in the write-ahead log. */
export async function crashDatabases(region: Region): Promise<void> {
  const running = [...region.instances.values()].filter(({ database }) => database?.location.pid !== undefined);
  for (const instance of running) region.crashed.add(instance);
  await Promise.all(running.map(({ database }) => database?.crash()));
}

/** Resolves when every one accepts connections again, or has failed to. */
export async function recoverDatabases(region: Region): Promise<void> {
  const crashed = [...region.crashed];
  region.crashed.clear();
  await Promise.all(crashed.map((instance) => recover(region, instance)));
}

async function recover(region: Region, instance: Instance): Promise<void> {
  if (instance.status === 'deleting' || !(await startDatabase(region, instance))) return;
  instanceEvent(region, instance, 'RDS-EVENT-0006');
  const isBackedUp = instance.backups?.status === 'active' || instance.settings.BackupRetentionPeriod === 0;
  if (!isBackedUp) region.background(() => backUpAnew(region, instance));
  else if (instance.status !== 'creating') instance.status = 'available';
}

/** What replicas here receive from the other Region stops with the way between them, and goes on with it. */
export async function cutStreams(region: Region, other: string, isCut: boolean): Promise<void> {
  const followers = [...region.instances.values()].filter(({ following }) => following?.region.home.region === other);
  for (const instance of followers) await instance.database?.cut?.(isCut, await configurationOf(region, instance));
}

/** The first automated backup was being taken. */
async function backUpAnew(region: Region, instance: Instance): Promise<void> {
  await endBackups(region, instance);
  await startBackups(region, instance);
  if (instance.status === 'backing-up') instance.status = 'available';
}
