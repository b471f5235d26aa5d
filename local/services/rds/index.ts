/** Amazon RDS for PostgreSQL on real PostgreSQL: what the API answers is what the databases do. */
import type { Home, Service, ServiceDefinition } from '../../kernel.ts';
import { AccessRules } from './access.ts';
import { replicationOperations } from './backup-replication.ts';
import { catalogueOperations } from './catalogue.ts';
import { deleteOperations } from './delete.ts';
import type { Location } from './engine.ts';
import { instanceOperations } from './instances.ts';
import { configurationOf, findInstance } from './lifecycle.ts';
import { modifyOperations } from './modify.ts';
import { publishMetrics } from './monitoring.ts';
import { crashDatabases, cutStreams, recoverDatabases } from './outage.ts';
import { parameterGroupOperations } from './parameter-groups.ts';
import { replicaOperations } from './replicas.ts';
import { restoreOperations } from './restore.ts';
import { copyOperations } from './snapshot-copies.ts';
import { snapshotOperations } from './snapshots.ts';
import { Region } from './state.ts';

/** What faults need to know of an instance. */
export interface RdsService extends Service {
  /** For RDS of other Regions. */
  readonly region: Region;
  /** Throws DBInstanceNotFound; undefined where there is no database (yet). */
  clusterOf(identifier: string): Location | undefined;
  /** Every instance, as it stands now. */
  standing(): readonly Standing[];
  /** The next restore runs out of disk. */
  fillNextRestore(): void;
  /** The next restore finds its backup unusable. */
  breakNextRestore(): void;
  /** Cuts the stream that a read replica receives from its source, or lets it flow again. */
  cutReplication(identifier: string, isCut: boolean): Promise<void>;
}

/** What decides who reaches a database. */
export interface Standing {
  readonly identifier: string;
  /** Undefined while it has no database. */
  readonly port: number | undefined;
  readonly securityGroups: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
}

export const rds: ServiceDefinition = { name: 'rds', sdk: '@aws-sdk/client-rds', create: createRds };

function createRds(home: Home): RdsService {
  // Every Region has the cloud's one directory.
  const region = new Region(home, () => home.world.openEngine(home.dataDirectory, `rds-${home.region}`));
  const rules = new AccessRules(region);
  return {
    region,
    operations: {
      ...instanceOperations(region, rules),
      ...deleteOperations(region, rules),
      ...replicaOperations(region, rules),
      ...replicationOperations(region, rules),
      ...copyOperations(region, rules),
      ...modifyOperations(region, rules),
      ...snapshotOperations(region, rules),
      ...restoreOperations(region, rules),
      ...parameterGroupOperations(region, rules),
      ...catalogueOperations(region, rules),
    },
    clusterOf: (identifier) => findInstance(region, identifier).database?.location,
    standing: () =>
      [...region.instances.values()].map(({ identifier, database, securityGroups, tags }) => ({
        identifier,
        port: database?.port,
        securityGroups,
        tags,
      })),
    fillNextRestore() {
      region.nextRestoreEnds = 'storage-full';
    },
    breakNextRestore() {
      region.nextRestoreEnds = 'incompatible-restore';
    },
    async cutReplication(identifier, isCut) {
      const instance = findInstance(region, identifier);
      await instance.database?.cut?.(isCut, await configurationOf(region, instance));
    },
    start() {
      publishMetrics(region).catch(() => {}); // until the Region ends
    },
    goDark: () => crashDatabases(region),
    comeBack: () => recoverDatabases(region),
    wayChanged: (other, isCut) => cutStreams(region, other, isCut),
    async stop() {
      region.ended.abort();
      if (region.hasEngine) await (await region.engine).close();
      await region.settle();
    },
  };
}
