/** Every disaster that can be rehearsed, by the name it is asked for. */
import { badDeploy, clusterLost, nodesLost } from './cluster.ts';
import { recordDeleted, secretDeleted, workloadDeleted } from './configuration.ts';
import type { Disaster } from './disaster.ts';
import { instanceLost } from './instance.ts';
import { indexCorruption, pageCorruption } from './pages.ts';
import { regionLost } from './region.ts';
import { badMigration, badUpdate, dropTable } from './statements.ts';

export const disasters: Readonly<Record<string, Disaster>> = {
  'drop-table': dropTable,
  'bad-update': badUpdate,
  'page-corruption': pageCorruption,
  'index-corruption': indexCorruption,
  'instance-lost': instanceLost,
  'bad-migration': badMigration,
  'nodes-lost': nodesLost,
  'cluster-lost': clusterLost,
  'bad-deploy': badDeploy,
  'region-lost': regionLost,
  'record-deleted': recordDeleted,
  'secret-deleted': secretDeleted,
  'workload-deleted': workloadDeleted,
};
