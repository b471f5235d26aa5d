/** `dr drill --scenario cluster`: the quarterly cluster recovery test on the embedded cloud, from the schedule to the report. */
import { namesOf } from '../../config/names.ts';
import { rehearseBeside, started } from '../beside-production.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Installation } from '../installation.ts';
import type { DrillOptions } from '../options.ts';
import { duration } from '../screen.ts';
import { executions, onCloudOfItsOwn } from './drill.ts';

/** Runs the drill and returns the exit code; cleans up on every path. */
export const clusterDrill = (options: DrillOptions): Promise<ExitCode> =>
  onCloudOfItsOwn(
    options,
    'Cluster drill',
    'where terraform, kubectl and aws are STAND-INs',
    (installation, writers, _, screen) => {
      const { configuration, cloud } = installation;
      const schedule = namesOf(configuration).schedule('cluster-drill');
      const drill = {
        request: {},
        async start() {
          screen.heading(
            `The schedule ${schedule} fires; the RTO clock starts (objective ${duration(configuration.objectives.rtoSeconds)})`,
          );
          await cloud.fireSchedule(schedule, configuration.primary.region);
          return started(() => executions(installation, 'cluster'));
        },
        left: async () => [{ what: 'clusters', names: await otherClusters(installation) }],
      };
      return rehearseBeside(installation, writers, drill, options, screen);
    },
  );

/** Clusters in the primary Region that are not production's, and those of the account of drills. */
export async function otherClusters({
  configuration,
  cloud,
}: Pick<Installation, 'configuration' | 'cloud'>): Promise<string[]> {
  const { account, cluster, primary } = configuration;
  const clustersOf = async (of: string) =>
    (await cloud.call<{ clusters: string[] }>('eks', 'ListClusters', {}, primary.region, of)).clusters;
  const beside = (await clustersOf(account)).filter((name) => name !== cluster.primary.cluster);
  return cluster.drillAccount ? [...beside, ...(await clustersOf(cluster.drillAccount.id))] : beside;
}
